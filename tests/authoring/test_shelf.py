"""The folder of issues: its order, and the names an editor gives to issues."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from newsletter.authoring import issue_files, shelf
from newsletter.domain import errors, numbering


def put(folder: Path, number: str, *, status: str = "ready", day: str = "2026-01-09", name: str = "") -> Path:
    volume, count = number.split(".")
    path = folder / (name or f"vol-{volume}-{count}.md")
    head = f"---\nvolume: {volume}  # a year\nnumber: {count}\ndate: {day}\n"
    text = f'{head}title: "Notes: all"\nstatus: {status}\n---\n\n## First of {number}\n\nBody.\n'
    path.write_text(text, encoding="utf-8")
    return path


def test_issues_sort_as_numbers_and_not_as_text(tmp_path: Path) -> None:
    for number in ("2.1", "1.10", "1.9", "1.1"):
        put(tmp_path, number)
    (tmp_path / "README.md").write_text("not an issue")
    (tmp_path / "notes.md").write_text("no front matter")
    shelved = issue_files.listing(tmp_path)
    assert [str(one.number) for one in shelved] == ["1.1", "1.9", "1.10", "2.1", "None"]
    assert (shelved[0].title, shelved[0].headline) == ("Notes: all", "First of 1.1")
    assert issue_files.listing(tmp_path / "gone") == []


@pytest.mark.parametrize("name", ["1.10", "vol-1-10", "Vol 1.10", "vol-1-10.md", "latest"])
def test_an_issue_answers_to_each_of_its_names(tmp_path: Path, name: str) -> None:
    put(tmp_path, "1.9")
    path = put(tmp_path, "1.10")
    assert issue_files.find(tmp_path, name) == path
    assert issue_files.find(tmp_path, str(path)) == path


def test_next_is_the_oldest_draft_or_the_next_day_and_never_one_sent(tmp_path: Path) -> None:
    put(tmp_path, "1.1", day="2022-01-14")
    ready = put(tmp_path, "1.2", day="2026-12-04")
    draft = put(tmp_path, "1.3", day="2026-12-18", status="draft")
    today = date(2026, 11, 20)
    assert issue_files.find(tmp_path, "next") == draft
    assert issue_files.find(tmp_path, "next", today=today) == ready
    assert issue_files.find(tmp_path, "next", today=today, sent={numbering.IssueNumber(1, 2)}) == draft
    with pytest.raises(errors.IssueError, match="no issue is waiting"):
        issue_files.find(tmp_path, "next", sent={numbering.IssueNumber(1, 3)})


@pytest.mark.parametrize("name", ["2.23", "vol-9-9", "nonsense", "gone.md", "latest", "next", ""])
def test_an_issue_that_is_not_there_is_an_error_that_names_those_there_are(tmp_path: Path, name: str) -> None:
    with pytest.raises(errors.IssueError) as caught:
        issue_files.find(tmp_path, name)
    assert caught.value.hint == "newsletter issue new writes the first one"
    put(tmp_path, "1.1")
    if name not in {"latest"}:
        with pytest.raises(errors.IssueError) as caught:
            issue_files.find(tmp_path, name)
        assert "1.1" in caught.value.hint


def test_a_number_that_two_files_have_must_be_named_by_its_file(tmp_path: Path) -> None:
    put(tmp_path, "1.1")
    put(tmp_path, "1.1", name="other.md")
    with pytest.raises(errors.IssueError, match=r"other\.md"):
        issue_files.find(tmp_path, "1.1")
    assert issue_files.find(tmp_path, "other").name == "other.md"


def test_an_edition_stands_behind_the_issue_it_translates(tmp_path: Path) -> None:
    path = put(tmp_path, "1.1")
    edition = put(tmp_path, "1.1", name="vol-1-1.ja.md")
    edition.write_text(edition.read_text().replace("---\n", "---\nlanguage: ja\n", 1))
    assert issue_files.find(tmp_path, "1.1") == path
    assert issue_files.find(tmp_path, "latest") == path
    assert issue_files.find(tmp_path, "1.1@ja") == edition
    assert [one.path for one in shelf.editions(tmp_path, numbering.IssueNumber(1, 1))] == [path, edition]


def test_an_edition_has_the_language_of_its_name_unless_it_says_so_itself(tmp_path: Path) -> None:
    path, edition = put(tmp_path, "1.1"), put(tmp_path, "1.1", name="vol-1-1.ja.md")
    assert issue_files.read(edition).language == "ja"
    assert issue_files.find(tmp_path, "1.1@ja") == edition
    assert issue_files.find(tmp_path, "1.1") == path


@pytest.mark.parametrize("count", ["²", "9" * 5_000, "-1"])
def test_a_number_that_is_none_costs_the_shelf_nothing(tmp_path: Path, count: str) -> None:
    put(tmp_path, "1.1")
    put(tmp_path, f"1.{count}", name="vol-1-2.md")
    assert [str(one.number) for one in issue_files.listing(tmp_path)] == ["1.1", "None"]


def test_the_next_number_follows_the_last_and_a_new_year_may_open_a_volume(tmp_path: Path) -> None:
    assert str(shelf.following(tmp_path)) == "1.1"
    put(tmp_path, "1.9", day="2026-12-18")
    put(tmp_path, "1.10", day="2026-12-31")
    assert str(shelf.following(tmp_path)) == "1.11"
    assert str(shelf.following(tmp_path, day=date(2027, 1, 14))) == "1.11"
    assert str(shelf.following(tmp_path, day=date(2027, 1, 14), yearly=True)) == "2.1"
    assert str(shelf.following(tmp_path, day=date(2026, 12, 31), yearly=True)) == "1.11"
