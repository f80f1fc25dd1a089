"""Approvals: bound to exactly what will be sent, and readable in git."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.authoring import approval
from newsletter.domain import errors, findings, numbering

NUMBER = numbering.IssueNumber(2, 23)
NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def word(digest: str = "ab12", by: str = "Mina Ode") -> approval.Approval:
    return approval.Approval(number=NUMBER, digest=digest, by=by, at=NOW)


def require(folder: Path, digest: str, *, needed: int = 1) -> None:
    approval.require(approval.standing(folder, NUMBER, digest, needed=needed), NUMBER)


def finding(severity: findings.Severity) -> findings.Finding:
    return findings.Finding(
        rule="r", severity=severity, message="a TK is left in", path="issues/a.md", line=7
    )


def test_an_issue_may_go_out_once_somebody_approved_exactly_this_content(tmp_path: Path) -> None:
    with pytest.raises(errors.ApprovalError, match=r"Vol 2\.23 is not approved"):
        require(tmp_path, "ab12")
    approval.approve(tmp_path, word())
    require(tmp_path, "ab12")
    assert approval.standing(tmp_path, NUMBER, "ab12").is_approved
    assert not approval.standing(tmp_path, numbering.IssueNumber(2, 24), "ab12").is_approved


def test_a_later_edit_voids_the_approval_and_says_whose(tmp_path: Path) -> None:
    approval.approve(tmp_path, word())
    with pytest.raises(errors.ApprovalError, match="edited since Mina Ode approved it on 2026-11-20 09:30"):
        require(tmp_path, "cd34")
    standing = approval.standing(tmp_path, NUMBER, "cd34")
    assert (standing.is_approved, [one.by for one in standing.void]) == (False, ["Mina Ode"])


def test_an_edit_taken_back_is_approved_again(tmp_path: Path) -> None:
    approval.approve(tmp_path, word())
    approval.approve(tmp_path, word("cd34"))
    assert approval.standing(tmp_path, NUMBER, "ab12").is_approved


def test_two_approvals_are_two_people(tmp_path: Path) -> None:
    approval.approve(tmp_path, word())
    approval.approve(tmp_path, word())
    with pytest.raises(errors.ApprovalError, match="approved by Mina Ode, and 2 people are needed"):
        require(tmp_path, "ab12", needed=2)
    approval.approve(tmp_path, word(by="Jo Berg"))
    require(tmp_path, "ab12", needed=2)
    assert len(approval.read(tmp_path)) == 2


def test_errors_stop_an_approval_and_warnings_do_not(tmp_path: Path) -> None:
    with pytest.raises(errors.ApprovalError, match=r"issues/a\.md:7: a TK is left in"):
        approval.approve(tmp_path, word(), found=[finding(findings.Severity.ERROR)])
    assert not (tmp_path / approval.FILE).exists()
    approval.approve(tmp_path, word(), found=[finding(findings.Severity.WARNING)])
    assert approval.standing(tmp_path, NUMBER, "ab12").is_approved


def test_an_approval_needs_a_name(tmp_path: Path) -> None:
    with pytest.raises(errors.ApprovalError, match="needs a name"):
        approval.approve(tmp_path, word(by="  "))


@pytest.mark.parametrize("name", ['A "quoted" \\ name', "Ōta Ryūji", "tab\there", "line\nbreak"])
def test_names_of_every_kind_survive_the_file(tmp_path: Path, name: str) -> None:
    approval.approve(tmp_path, word(by=name))
    assert approval.read(tmp_path) == [word(by=name)]
    tomllib.loads((tmp_path / approval.FILE).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "text",
    [
        "[[approval]\n",
        '[[approval]]\nissue = "2.23"\n',
        '[[approval]]\nissue = "x"\nby = "a"\nhash = "b"\nat = 2026-01-01T00:00:00Z\n',
        '[[approval]]\nissue = "2.23"\nby = "a"\nhash = "b"\nat = 2026-01-01T00:00:00\n',
        "\udcff",
    ],
)
def test_a_file_edited_into_nonsense_is_an_error_and_never_an_approval(tmp_path: Path, text: str) -> None:
    (tmp_path / approval.FILE).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(errors.ApprovalError, match=r"approvals\.toml"):
        approval.standing(tmp_path, NUMBER, "ab12")


def test_only_the_word_of_an_approver_counts_where_there_are_any(tmp_path: Path) -> None:
    approval.approve(tmp_path, word())
    assert not approval.standing(tmp_path, NUMBER, "ab12", approvers=("Jo Berg",)).is_approved
    assert approval.standing(tmp_path, NUMBER, "ab12", approvers=("Jo Berg", "Mina Ode")).is_approved
