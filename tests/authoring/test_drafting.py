"""Drafting: from clippings to entries, and never a word of the editor's lost."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from newsletter.authoring import almanac, approval, clippings, drafting, inbox, issue_files, newsroom
from newsletter.authoring.clippings import Kind
from newsletter.domain import cadence, errors, issues, numbering

TODAY = datetime.date(2026, 11, 20)
RULE = almanac.Almanac(rule=cadence.parse(every="2 weeks", on="Friday", first=datetime.date(2026, 1, 9)))
FERRY = "The harbour offices of Aldermouth and Kitahama signed an agreement on one ferry line from June."
REPORT = "Officials of Kitahama and Aldermouth signed the ferry agreement; one line sails from June."


def drafter(folder: Path, today: datetime.date = TODAY) -> drafting.Drafter:
    room = newsroom.Newsroom(folder=folder, rule=RULE, today=today)
    return drafting.Drafter(newsroom=room, clipped=inbox.Inbox(folder / "inbox"))


def clip(folder: Path, title: str, text: str = "", **values: Any) -> str:
    options: dict[str, Any] = {
        "url": f"https://example.org/{title.replace(' ', '-').lower()}",
        "publisher": "Bay Courier",
        "published": datetime.date(2026, 11, 18),
        "accessed": datetime.date(2026, 11, 19),
    }
    excerpt = text or f"{title}, it was announced."
    made = clippings.Clipping(title=title, excerpt=excerpt, **(options | values))
    return inbox.Inbox(folder / "inbox").save(made, title).path.stem


def draft(folder: Path, **wishes: Any) -> drafting.Drafted:
    return drafter(folder).draft(drafting.Wishes(**wishes))


def headlines(done: drafting.Drafted) -> list[str]:
    return [entry.headline for entry in issue_files.read(done.path).entries]


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def rules(path: Path) -> Iterable[str]:
    return {finding.rule for finding in issue_files.problems(path)}


def test_a_draft_is_numbered_and_dated_and_cannot_go_out_unwritten(tmp_path: Path) -> None:
    name = clip(tmp_path, "Ferry line opens in June", FERRY, topics=("transport",))
    done = draft(tmp_path)
    issue = issue_files.read(done.path)
    assert (done.is_new, done.path.name, str(issue.number)) == (True, "vol-1-1.md", "1.1")
    assert (issue.date, issue.status) == (datetime.date(2026, 11, 27), issues.Status.DRAFT)
    (entry,) = issue.entries
    assert entry.headline == "TK Ferry line opens in June"
    assert (entry.id, entry.topics, entry.date) == (
        "ferry-line-opens-in-june",
        ("transport",),
        datetime.date(2026, 11, 18),
    )
    assert entry.clippings == (name,)
    assert [(one.url, one.title, one.publisher) for one in entry.sources] == [
        ("https://example.org/ferry-line-opens-in-june", "Ferry line opens in June", "Bay Courier")
    ]
    assert f"> {FERRY}" in entry.body
    assert rules(done.path) == {"unfinished"}
    assert "# Entries go by weight" in done.path.read_text()


def test_the_editor_s_own_headline_and_words_are_taken_as_they_are(tmp_path: Path) -> None:
    clip(
        tmp_path,
        "Ferry line opens in June",
        headline="One ferry for two ports",
        words="The offices **agreed**.",
    )
    done = draft(tmp_path)
    (entry,) = issue_files.read(done.path).entries
    assert (entry.headline, entry.body) == ("One ferry for two ports", "The offices **agreed**.")
    assert rules(done.path) == set()


def test_several_clippings_of_one_story_are_one_entry_with_several_sources(tmp_path: Path) -> None:
    clip(tmp_path, "Ferry line opens in June", FERRY)
    official = clip(tmp_path, "Ferry line to open in June", REPORT, kind=Kind.OFFICIAL)
    clip(tmp_path, "A lighthouse is lit again", "Its keeper lit it on the headland.")
    issue = issue_files.read(draft(tmp_path).path)
    assert [len(entry.sources) for entry in issue.entries] == [2, 1]
    assert issue.entries[0].clippings[0] == official


def test_the_order_is_weight_then_topics_then_the_newest(tmp_path: Path) -> None:
    clip(tmp_path, "Old news of the sea", topics=("sea",), published=datetime.date(2026, 11, 10))
    clip(tmp_path, "Fresh news of the sea wall", topics=("sea",))
    clip(tmp_path, "A train at night", topics=("transport",))
    clip(tmp_path, "What the editor wants first", weight=5)
    clip(tmp_path, "Nothing said of topics")
    done = draft(tmp_path, order=("transport", "sea"))
    assert [headline[3:] for headline in headlines(done)] == [
        "What the editor wants first",
        "A train at night",
        "Fresh news of the sea wall",
        "Old news of the sea",
        "Nothing said of topics",
    ]


def test_what_has_no_room_waits_and_topics_and_days_choose(tmp_path: Path) -> None:
    words = ("harbour", "lighthouse", "railway")
    for word in words:
        clip(tmp_path, f"{word.title()} story", topics=(word,))
    clip(tmp_path, "An old story", accessed=datetime.date(2026, 10, 1))
    done = draft(tmp_path, most=2, since=datetime.date(2026, 11, 1))
    assert (len(done.added), len(done.left)) == (2, 1)
    assert done.left[0] not in str(done.added)
    other = tmp_path / "other"
    for word in words:
        clip(other, f"{word.title()} story", topics=(word,))
    assert draft(other, topics=("railway",)).added == ["TK Railway story"]


def test_drafting_again_keeps_every_word_and_adds_what_is_new(tmp_path: Path) -> None:
    clip(tmp_path, "Ferry line opens in June", FERRY)
    done = draft(tmp_path)
    edit(done.path, "TK Ferry line opens in June", "One ferry for two ports")
    edit(done.path, "TK Raw material, to be told in our own words:", "Our own words.")
    edit(done.path, "status: draft", "status: draft  # mine\nsubject: A ferry")
    before = done.path.read_text()
    assert (draft(tmp_path).added, done.path.read_text()) == ([], before)
    clip(tmp_path, "A lighthouse is lit again", "Its keeper lit it on the headland.")
    again = draft(tmp_path)
    assert (again.is_new, again.added) == (False, ["TK A lighthouse is lit again"])
    assert done.path.read_text().startswith(before.rstrip("\n"))
    assert headlines(again) == ["One ferry for two ports", "TK A lighthouse is lit again"]


def test_a_new_report_of_a_story_that_is_written_joins_its_sources(tmp_path: Path) -> None:
    clip(tmp_path, "Ferry line opens in June", FERRY)
    done = draft(tmp_path)
    edit(done.path, "TK Raw material, to be told in our own words:", "Our own words.")
    name = clip(tmp_path, "Ferry line to open in June", REPORT)
    again = draft(tmp_path)
    assert (again.added, again.joined) == ([], {name: "ferry-line-opens-in-june"})
    (entry,) = issue_files.read(done.path).entries
    assert len(entry.sources) == len(entry.clippings) == 2
    assert entry.body.startswith("Our own words.")
    assert draft(tmp_path).joined == {}


def test_the_entries_of_an_untouched_new_issue_make_room(tmp_path: Path) -> None:
    room = newsroom.Newsroom(folder=tmp_path, rule=RULE, today=TODAY)
    path = room.begin().path
    clip(tmp_path, "Ferry line opens in June", FERRY)
    done = draft(tmp_path)
    assert (done.path, done.is_new, headlines(done)) == (path, False, ["TK Ferry line opens in June"])


def test_a_clipping_in_another_issue_is_not_drafted_and_comes_back_with_its_entry_deleted(
    tmp_path: Path,
) -> None:
    name = clip(tmp_path, "Ferry line opens in June", FERRY)
    done = draft(tmp_path)
    inbox.Inbox(tmp_path / "inbox").mark(done.number, [name])
    edit(done.path, "status: draft", "status: ready")
    with pytest.raises(errors.WorkspaceError, match="no unused clipping"):
        draft(tmp_path, since=datetime.date(2026, 11, 1))
    head = done.path.read_text().partition("## ")[0]
    done.path.write_text(f"{head}## Another story\n\nWritten.\n")
    again = draft(tmp_path, since=datetime.date(2026, 11, 1))
    assert (str(again.number), again.added) == ("1.2", ["TK Ferry line opens in June"])


def test_an_issue_that_somebody_approved_is_left_and_the_next_one_begun(tmp_path: Path) -> None:
    clip(tmp_path, "Ferry line opens in June", FERRY)
    done = draft(tmp_path)
    moment = datetime.datetime(2026, 11, 20, tzinfo=datetime.UTC)
    approval.approve(tmp_path, approval.Approval(number=done.number, digest="a", by="Mina Ode", at=moment))
    before = done.path.read_bytes()
    clip(tmp_path, "A lighthouse is lit again", "Its keeper lit it on the headland.")
    again = draft(tmp_path, since=datetime.date(2026, 11, 1))
    assert (str(again.number), again.added) == ("1.2", ["TK A lighthouse is lit again"])
    assert done.path.read_bytes() == before


def test_an_old_issue_that_was_never_finished_is_not_the_next_draft(tmp_path: Path) -> None:
    (tmp_path / "vol-1-9.md").write_text(
        "---\nvolume: 1\nnumber: 9\ndate: 2022-05-20\nclosing: Ours.\nstatus: draft\n---\n## A\n\nB\n"
    )
    clip(tmp_path, "Ferry line opens in June", FERRY)
    done = draft(tmp_path)
    assert (str(done.number), done.since) == ("1.10", datetime.date(2022, 5, 21))
    assert issue_files.read(done.path).closing == "Ours."


def test_a_clipping_edited_into_nonsense_costs_only_itself(tmp_path: Path) -> None:
    name = clip(tmp_path, "Ferry line opens in June", FERRY)
    clip(tmp_path, "A lighthouse is lit again")
    edit(tmp_path / "inbox" / f"{name}.md", "kind: press", "kind: [press")
    done = draft(tmp_path)
    assert done.added == ["TK A lighthouse is lit again"]
    assert f"{name}.md" in done.broken[0]


def test_a_source_without_address_is_left_for_the_editor_to_place(tmp_path: Path) -> None:
    clip(tmp_path, "A [bracketed] title", url="", file="a.txt")
    (entry,) = issue_files.read(draft(tmp_path).path).entries
    assert entry.sources == ()
    assert "TK address of the source: [A (bracketed) title](#)" in entry.body


def test_a_heading_in_the_editor_s_words_begins_no_entry(tmp_path: Path) -> None:
    name = clip(tmp_path, "Ferry line opens in June", FERRY)
    edit(tmp_path / "inbox" / f"{name}.md", "<!--", "Ours.\n\n## What it costs\n\n```\n## code\n```\n\n<!--")
    (entry,) = issue_files.read(draft(tmp_path).path).entries
    assert entry.body == "Ours.\n\n### What it costs\n\n```\n## code\n```"


def test_a_file_with_windows_line_ends_keeps_them(tmp_path: Path) -> None:
    begun = drafter(tmp_path).newsroom.begin().path
    begun.write_bytes(begun.read_bytes().replace(b"\n", b"\r\n"))
    clip(tmp_path, "Ferry line opens in June", FERRY)
    done = draft(tmp_path)
    assert headlines(done) == ["TK Ferry line opens in June"]
    clip(tmp_path, "Ferry line opens in June soon", FERRY, url="https://example.org/other")
    assert len(draft(tmp_path).joined) == 1
    content = begun.read_bytes()
    assert content.count(b"\n") == content.count(b"\r\n")


@pytest.mark.parametrize("written", ["clippings:\n  - {}", "clippings: [{}]", "clippings: '{}'"])
def test_a_further_source_joins_whatever_way_clippings_are_listed(tmp_path: Path, written: str) -> None:
    name = clip(tmp_path, "Ferry line opens in June", FERRY)
    done = draft(tmp_path)
    edit(done.path, f"clippings: {name}", written.format(name))
    other = clip(tmp_path, "Ferry line opens in June soon", FERRY, url="https://example.org/other")
    assert draft(tmp_path).joined == {other: "ferry-line-opens-in-june"}
    (entry,) = issue_files.read(done.path).entries
    assert (set(entry.clippings), len(entry.sources)) == ({name, other}, 2)
    assert draft(tmp_path).joined == {}


def test_one_clipping_without_a_text_is_told_of_in_the_singular(tmp_path: Path) -> None:
    made = clippings.Clipping(title="A note on tides", accessed=datetime.date(2026, 11, 19))
    inbox.Inbox(tmp_path / "inbox").save(made, "note")
    written = draft(tmp_path).path.read_text(encoding="utf-8")
    assert "from clippings until 2026-11-20: 1 clipping, 1 story." in written
    assert "in our own words" not in written


def test_an_empty_inbox_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(errors.WorkspaceError, match="no unused clipping until 2026") as caught:
        draft(tmp_path)
    assert "newsletter inbox clip" in caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_a_draft_that_cannot_be_read_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "vol-1-1.md"
    path.write_text("---\nvolume: 1\nnumber: 1\ndate: 2026-11-27\ntitel: X\n---\n## A\n\nB\n")
    before = path.read_bytes()
    clip(tmp_path, "Ferry line opens in June", FERRY)
    with pytest.raises(errors.IssueError, match="titel"):
        draft(tmp_path)
    assert path.read_bytes() == before


def test_entries_of_one_name_get_two_ids(tmp_path: Path) -> None:
    day = datetime.date(2026, 11, 19)
    clip(
        tmp_path,
        "Weekly notes",
        "The mayor opened a school by the river.",
        published=datetime.date(2026, 9, 1),
    )
    clip(
        tmp_path, "Weekly notes", "A train came late to the coast.", url="https://example.org/2", accessed=day
    )
    issue = issue_files.read(draft(tmp_path).path)
    assert len({entry.id for entry in issue.entries}) == 2
    assert issue.number == numbering.IssueNumber(1, 1)


def test_a_source_joins_an_entry_that_had_none_and_one_without_address_only_its_name(tmp_path: Path) -> None:
    clip(tmp_path, "Ferry line opens in June", FERRY, url="", file="a.txt")
    path = draft(tmp_path).path
    clip(tmp_path, "Ferry line to open in June", REPORT)
    draft(tmp_path)
    (entry,) = issue_files.read(path).entries
    assert [one.title for one in entry.sources] == ["Ferry line to open in June"]
    clip(tmp_path, "Ferry line to open on 1 June", f"{REPORT} Again.", url="")
    draft(tmp_path)
    (entry,) = issue_files.read(path).entries
    assert (len(entry.sources), len(entry.clippings)) == (1, 3)
