"""Issue files: what an editor may write, and every way of getting it wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from newsletter.authoring import issue_files
from newsletter.domain import errors, findings, issues, numbering

FOLDED = """---
volume: 1
number: 4
date: 2026-11-20
preheader: >-
  Boats,
  and more boats.
intro: >
  Good
  morning.

  TK more.
---
"""
HEAD = "---\nvolume: 1\nnumber: 4\ndate: 2026-11-20\n---\n"
WHOLE = """---
# The order is by weight.
volume: 2
number: 10
date: 2026-11-20
title: Harbour Notes
subject: "Ferries: a new timetable"
preheader: Boats, and more boats.
language: en-GB
layout: digest
hero:
  file: boat.png
  alt: A ferry at the pier
  credit: Port Office
  credit_url: https://example.org/port
  caption: The morning boat
status: ready
send_at: 2026-12-04 09:00
closing: |
  Written in the harbour.
waive:
  subject-length: it is short on purpose
---

Good morning.

## New ferries for the bay
id: ferries
topics: transport, sea
date: 2026-11-12
headline_short: Ferries: all new
sources:
  - https://example.org/a
  - [The plan](https://example.org/plan_(1)), Port Office
  - url: https://example.org/c
    title: A third
    publisher: "Pier, Press"

The **first** boat [arrived](https://example.org/boat).

Second paragraph.

## Fares stay as they are

Nothing changed.
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path


def write(shelf: Path, text: str, name: str = "vol-1-4.md") -> Path:
    path = shelf / name
    path.write_text(text, encoding="utf-8")
    return path


def found(shelf: Path, text: str) -> list[tuple[int, str]]:
    return [(one.line, one.rule) for one in issue_files.problems(write(shelf, text))]


def refused(path: Path) -> errors.IssueError:
    with pytest.raises(errors.IssueError) as caught:
        issue_files.read(path)
    return caught.value


def test_everything_an_editor_may_write_is_read(shelf: Path) -> None:
    (shelf / "boat.png").write_bytes(b"png")
    path = write(shelf, WHOLE)
    issue = issue_files.read(path, title="Other", language="ja", timezone="Asia/Tokyo")
    assert issue_files.problems(path) == []
    assert issue.number == numbering.IssueNumber(2, 10)
    assert (issue.title, issue.subject) == ("Harbour Notes", "Ferries: a new timetable")
    assert (issue.language, issue.status, issue.date) == ("en-GB", issues.Status.READY, date(2026, 11, 20))
    assert issue.send_at == datetime(2026, 12, 4, 0, 0, tzinfo=UTC)
    assert issue.hero == issues.Hero(
        src="boat.png",
        alt="A ferry at the pier",
        credit="Port Office",
        credit_url="https://example.org/port",
        caption="The morning boat",
        line=11,
    )
    assert (issue.intro, issue.closing) == ("Good morning.", "Written in the harbour.")
    assert issue.waivers == {"subject-length": "it is short on purpose"}
    first, second = issue.entries
    assert (first.id, first.topics, first.date) == ("ferries", ("transport", "sea"), date(2026, 11, 12))
    assert first.headline_short == "Ferries: all new"
    assert [(one.url, one.title, one.publisher) for one in first.sources] == [
        ("https://example.org/a", "", ""),
        ("https://example.org/plan_(1)", "The plan", "Port Office"),
        ("https://example.org/c", "A third", "Pier, Press"),
    ]
    assert first.body.endswith("(https://example.org/boat).\n\nSecond paragraph.")
    assert (second.id, second.body) == ("fares-stay-as-they-are", "Nothing changed.")


def test_lines_lead_back_to_the_file(shelf: Path) -> None:
    lines = WHOLE.split("\n")
    issue = issue_files.read(write(shelf, WHOLE))
    first = issue.entries[0]
    assert lines[first.line - 1] == "## New ferries for the bay"
    assert lines[first.body_line - 1].startswith("The **first** boat")
    assert lines[issue.intro_line - 1] == "Good morning."
    assert lines[issue.closing_line - 1] == "  Written in the harbour."
    assert lines[issue.lines["status"] - 1] == "status: ready"
    assert lines[first.sources[1].line - 1].startswith("  - [The plan]")


def test_only_the_numbers_and_the_date_are_required(shelf: Path) -> None:
    issue = issue_files.read(
        write(shelf, f"{HEAD}## One thing\n\nBody.\n\n## Another\nheadline_short: Other\n\nBody.\n"),
        title="Harbour Notes",
        language="en",
    )
    assert issue.subject == "Harbour Notes Vol 1.4: One thing"
    assert issue.preheader == "One thing · Other"
    assert (issue.title, issue.language, issue.status) == ("Harbour Notes", "en", issues.Status.DRAFT)
    assert (issue.layout, issue.hero, issue.intro, issue.closing) == (issues.Layout.DIGEST, None, "", "")


def test_every_problem_of_a_file_comes_in_one_run(shelf: Path) -> None:
    path = write(
        shelf,
        """---
volume: 2.23
number: "4"
date: Dec 15, 2023
titel: X
hero:
  url: https://example.org/a.png
---
Intro TODO.

## A headline
id: same
topcs: x

Body ![](x.png) and [x](JavaScript:alert(1)).

##

## Another
id: same

FIXME
""",
    )
    assert [(one.line, one.rule) for one in issue_files.problems(path)] == [
        (2, "wrong-type"),
        (3, "wrong-type"),
        (4, "wrong-type"),
        (5, "unknown-key"),
        (6, "hero-alt"),
        (6, "hero-credit"),
        (9, "unfinished"),
        (13, "unknown-key"),
        (15, "image-alt"),
        (15, "unsafe-link"),
        (17, "headline"),
        (19, "duplicate-id"),
        (22, "unfinished"),
    ]
    lines = str(refused(path)).splitlines()
    assert len(lines) == 13
    assert lines[0] == (
        f"{path}:2: “volume: 2.23” is one decimal number, and YAML takes 2.20 for 2.2;"
        " write “volume: 2” and “number: 23” as two whole numbers"
    )
    assert "did you mean “title”?" in lines[3]
    assert "write 2023-12-15" in lines[2]


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("1.10", "write “volume: 1” and “number: 10” as two whole numbers"),
        ("'7'", "without quotes"),
        ("true", "boolean"),
        ("0", "counts from 1"),
        ("-3", "not a whole number"),
        ("[7]", "is a list"),
        ("{a: 7}", "is a mapping"),
        ("", "is empty"),
        ("~", "is empty"),
        ("seven", "not a whole number"),
        ("99999", "not a whole number"),
    ],
)
def test_a_number_that_is_none_says_why(shelf: Path, value: str, words: str) -> None:
    path = write(shelf, HEAD.replace("number: 4", f"number: {value}") + "## A\n\nB\n")
    problem = refused(path).problems[0]
    assert (problem.line, words in problem.message) == (3, True), problem.message


