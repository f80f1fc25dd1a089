"""Back issues: texts in the digest's own layout become issue files, and nothing is lost without a word."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from newsletter.authoring import back_issues, issue_files
from newsletter.authoring.manuscripts import Kind
from newsletter.domain import errors, findings, issues, numbering
from tests.authoring.manuscript import DIGEST

WISHES = back_issues.Wishes(next_number=numbering.IssueNumber(1, 7), today=date(2026, 11, 20))


def take_in(folder: Path, text: str | bytes, *, name: str = "old.txt") -> back_issues.Imported:
    source = folder / name
    source.write_bytes(text if isinstance(text, bytes) else text.encode())
    (taken,) = back_issues.take_in(source, folder / "issues", WISHES)
    assert isinstance(taken, back_issues.Imported)
    return taken


def read(imported: back_issues.Imported) -> issues.Issue:
    return issue_files.read(imported.path, title="Other", language="en")


def told(imported: back_issues.Imported, kind: Kind) -> str:
    return "\n".join(note.what for note in imported.notes if note.kind is kind)


def test_headlines_and_details_are_paired_in_order_with_bold_and_links_kept(tmp_path: Path) -> None:
    imported = take_in(tmp_path, DIGEST)
    issue = read(imported)
    assert imported.path == tmp_path / "issues" / "vol-2-23.md"
    assert (str(issue.number), issue.date, issue.title) == ("2.23", date(2023, 12, 15), "Two Harbours Digest")
    assert [entry.headline for entry in issue.entries] == [
        "Ferry line carries its millionth passenger",
        "Lighthouse keepers & pilots sign a pact on fog",
        "School of joinery wins the regional prize",
    ]
    assert "**millionth passenger** on Dec. 9" in issue.entries[0].body
    assert "[received](https://example.org/ferry/flowers)" in issue.entries[0].body
    assert issue.entries[2].body.startswith("**The school of joinery** won")
    assert issue.closing.startswith('"Two Harbours Digest" is a bi-weekly summary')
    assert issue.hero is not None
    assert (issue.hero.src, issue.hero.credit, issue.hero.credit_url) == ("", "Bay Courier", "")
    assert issue.status is issues.Status.READY


def test_what_could_not_be_placed_is_said(tmp_path: Path) -> None:
    imported = take_in(tmp_path, DIGEST)
    left = told(imported, Kind.LEFT)
    assert "the picture credited to “Bay Courier” did not come with the text" in left
    assert "entry 1: 1 link leads nowhere: “carried”" in left
    assert "entry 2: 2 links lead nowhere: “signed”, “names”" in left
    assert "closing: 1 link leads nowhere: “the harbour offices”" in left
    severities = {one.severity for one in issue_files.problems(imported.path)}
    assert severities == {findings.Severity.WARNING}


@pytest.mark.parametrize("bullet", ["●", "•", "*", "–", "1.", "2)"])
def test_bullets_of_every_kind_are_bullets(tmp_path: Path, bullet: str) -> None:
    imported = take_in(tmp_path, DIGEST.replace("\n- ", f"\n{bullet} "))
    assert [entry.headline[:5] for entry in read(imported).entries] == ["Ferry", "Light", "Schoo"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Vol: 2.23", "Vol 2.23"),
        ("Vol: 2.23", "**Volume 2, No. 23**"),
        ("Two Harbours Digest\n\nVol: 2.23", "# Two Harbours Digest -Vol 2.23-"),
        ("December 15, 2023", "15 Dec. 2023"),
        ("December 15, 2023", "Friday, December 15th, 2023"),
        ("December 15, 2023", "2023-12-15"),
        ("December 15, 2023", "2023年12月15日"),
        ("December 15, 2023", "令和5年12月15日"),
        ("Image Source: [Bay Courier](#)", "e Image Source: Bay Courier"),
        ("Image Source: [Bay Courier](#)", "**Photo credit:** [Bay Courier](https://example.org/courier)"),
        ("Headlines:", "## Headlines"),
        ("Details:", "**Details:**"),
        ("- School", "-\u00a0School"),
        ("Details:\n\n", "Details:\n"),
    ],
)
def test_spellings_that_editors_used_over_the_years_read_the_same(tmp_path: Path, old: str, new: str) -> None:
    assert old in DIGEST
    imported = take_in(tmp_path, DIGEST.replace(old, new))
    issue = read(imported)
    assert (str(issue.number), issue.date, issue.title) == ("2.23", date(2023, 12, 15), "Two Harbours Digest")
    assert [entry.headline[:5] for entry in issue.entries] == ["Ferry", "Light", "Schoo"]
    assert issue.hero is not None
    assert issue.hero.credit == "Bay Courier"
    assert "above the headlines" not in told(imported, Kind.LEFT)


def test_windows_text_reads_the_same(tmp_path: Path) -> None:
    plain = read(take_in(tmp_path, DIGEST))
    (tmp_path / "issues" / "vol-2-23.md").unlink()
    text = DIGEST.replace('"', "\u201c").replace("\n", "\r\n").encode("cp1252")
    imported = take_in(tmp_path, text)
    assert "read as Windows-1252" in told(imported, Kind.GUESSED)
    assert [entry.body for entry in read(imported).entries] == [entry.body for entry in plain.entries]


def test_a_headline_without_detail_and_a_detail_without_headline_are_named(tmp_path: Path) -> None:
    lines = DIGEST.splitlines(keepends=True)
    missing = [line for line in lines if not line.startswith("- Lighthouse keepers and pilots")]
    imported = take_in(tmp_path, "".join(missing))
    bodies = {entry.headline: entry.body for entry in read(imported).entries}
    assert bodies["Lighthouse keepers & pilots sign a pact on fog"] == ""
    assert bodies["School of joinery wins the regional prize"].startswith("**The school of joinery**")
    assert "“Lighthouse keepers & pilots sign a pact on fog” has no detail" in told(imported, Kind.LEFT)
    imported.path.unlink()
    missing = [line for line in lines if not line.startswith("- Lighthouse keepers &")]
    imported = take_in(tmp_path, "".join(missing))
    assert "“Lighthouse keepers and pilots [signed](#)" in told(imported, Kind.LEFT)
    assert "unfinished" in {one.rule for one in issue_files.problems(imported.path)}


def test_details_in_paragraphs_without_bullets_are_details(tmp_path: Path) -> None:
    head, _, tail = DIGEST.partition("Details:")
    imported = take_in(tmp_path, f"{head}Details:{tail.replace(chr(10) + '- ', chr(10) + chr(10))}")
    issue = read(imported)
    assert [bool(entry.body) for entry in issue.entries] == [True, True, True]
    assert issue.closing.startswith('"Two Harbours')


def test_a_detail_of_two_paragraphs_keeps_both(tmp_path: Path) -> None:
    imported = take_in(
        tmp_path, DIGEST.replace("- Lighthouse keepers and", "More on that.\n\n- Lighthouse keepers and")
    )
    assert "More on that." in read(imported).entries[0].body
    assert len(read(imported).entries) == 3


def test_an_issue_without_closing_number_or_date_is_read_and_the_guesses_are_said(tmp_path: Path) -> None:
    text = DIGEST[: DIGEST.index('"Two Harbours')].replace("Vol: 2.23", "").replace("December 15, 2023", "")
    imported = take_in(tmp_path, text)
    issue = read(imported)
    assert (str(issue.number), issue.date, issue.closing) == ("1.7", date(2026, 11, 20), "")
    assert "it became Vol 1.7" in told(imported, Kind.GUESSED)
    assert "it became 2026-11-20" in told(imported, Kind.GUESSED)


def test_text_that_fits_nowhere_is_left_with_a_word(tmp_path: Path) -> None:
    text = DIGEST.replace("Image Source", "Download this publication (PDF)\n\nImage Source").replace(
        "\nDetails:", "\nA stray remark.\n\nDetails:"
    )
    left = told(take_in(tmp_path, text), Kind.LEFT)
    assert "above the headlines: “Download this publication (PDF)”" in left
    assert "between headlines and details: “A stray remark.”" in left


def test_a_detail_that_looks_like_a_heading_stays_a_detail(tmp_path: Path) -> None:
    imported = take_in(tmp_path, DIGEST.replace("- **The school", "- ## **The school"))
    assert len(read(imported).entries) == 3


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("old.txt", "Just a letter.\n", "no line “Headlines:”"),
        ("old.txt", "", "no line “Headlines:”"),
        ("old.txt", "Headlines:\n\nDetails:\n", "neither headlines nor details"),
        ("old.docx", DIGEST, "“.docx” file cannot be read"),
        ("old.txt", b"\0" * 9_000_000, "larger than"),
    ],
)
def test_a_file_that_is_no_back_issue_is_refused_and_nothing_is_written(
    tmp_path: Path, name: str, text: str | bytes, words: str
) -> None:
    with pytest.raises(errors.IssueError, match=words):
        take_in(tmp_path, text, name=name)
    assert not (tmp_path / "issues").exists()
    with pytest.raises(errors.IssueError, match="No such file"):
        back_issues.read(tmp_path / "gone.txt")


def test_an_issue_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    imported = take_in(tmp_path, DIGEST)
    imported.path.write_text("mine")
    with pytest.raises(errors.WorkspaceError, match="there already"):
        take_in(tmp_path, DIGEST)
    assert imported.path.read_text() == "mine"


def test_a_picture_in_the_text_is_the_hero_with_its_credit(tmp_path: Path) -> None:
    picture = "![A ferry](https://example.org/ferry.jpg)\n\nImage Source"
    hero = read(take_in(tmp_path, DIGEST.replace("Image Source", picture, 1))).hero
    assert hero is not None
    assert (hero.src, hero.alt, hero.credit) == ("https://example.org/ferry.jpg", "A ferry", "Bay Courier")
