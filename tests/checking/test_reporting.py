"""Findings as people, programs and pull requests read them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from newsletter import checking
from newsletter.checking import reporting
from newsletter.domain import errors, findings
from tests.checking import desk

TEXT = desk.CLEAN.replace("Both ports", "Both both ports").replace("Harbour", "H")


def found(folder: Path) -> tuple[checking.Subject, list[findings.Finding]]:
    subject = desk.subject(folder, TEXT)
    return subject, checking.check(subject)


def test_a_finding_is_quoted_and_underlined_under_its_headline(tmp_path: Path) -> None:
    subject, all_found = found(tmp_path)
    text = checking.report(all_found, issue=subject.issue, lines=subject.lines)
    assert text == "\n".join(
        [
            "Ports agree on one timetable",
            "",
            "warning[duplicate-word]: “Both” stands twice in a row",
            "  --> issues/vol-2-3.md:11:1",
            "   |",
            (
                "11 | Both both ports [signed](https://ports.example.org/timetable) a paper "
                "that puts every night train on…"
            ),
            "   | ^^^^^^^^^",
            "   = take one out",
            "",
            "1 warning",
        ]
    )


def test_wide_characters_do_not_shift_the_marks() -> None:
    lines = ["日本と米国は,合意"]
    finding = findings.Finding(
        rule="narrow-mark",
        severity=findings.Severity.ADVICE,
        message="x",
        path="a.md",
        line=1,
        column=7,
        length=1,
    )
    assert reporting.report([finding], lines=lines).split("\n")[6] == "  | " + " " * 12 + "^"


def test_a_fault_far_to_the_right_is_still_in_the_window() -> None:
    lines = ["x" * 300 + "FAULT" + "y" * 300]
    finding = findings.Finding(
        rule="r", severity=findings.Severity.ERROR, message="m", path="a.md", line=1, column=301, length=5
    )
    rows = reporting.report([finding], lines=lines).split("\n")
    quoted, marks = rows[5], rows[6]
    assert quoted[marks.index("^") : marks.rindex("^") + 1] == "FAULT"
    assert len(quoted) < 120


def test_findings_of_the_whole_issue_come_first_and_in_one_group(tmp_path: Path) -> None:
    def at(line: int, entry: str) -> findings.Finding:
        return findings.Finding(
            rule="r", severity=findings.Severity.ADVICE, message="m", path="a.md", line=line, entry=entry
        )

    text = reporting.report([at(0, ""), at(9, "ports"), at(40, "")])
    assert text.count("The issue as a whole") == 1
    assert text.index("The issue as a whole") < text.index("ports")


def test_colours_are_only_used_when_asked_for(tmp_path: Path) -> None:
    subject, all_found = found(tmp_path)
    assert "\x1b[" not in checking.report(all_found, issue=subject.issue, lines=subject.lines)
    assert "\x1b[33mwarning\x1b[0m[" in checking.report(all_found, lines=subject.lines, colour=True)


def test_json_carries_every_field_and_the_counts(tmp_path: Path) -> None:
    _, all_found = found(tmp_path)
    document = json.loads(checking.report(all_found, "json"))
    assert document["counts"] == {"error": 0, "warning": 1, "advice": 0}
    (one,) = document["findings"]
    assert (one["rule"], one["line"], one["column"], one["length"]) == ("duplicate-word", 11, 1, 9)
    assert one["entry"] == "ports-agree-on-one-timetable"


def test_github_gets_one_escaped_annotation_a_finding() -> None:
    finding = findings.Finding(
        rule="r",
        severity=findings.Severity.ADVICE,
        message="50 %\nof",
        path="a,b.md",
        line=3,
        column=2,
        fix="mend",
    )
    expected = "::notice file=a%2Cb.md,line=3,col=2,title=r::50 %25%0Aof (mend)"
    assert checking.report([finding], "github") == expected


def test_nothing_found_is_said(tmp_path: Path) -> None:
    assert checking.report([]) == "nothing found"


def test_an_unknown_format_is_refused_with_the_known_ones() -> None:
    with pytest.raises(errors.NewsletterError, match="yaml") as caught:
        checking.report([], "yaml")
    assert "text, json, github" in caught.value.hint