@pytest.mark.parametrize("value", ["20-11-2026", "2026-11-31", "2026-11-20T09:00:00", "tomorrow", "2026"])
def test_a_date_that_is_none_is_an_error(shelf: Path, value: str) -> None:
    problem = refused(write(shelf, HEAD.replace("2026-11-20", value) + "## A\n\nB\n")).problems[0]
    assert (problem.line, problem.text) == (4, value)


@pytest.mark.parametrize(
    ("lines", "rule"),
    [
        ("send_at: 2026-12-04", "wrong-type"),
        ("send_at: soon", "wrong-type"),
        ("status: done", "wrong-type"),
        ("layout: letters", "wrong-type"),
        ("language: English please", "wrong-type"),
        ("title: [a]", "wrong-type"),
        ("hero: boat.png", "wrong-type"),
        ("hero: {flie: boat.png}", "unknown-key"),
        ("hero: {file: a.png, url: 'https://example.org/a.png'}", "wrong-type"),
        ("waive: everything", "wrong-type"),
        ("waive: {some-rule: [a]}", "wrong-type"),
        ("volume: 1", "duplicate-key"),
        ("title: one: two", "yaml"),
        ("\ttitle: one", "yaml"),
        ("title: [one", "yaml"),
        ("title: *one", "yaml"),
        ("title: \x07", "yaml"),
        ("title: &a [[[[[*a]]]]]", "yaml"),
        ("? [a]\n: b", "yaml"),
        ("intro: Once.\n---\nTwice.\n---", "two-intros"),
    ],
)
def test_a_front_matter_that_says_something_wrong_is_refused(shelf: Path, lines: str, rule: str) -> None:
    path = write(shelf, HEAD.replace("---\n", f"---\n{lines}\n", 1).replace("\x07", "\x07") + "## A\n\nB\n")
    if rule == "two-intros":
        path = write(shelf, HEAD.replace("---\n", "---\nintro: Once.\n", 1) + "Twice.\n\n## A\n\nB\n")
    assert rule in {one.rule for one in issue_files.problems(path)}
    assert all(problem.line for problem in refused(path).problems)


