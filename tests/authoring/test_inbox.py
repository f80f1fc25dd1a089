"""The inbox: found by name, listed by period, marked as used and freed again."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from newsletter.authoring import clippings, inbox, issue_files, shelf
from newsletter.domain import errors, numbering

NUMBER = numbering.IssueNumber(1, 3)


def put(folder: Path, name: str, **values: object) -> inbox.Taken:
    day = datetime.date.fromisoformat(name[:10])
    made = clippings.Clipping(
        title=name[11:].replace("-", " ").capitalize(),
        accessed=day,
        sha256=name,
        excerpt=f"About {name}.",
        **values,  # type: ignore[arg-type]  # the fields of a clipping
    )
    return inbox.Inbox(folder).save(made, name)


def test_what_lies_in_it_is_listed_by_day_and_period(tmp_path: Path) -> None:
    for name in ("2026-11-20-ferry-line", "2026-11-06-lighthouse", "2026-11-13-flood-map"):
        put(tmp_path, name, topics=("sea", "news"), weight=2, publisher="Bay: Courier")
    box = inbox.Inbox(tmp_path)
    assert [slip.name[11:] for slip in box.slips()] == ["lighthouse", "flood-map", "ferry-line"]
    period = box.slips(since=datetime.date(2026, 11, 7), until=datetime.date(2026, 11, 19))
    (slip,) = period
    assert (slip.title, slip.topics, slip.weight, slip.publisher) == (
        "Flood map",
        ("sea", "news"),
        2,
        "Bay: Courier",
    )
    assert list(inbox.Inbox(tmp_path / "gone").slips()) == []


def test_a_clipping_that_an_editor_renamed_is_still_known(tmp_path: Path) -> None:
    taken = put(tmp_path, "2026-11-20-ferry-line", url="https://example.org/ferry?utm_source=x")
    taken.path.rename(tmp_path / "the ferry.md")
    again = inbox.Inbox(tmp_path).save(
        clippings.Clipping(title="Other", url="http://www.example.org/ferry/"), "again"
    )
    assert (again.known, again.path.name) == (True, "the ferry.md")


def test_two_clippings_of_one_title_have_two_files(tmp_path: Path) -> None:
    box = inbox.Inbox(tmp_path)
    day = datetime.date(2026, 11, 20)
    paths = [box.save(clippings.Clipping(title="Untitled", accessed=day), str(i)).path.name for i in range(2)]
    assert paths == ["2026-11-20-untitled.md", "2026-11-20-untitled-2.md"]


def test_a_clipping_answers_to_a_part_of_its_name_that_no_other_has(tmp_path: Path) -> None:
    ferry = put(tmp_path, "2026-11-20-ferry-line").path
    put(tmp_path, "2026-11-20-ferry-line-opens")
    box = inbox.Inbox(tmp_path)
    assert box.find("2026-11-20-ferry-line") == ferry
    assert box.find(str(ferry)) == ferry
    assert box.find("opens").stem == "2026-11-20-ferry-line-opens"
    with pytest.raises(errors.WorkspaceError, match="part of 2 names"):
        box.find("ferry")
    for name in ("train", ""):
        with pytest.raises(errors.WorkspaceError):
            box.find(name)


def test_marking_writes_one_line_and_frees_what_is_no_longer_used(tmp_path: Path) -> None:
    ferry, flood = put(tmp_path, "2026-11-20-ferry").path, put(tmp_path, "2026-11-20-flood").path
    before = ferry.read_text()
    box = inbox.Inbox(tmp_path)
    assert box.mark(NUMBER, [ferry.stem]) == ([ferry.stem], [])
    assert ferry.read_text() == before.replace("topics:\n---", "topics:\nused: 1.3\n---")
    assert clippings.read(ferry).used == "1.3"
    assert box.mark(NUMBER, [flood.stem]) == ([flood.stem], [ferry.stem])
    assert ferry.read_text() == before
    assert box.mark(NUMBER, [flood.stem]) == ([], [])


@pytest.mark.parametrize(
    "title",
    ["Port #1 opens", "It's: “so” #2", 'Say "no" # 3', "'Quoted' all through", "100 % \\ done", "# all \\"],
)
def test_a_title_is_listed_as_it_was_written(tmp_path: Path, title: str) -> None:
    inbox.Inbox(tmp_path).save(clippings.Clipping(title=title, sha256="x"), title)
    ((slip),) = inbox.Inbox(tmp_path).slips()
    assert (slip.title, slip.sha256) == (title, "x")


def test_a_file_outside_the_inbox_is_no_clipping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    issue = tmp_path / "vol-1-3.md"
    issue.write_text("---\n---\n")
    for name in (issue.name, str(issue)):
        with pytest.raises(errors.WorkspaceError, match="no clipping"):
            inbox.Inbox(tmp_path / "inbox").find(name)


def test_a_file_with_a_byte_order_mark_is_marked_in_its_front_matter(tmp_path: Path) -> None:
    ferry = put(tmp_path, "2026-11-20-ferry").path
    ferry.write_text(f"\ufeff{ferry.read_text()}\n---\n\nA note.\n", encoding="utf-8")
    inbox.Inbox(tmp_path).mark(NUMBER, [ferry.stem])
    assert clippings.read(ferry).used == "1.3"


def test_marking_leaves_another_issue_s_clippings_and_broken_files_alone(tmp_path: Path) -> None:
    ferry = put(tmp_path, "2026-11-20-ferry").path
    inbox.Inbox(tmp_path).mark(numbering.IssueNumber(1, 2), [ferry.stem])
    broken = tmp_path / "broken.md"
    broken.write_bytes(b"no front matter \xff")
    assert inbox.Inbox(tmp_path).mark(NUMBER, ["broken"]) == (["broken"], [])
    assert broken.read_bytes() == b"no front matter \xff"
    assert clippings.read(ferry).used == "1.2"


def test_entries_of_issue_files_say_which_clippings_are_in_use(tmp_path: Path) -> None:
    head = "---\nvolume: 1\nnumber: 3\ndate: 2026-11-20\n---\n"
    text = f"{head}## A\nclippings: one, two\n\nB\n\n## C\nclippings: three\n"
    (tmp_path / "vol-1-3.md").write_text(text)
    assert inbox.in_issues(shelf.listing(tmp_path)) == dict.fromkeys(("one", "two", "three"), NUMBER)


@pytest.mark.parametrize(
    "fields",
    [
        "clippings: [one, two]",
        "clippings: \"one\", 'two'",
        "clippings:\n  - one\n- two\nid: x",
        "clippings: one\n- two",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_clippings_may_be_listed_as_any_field_of_an_entry(tmp_path: Path, fields: str, end: str) -> None:
    text = f"---\nvolume: 1\nnumber: 3\ndate: 2026-11-20\n---\n## A\n{fields}\n\n- B\n"
    path = tmp_path / "vol-1-3.md"
    path.write_bytes(text.replace("\n", end).encode())
    (entry,) = issue_files.read(path).entries
    found = inbox.in_issues(shelf.listing(tmp_path))
    assert {name for name in found if name} == set(entry.clippings) == {"one", "two"}


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("https://www.example.org/a/", "http://example.org/a"),
        ("https://example.org/a?b=1&a=2", "https://example.org/a?a=2&b=1"),
        ("https://example.org/a?utm_campaign=x&fbclid=y", "https://example.org/a#part"),
        ("https://EXAMPLE.org", "https://example.org/"),
    ],
)
def test_two_ways_to_one_page_are_one(left: str, right: str) -> None:
    assert clippings.same_page(left) == clippings.same_page(right)


def test_pages_that_differ_stay_apart() -> None:
    pages = ["https://example.org/a?id=1", "https://example.org/a?id=2", "https://example.org:8080/a?id=1"]
    pages += ["https://example.org/a?20261120", "https://example.org/a?20261121", "https://example.org/a"]
    assert len({clippings.same_page(page) for page in pages}) == 6


@pytest.mark.parametrize("url", ["https://[example.org/a", "https://example.org:80443/a"])
def test_a_mistyped_address_costs_the_inbox_nothing(tmp_path: Path, url: str) -> None:
    taken = put(tmp_path, "2026-11-20-ferry", url=url)
    box = inbox.Inbox(tmp_path)
    assert box.knows_page(url) == taken.path
    assert box.knows_page("https://example.org/a") is None
    assert clippings.kind_of(url) is clippings.Kind.PRESS
