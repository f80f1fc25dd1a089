"""`newsletter issue diff`: what changes for the reader, against git, the approved or the sent version."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from newsletter.sending import reader_view, versions
from tests.cli.conftest import Run
from tests.cli.test_issue import edit, root

__all__ = ["root"]

OLD, NEW = "Crews will train together", "Crews will practise together"


def git(folder: Path, *arguments: str) -> None:
    names = {"GIT_AUTHOR_NAME": "E", "GIT_COMMITTER_NAME": "E"}
    mails = {"GIT_AUTHOR_EMAIL": "e@example.org", "GIT_COMMITTER_EMAIL": "e@example.org"}
    subprocess.run(
        ["git", *arguments], cwd=folder, check=True, capture_output=True, env=os.environ | names | mails
    )


def test_words_and_links_that_changed_since_the_approval_are_shown(run: Run, root: Path) -> None:
    run("issue", "approve", "1.1", "--as", "Mina Ode")
    assert "Nothing changes for the reader" in run("issue", "diff", "1.1").out
    edit(root / "issues" / "vol-1-1.md", OLD, NEW)
    edit(root / "issues" / "vol-1-1.md", "ferry-study)", "ferry-report)")
    out = run("issue", "diff", "1.1").out
    assert "Crews will [-train-]{+practise+} together" in out
    assert (
        "[-‹https://example.org/council/ferry-study›-]{+‹https://example.org/council/ferry-report›+}" in out
    )
    assert len(out.splitlines()) == 1
    assert run("issue", "diff", "1.1", "approved").out == out
    (line,) = run("issue", "diff", "1.1", "--json").json
    assert {"sign": "-", "text": "train"} in line


def test_a_comment_in_the_file_changes_nothing_for_the_reader(run: Run, root: Path) -> None:
    run("issue", "approve", "1.1", "--as", "Mina Ode")
    edit(root / "issues" / "vol-1-1.md", "volume: 1\n", "# Mine.\nvolume: 1\n")
    assert "Nothing changes" in run("issue", "diff", "1.1").out


def test_a_git_revision_is_compared_with_the_file_as_it_is_dirty_or_not(run: Run, root: Path) -> None:
    git(root, "init", "-q")
    git(root, "add", "issues")
    git(root, "commit", "-qm", "One")
    edit(root / "issues" / "vol-1-1.md", OLD, NEW)
    for revision in ((), ("HEAD",)):
        assert "[-train-]{+practise+}" in run("issue", "diff", "1.1", *revision).out
    git(root, "commit", "-qam", "Two")
    assert "Nothing changes" in run("issue", "diff", "1.1").out
    assert "[-train-]{+practise+}" in run("issue", "diff", "1.1", "HEAD~1").out


def test_a_revision_that_is_not_there_says_what_else_to_type(run: Run, root: Path) -> None:
    absent = run("issue", "diff", "1.1", "HEAD")
    assert (absent.code, "is not in a git repository" in absent.err) == (1, True)
    assert "“approved” or “sent”" in absent.err
    git(root, "init", "-q")
    git(root, "add", "newsletter.toml")
    git(root, "commit", "-qm", "One")
    for revision, words in [("nonsense", "nonsense"), ("HEAD", "vol-1-1.md"), ("-p", "no git revision")]:
        result = run("issue", "diff", "--", "1.1", revision)
        assert (result.code, words in result.err) == (1, True), result.err
    assert run("issue", "diff", "1.1", "approved").code == 1
    sent = run("issue", "diff", "1.1", "sent")
    assert (sent.code, "was not sent" in sent.err) == (1, True), sent.err


def test_without_git_it_says_so(run: Run, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root))
    result = run("issue", "diff", "1.1", "HEAD")
    assert (result.code, "git is not installed" in result.err) == (1, True)


def test_a_file_that_could_not_be_read_then_is_told_of(run: Run, root: Path) -> None:
    path = root / "issues" / "vol-1-1.md"
    good = path.read_text()
    path.write_text("nonsense")
    git(root, "init", "-q")
    git(root, "add", "issues")
    git(root, "commit", "-qm", "One")
    path.write_text(good)
    result = run("issue", "diff", "1.1", "HEAD")
    assert (result.code, "no front matter" in result.err) == (1, True)


def test_the_sent_version_is_read_from_its_frozen_template(run: Run, root: Path) -> None:
    from newsletter import wiring

    press = wiring.build(root).press
    path = root / "issues" / "vol-1-1.md"
    frozen = press.proof(path).templates
    edit(path, OLD, NEW)
    changes = reader_view.compare(versions.sent(frozen), reader_view.lines(press.proof(path).templates))
    assert [(one.sign, one.text) for line in changes for one in line if one.sign != " "] == [
        ("-", "train"),
        ("+", "practise"),
    ]


def test_lines_that_come_and_go_are_whole_changes() -> None:
    assert reader_view.compare(["a b", "c"], ["a b"]) == [[reader_view.Change("-", "c")]]
    assert reader_view.compare([], ["c d"]) == [[reader_view.Change("+", "c d")]]
    assert reader_view.compare(["a"], ["a"]) == []


def test_what_a_reader_does_not_see_is_not_compared(run: Run, root: Path) -> None:
    from newsletter import wiring

    lines = reader_view.lines(wiring.build(root).press.proof(root / "issues" / "vol-1-1.md").templates)
    assert lines[1] == "Subject: Vol 1.1: Two ports agree on a shared ferry"
    assert not any("{" in line or "@media" in line for line in lines)
    assert sum("Aldermouth and Kitahama agree to run one ferry line" in line for line in lines) == 1
    assert any("‹<unsubscribe_url>›" in line for line in lines)