def test_a_file_that_is_no_issue_says_what_it_lacks(shelf: Path) -> None:
    for text, words in [
        ("", "the file is empty"),
        ("# Just text\n", "no front matter"),
        ("---\nvolume: 1\n", "never closed"),
        ("---\n---\n## A\n\nB\n", "“volume” is missing"),
        ("---\n- a\n---\n", "not made of “key: value” lines"),
    ]:
        assert words in str(refused(write(shelf, text)))
    assert "cannot be read: No such file" in str(refused(shelf / "gone.md"))
    assert "cannot be read: Is a directory" in str(refused(shelf))
    assert issue_files.problems(shelf / "gone.md")[0].rule == "unreadable"


def test_bytes_that_are_not_utf_8_are_named_with_their_place(shelf: Path) -> None:
    path = shelf / "vol-1-4.md"
    path.write_bytes(f"{HEAD}## A\n\ncaf".encode() + b"\x93\n")
    problem = refused(path).problems[0]
    assert problem.line == 8
    assert f"byte 0x93 at offset {len(HEAD) + 9}" in problem.message
    path.write_bytes((HEAD + "## A\n").encode("utf-16"))
    assert "UTF-16" in str(refused(path))
    path.write_bytes(HEAD.encode() + b"## A\n\nB\0C\n")
    assert (refused(path).problems[0].line, "NUL" in str(refused(path))) == (8, True)
    path.write_bytes(b"x" * 4_000_001)
    assert "4,000,001 bytes are too much" in str(refused(path))


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(shelf: Path) -> None:
    plain = issue_files.read(write(shelf, WHOLE))
    path = shelf / "vol-1-4.md"
    path.write_bytes(b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode())
    assert issue_files.read(path) == plain


def test_headings_in_code_are_not_entries_and_code_may_say_todo(shelf: Path) -> None:
    text = f"{HEAD}## Real\n\n```\n## not an entry\nTODO\n```\n\n    ## nor this\n\n`TK` and ~~~ fine.\n"
    issue = issue_files.read(write(shelf, text))
    assert [entry.headline for entry in issue.entries] == ["Real"]
    assert found(shelf, text) == []


def test_a_fence_closes_only_with_its_own_kind(shelf: Path) -> None:
    text = f"{HEAD}## Real\n\n````\n```\n## inside\n~~~~\n````\n\n## Second ##\n\nB\n"
    assert [entry.headline for entry in issue_files.read(write(shelf, text)).entries] == ["Real", "Second"]


@pytest.mark.parametrize(
    "text", ["TK", "see TK.", "TKTK", "(TODO)", "**FIXME**", "[TK](https://example.org)"]
)
def test_a_word_left_to_write_must_not_go_out_but_the_draft_can_be_read(shelf: Path, text: str) -> None:
    whole = f"{HEAD}## A\n\nBody {text}\n"
    assert found(shelf, whole) == [(8, "unfinished")]
    assert issue_files.problems(shelf / "vol-1-4.md")[0].severity is findings.Severity.ERROR
    assert issue_files.read(shelf / "vol-1-4.md").entries[0].body == f"Body {text}"


@pytest.mark.parametrize(
    "text",
    [
        "TKO",
        "ATK",
        "todo",
        "https://example.org/TODO",
        "[a](https://example.org/?q=TK)",
        "<https://example.org/TK>",
    ],
)
def test_a_word_that_only_looks_unfinished_is_left_alone(shelf: Path, text: str) -> None:
    assert found(shelf, f"{HEAD}## A\n\nBody {text}\n") == []


@pytest.mark.parametrize(
    "link",
    [
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](<java\tscript:alert(1)>)",
        "[x](&#106;avascript:alert(1))",
        "[x](vbscript:x)",
        "[x](data:text/html,x)",
        "<javascript:alert(1)>",
        "[ref]: javascript:alert(1)",
    ],
)
def test_a_link_that_runs_code_must_not_go_out(shelf: Path, link: str) -> None:
    assert found(shelf, f"{HEAD}## A\n\n{link}\n") == [(8, "unsafe-link")]


def test_unsafe_links_are_found_in_sources_and_hero_too(shelf: Path) -> None:
    head = HEAD.replace("---\n", "---\nhero: {url: 'javascript:x', alt: A, credit: C}\n", 1)
    rules = found(shelf, f"{head}## A\nsources:\n  - javascript:alert(1)\n\nB\n")
    assert rules == [(2, "unsafe-link"), (9, "unsafe-link")]


def test_a_hero_whose_picture_has_not_come_yet_is_a_warning_when_its_credit_is_known(shelf: Path) -> None:
    head = HEAD.replace("---\n", "---\nhero:\n  file:\n  credit: Port Office\n", 1)
    path = write(shelf, f"{head}## A\n\nB\n")
    (finding,) = issue_files.problems(path)
    assert (finding.rule, finding.severity, finding.line) == ("hero-file", findings.Severity.WARNING, 2)
    hero = issue_files.read(path).hero
    assert hero is not None
    assert (hero.src, hero.credit) == ("", "Port Office")


