"""What is common to all rules: choice, waivers, order, explanation."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from pathlib import Path

import pytest

from newsletter import checking
from newsletter.checking import inspection
from newsletter.domain import errors, findings
from tests.checking import desk

SHOUTING = desk.CLEAN.replace("Both ports", "Both both ports  and")


def waive(**waivers: str) -> str:
    lines = "".join(f'  {name.replace("_", "-")}: "{reason}"\n' for name, reason in waivers.items())
    return SHOUTING.replace("---\n\n", f"waive:\n{lines}---\n\n", 1)


def rules_of(text: str, folder: Path) -> list[str]:
    return [finding.rule for finding in checking.check(desk.subject(folder, text))]


def test_findings_come_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = SHOUTING.replace("## Bridge opens ahead of schedule", "## Bridge opens.")
    found = checking.check(desk.subject(tmp_path, text))
    assert [f.rule for f in found] == ["duplicate-word", "double-space", "headline-stop"]


def test_only_and_skip_take_rules_and_families(tmp_path: Path) -> None:
    subject = desk.subject(tmp_path, SHOUTING)
    assert [f.rule for f in checking.check(subject, only=["double-space"])] == ["double-space"]
    assert [f.rule for f in checking.check(subject, skip=["double-space"])] == ["duplicate-word"]
    assert checking.check(subject, skip=["newsroom"]) == []
    assert len(checking.check(subject, only=["newsroom"])) == 2


@pytest.mark.parametrize("option", ["only", "skip"])
def test_an_unknown_rule_is_refused_with_the_nearest_one(tmp_path: Path, option: str) -> None:
    with pytest.raises(errors.NewsletterError, match="double-spaces") as caught:
        checking.check(desk.subject(tmp_path), **{option: ["double-spaces"]})
    assert "double-space?" in caught.value.hint


def test_a_waiver_takes_its_findings_away(tmp_path: Path) -> None:
    assert rules_of(waive(double_space="a poem"), tmp_path) == ["duplicate-word"]


def test_a_waiver_that_covers_nothing_is_a_finding_at_its_line(tmp_path: Path) -> None:
    text = waive(double_space="a poem", duplicate_word="a quote", headline_stop="left over")
    (finding,) = checking.check(desk.subject(tmp_path, text))
    assert finding.rule == "waiver-unused"
    assert finding.line == desk.line_of(text, "waive:")
    assert "headline-stop" in finding.message


def test_a_misspelt_waiver_is_told_what_it_may_have_meant(tmp_path: Path) -> None:
    text = waive(double_space="a poem", duplicate_word="a quote", hedline_stop="left over")
    (finding,) = checking.check(desk.subject(tmp_path, text))
    assert finding.fix == "did you mean headline-stop?"


def test_a_waiver_of_a_rule_that_was_skipped_is_not_called_unused(tmp_path: Path) -> None:
    text = waive(double_space="a poem", duplicate_word="a quote")
    assert checking.check(desk.subject(tmp_path, text), skip=["double-space"]) == []


def test_a_waiver_of_what_could_not_be_looked_at_is_not_called_unused(tmp_path: Path) -> None:
    text = waive(double_space="a poem", duplicate_word="a quote", link_home="a portal", contrast="a logo")
    assert checking.check(desk.subject(tmp_path, text)) == []


def test_a_waiver_without_reason_is_a_finding(tmp_path: Path) -> None:
    subject = desk.subject(tmp_path, SHOUTING)
    issue = dataclasses.replace(subject.issue, waivers={"double-space": " ", "duplicate-word": "a quote"})
    (finding,) = checking.check(dataclasses.replace(subject, issue=issue))
    assert finding.rule == "waiver-without-reason"


FLAW = findings.Finding(
    rule="unfinished", severity=findings.Severity.ERROR, message="TK", path="issues/vol-2-3.md", line=12
)


def test_what_reading_the_file_found_is_reported_chosen_and_waived_with_the_rest(tmp_path: Path) -> None:
    subject = desk.subject(tmp_path, flaws=[FLAW])
    assert checking.check(subject) == [FLAW]
    assert checking.check(subject, skip=["unfinished"]) == []
    assert checking.check(subject, only=["double-space"]) == []
    issue = dataclasses.replace(subject.issue, waivers={"unfinished": "the name of a band"})
    assert checking.check(dataclasses.replace(subject, issue=issue)) == []


def test_every_rule_has_a_name_of_its_own_a_reason_and_a_source() -> None:
    rules = checking.rules()
    assert [name for name, count in Counter(rule.id for rule in rules).items() if count > 1] == []
    for rule in rules:
        assert rule.id == rule.id.lower().replace("_", "-").replace(" ", "-")
        assert len(rule.reason) > 40, rule.id
        assert rule.reason.endswith((".", "?")), rule.id
        assert rule.source, rule.id


def test_a_rule_explains_itself() -> None:
    text = checking.explain(checking.rule("link-shortener"))
    assert text.startswith("link-shortener (warning, newsroom)")
    assert "spam filters" in text
    assert 'waive: {link-shortener: "why"}' in text


def test_a_file_of_odd_text_costs_no_rule_its_nerve(tmp_path: Path) -> None:
    body = "[a](b [c](d) ![e]( ` `` {{ }} \u202e\u200d👩‍👩‍👧 ((((( [[[[ **** \ufeff" + "> " * 2_000
    text = desk.CLEAN.replace("Both ports", body)
    checking.check(desk.subject(tmp_path, text, html=text, text=text))


def test_one_rule_never_drowns_the_others(tmp_path: Path) -> None:
    text = desk.CLEAN.replace("Both ports", "Both  ports " * 3_000)
    counts = Counter(finding.rule for finding in checking.check(desk.subject(tmp_path, text)))
    assert counts["double-space"] == inspection.MOST
    assert "height" in counts


#: What makes a pattern look again and again at the same text; each is repeated to 40 KB.
HOSTILE = [
    "`",
    "[",
    "![",
    "](",
    "((",
    "“",
    "A",
    "日",
    "1.",
    "{{",
    "~~",
    "*",
    "> ",
    "word word ",
    "http://",
    "\\",
    "'",
]


def test_a_bracket_that_never_closes_before_many_links_keeps_nobody_busy(tmp_path: Path) -> None:
    links = "".join(f"[page](https://a.example.org/{n})\n" for n in range(200))
    subject = desk.subject(tmp_path, desk.CLEAN.replace("Both ports", f"[{links}"))
    started = time.process_time()
    assert len(checking.links(subject)) >= 200
    assert time.process_time() - started < 5


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_keeps_the_checks_busy(tmp_path: Path, piece: str) -> None:
    subject = desk.subject(tmp_path)
    body = piece * (40_000 // len(piece))
    entry = dataclasses.replace(subject.issue.entries[0], body=body, headline=body[:2_000])
    issue = dataclasses.replace(subject.issue, entries=(entry, *subject.issue.entries[1:]))
    subject = dataclasses.replace(subject, issue=issue, lines=[*subject.lines[:10], body], text=body)
    html = f"<html><body><p>{body.replace('<', '&lt;')}</p></body></html>"
    started = time.process_time()
    checking.check(dataclasses.replace(subject, html=html))
    # CPU, not the clock on the wall: a pattern that runs away takes minutes here.
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "rule_id", ["unfinished", "image-alt", "hero-missing", "unsafe-link", "duplicate-number", "no-entries"]
)
def test_what_only_reading_a_file_can_find_is_explained_all_the_same(rule_id: str) -> None:
    assert checking.explain(checking.rule(rule_id)).startswith(f"{rule_id} (error, file)")
