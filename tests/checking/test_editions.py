"""Editions of one issue are held against each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter import checking
from tests.checking import desk

RULES = [rule.id for rule in checking.rules() if rule.family == "editions"]

EN = (
    desk.HEAD
    + """
## Ports agree
id: ports
date: 2026-02-02

On February 2, 2026, they [signed](https://ports.example.org/a) a plan for 42 trains and
1,200 seats, worth 3 billion.
"""
)
JA = EN.replace("volume: 2", "language: ja\nvolume: 2").replace(
    EN[EN.index("On February") :],
    "2026年2月2日、列車42本と座席１，２００席の計画に[署名](https://ports.example.org/a)した。30億円。\n",
)


def compare(folder: Path, ours: str, theirs: str) -> list[tuple[str, int]]:
    edition = desk.read(folder, theirs, "vol-2-3.ja.md")
    found = checking.check(desk.subject(folder, ours, editions=[edition]), only=RULES)
    return [(finding.rule, finding.line) for finding in found]


def test_two_editions_that_say_the_same_have_no_finding(tmp_path: Path) -> None:
    assert compare(tmp_path, EN, JA) == []
    assert compare(tmp_path, JA, EN) == []


def test_an_entry_that_one_edition_lacks_is_named_both_ways(tmp_path: Path) -> None:
    more = EN + "\n## Bridge opens\nid: bridge\n\nIt did.\n"
    assert compare(tmp_path, more, JA) == [("edition-entries", desk.line_of(more, "## Bridge"))]
    assert compare(tmp_path, EN, JA + "\n## 橋\nid: bridge\n\n開通。\n") == [("edition-entries", 0)]


def test_another_order_is_pointed_out(tmp_path: Path) -> None:
    bridge = "\n## Bridge opens\nid: bridge\n\nIt did.\n"
    head, entry = EN.split("\n## Ports", 1)
    assert compare(tmp_path, EN + bridge, head + bridge + "\n## Ports" + entry) == [("edition-order", 0)]


def test_another_date_of_issue_or_entry_is_an_error(tmp_path: Path) -> None:
    other = JA.replace("date: 2026-02-06", "date: 2026-02-07")
    assert compare(tmp_path, EN, other) == [("edition-date", desk.line_of(EN, "date:"))]
    other = JA.replace("date: 2026-02-02", "date: 2026-02-03")
    assert compare(tmp_path, EN, other) == [("edition-date", desk.line_of(EN, "## Ports"))]


def test_a_link_that_the_other_lacks_is_found_where_it_stands(tmp_path: Path) -> None:
    other = JA.replace("example.org/a", "example.org/b")
    assert compare(tmp_path, EN, other) == [("edition-links", desk.line_of(EN, "On February"))]


def test_a_figure_that_the_other_lacks_is_found_where_it_stands(tmp_path: Path) -> None:
    line = desk.line_of(EN, "On February")
    assert compare(tmp_path, EN, JA.replace("42", "24")) == [("edition-figures", line)]
    assert compare(tmp_path, EN, JA.replace("１，２００", "1100")) == [("edition-figures", line + 1)]


@pytest.mark.parametrize(
    ("english", "japanese"),
    [
        ("25,000 seats", "2万5000席"),
        ("25,000 seats", "２万５千席"),
        ("110 million yen", "1億1000万円"),
        ("1.5 million yen", "150万円"),
        ("in FY2027, the 14th meeting of the 21st century", "2027年度、21世紀の第14回"),
        ("after eleven years and a hundred meetings", "11年と100回の会合を経て"),
        ("since the 1990s", "1990年代から"),
    ],
)
def test_a_number_may_be_written_as_its_language_does(tmp_path: Path, english: str, japanese: str) -> None:
    ours, theirs = EN.replace("42 trains", english), JA.replace("列車42本", japanese)
    assert compare(tmp_path, ours, theirs) == []
    assert compare(tmp_path, theirs, ours) == []


@pytest.mark.parametrize(("english", "japanese"), [("25,000", "2万500"), ("FY2027", "2028年度")])
def test_a_number_that_came_out_otherwise_is_still_found(tmp_path: Path, english: str, japanese: str) -> None:
    ours, theirs = EN.replace("42 trains", english), JA.replace("列車42本", japanese)
    found = compare(tmp_path, ours, theirs) + compare(tmp_path, theirs, ours)
    assert [rule for rule, _ in found] == ["edition-figures"]