def test_a_picture_that_is_not_beside_the_issue_is_an_error(shelf: Path) -> None:
    head = HEAD.replace("---\n", "---\nhero: {file: boat.png, alt: A, credit: C}\n", 1)
    assert found(shelf, f"{head}## A\n\nB\n") == [(2, "hero-missing")]
    (shelf / "boat.png").write_bytes(b"png")
    assert found(shelf, f"{head}## A\n\nB\n") == []


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ("id: Not A Slug", "entry-id"),
        ("id: a\nid: b", "duplicate-key"),
        ("date: Friday", "date"),
        ("sources: somewhere", "source"),
        ("id: a\nand then text at once", "entry-field"),
    ],
)
def test_a_field_of_an_entry_that_is_wrong_is_refused_with_its_line(
    shelf: Path, fields: str, rule: str
) -> None:
    path = write(shelf, f"{HEAD}## A\n{fields}\n\nB\n")
    assert rule in {one.rule for one in issue_files.problems(path)}
    assert refused(path).problems[0].line in {7, 8}


def test_text_right_under_a_headline_is_text(shelf: Path) -> None:
    issue = issue_files.read(write(shelf, f"{HEAD}## A\nThe text: begins at once.\n"))
    assert issue.entries[0].body == "The text: begins at once."


def test_two_headlines_alike_need_an_id(shelf: Path) -> None:
    problem = refused(write(shelf, f"{HEAD}## Same\n\nA\n\n## Same\n\nB\n")).problems[0]
    assert "id: same-2" in problem.message


def test_a_headline_without_ascii_letters_has_an_id_by_its_place(shelf: Path) -> None:
    issue = issue_files.read(write(shelf, f"{HEAD}## 日米同盟\n\n本文。\n\n## 経済\n\n本文。\n"))
    assert [entry.id for entry in issue.entries] == ["entry-1", "entry-2"]


def test_a_digest_without_entries_must_not_go_out_and_a_letter_may(shelf: Path) -> None:
    assert found(shelf, f"{HEAD}Just text.\n") == [(0, "no-entries")]
    assert found(shelf, HEAD.replace("---\n", "---\nlayout: letter\n", 1) + "Just text.\n") == []


def test_a_number_taken_by_another_file_is_found_and_an_edition_is_not(shelf: Path) -> None:
    write(shelf, f"{HEAD}## A\n\nB\n", "twin.md")
    write(shelf, HEAD.replace("---\n", "---\nlanguage: ja\n", 1) + "## A\n\nB\n", "vol-1-4.ja.md")
    path = write(shelf, f"{HEAD}## A\n\nB\n")
    (finding,) = issue_files.problems(path)
    assert (finding.rule, finding.line) == ("duplicate-number", 3)
    assert "twin.md" in finding.message
    assert issue_files.problems(shelf / "vol-1-4.ja.md") == []


def test_the_name_of_an_edition_says_its_language_and_its_file_may_not_deny_it(shelf: Path) -> None:
    path = write(shelf, f"{HEAD}## A\n\nB\n", "vol-1-4.ja.md")
    assert issue_files.read(path, language="en").language == "ja"
    path = write(shelf, HEAD.replace("---\n", "---\nlanguage: en\n", 1) + "## A\n\nB\n", "vol-1-4.ja.md")
    problem = refused(path).problems[0]
    assert (problem.line, "named as the “ja” edition" in problem.message) == (2, True)


def test_a_copy_that_was_put_aside_is_a_twin_and_no_edition(shelf: Path) -> None:
    write(shelf, f"{HEAD}## A\n\nB\n", "vol-1-4.old.md")
    assert found(shelf, f"{HEAD}## A\n\nB\n") == [(3, "duplicate-number")]


def test_a_folded_text_is_one_line_without_a_trace_of_its_folds(tmp_path: Path) -> None:
    path = tmp_path / "vol-1-4.md"
    path.write_text(FOLDED)
    issue = issue_files.read(path)
    assert (issue.preheader, issue.intro) == ("Boats, and more boats.", "Good morning.\nTK more.")
    assert issue.intro_line == FOLDED.split("\n").index("  Good") + 1


def test_a_tk_among_the_sources_is_found(tmp_path: Path) -> None:
    text = f"{HEAD}## A\nsources:\n  - [TK what it is](https://example.org/a), Port\n\nB\n"
    path = tmp_path / "vol-1-4.md"
    path.write_text(text)
    (found,) = issue_files.problems(path)
    assert (found.rule, found.line, found.entry) == ("unfinished", 8, "a")
