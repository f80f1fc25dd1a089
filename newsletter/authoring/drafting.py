"""Draft an issue from a fortnight's clippings: one entry a story, raw material marked as such."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.authoring import (
    approval,
    beginnings,
    clippings,
    entry_text,
    front_matter,
    inbox,
    issue_files,
    saving,
    shelf,
    stories,
)
from newsletter.authoring.newsroom import Newsroom
from newsletter.domain import errors, issues, numbering

#: A draft this late is still being written; an older one was given up, or came from elsewhere.
_LATE = datetime.timedelta(days=13)


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What is to be drafted."""

    #: First and last day on which a clipping was taken; by default since the issue before, until today.
    since: datetime.date | None = None
    until: datetime.date | None = None
    #: Only these; none: all.
    topics: tuple[str, ...] = ()
    #: The order in which topics go.
    order: tuple[str, ...] = ()
    #: Entries that the issue may have in the end.
    most: int = 6


@dataclass(kw_only=True)
class Drafted:
    """What a draft came to."""

    path: Path
    number: numbering.IssueNumber
    day: datetime.date
    is_new: bool
    since: datetime.date | None
    until: datetime.date
    #: Headlines of entries that were added.
    added: list[str] = field(default_factory=list)
    #: Clipping → id of the entry there was already.
    joined: dict[str, str] = field(default_factory=dict)
    #: Titles of stories that had no room.
    left: list[str] = field(default_factory=list)
    #: Clippings that cannot be read, and why.
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Drafter:
    """Drafts issues of one newsroom from one inbox."""

    newsroom: Newsroom
    clipped: inbox.Inbox

    def draft(self, wishes: Wishes) -> Drafted:
        """Draft the next issue, or add what is new to the one there is; an editor's words are never touched.

        Raises:
            IssueError: the draft there is cannot be read.
            WorkspaceError: there is nothing to draft from, or the file cannot be written.
        """
        shelved = shelf.listing(self.newsroom.folder)
        target = self._target(shelved)
        issue = issue_files.read(target.path) if target else None
        done = self._begun(target, wishes, shelved)
        used = inbox.in_issues(shelved)
        fresh = self._fresh(done, wishes, used, shelved)
        mine = {name: self._slip(name) for name, number in used.items() if number == done.number}
        told = stories.group([*fresh, *(slip for slip in mine.values() if slip)])
        new = [story for story in told if not any(slip.name in mine for slip in story.slips)]
        if not fresh and issue is None:
            raise errors.WorkspaceError(
                f"there is no unused clipping {_period(done)}",
                hint="newsletter inbox clip saves one; --from and --to choose another period",
            )
        text = self._text(done, issue, told, mine)
        have = 0 if issue is None or _is_untouched(text) else len(issue.entries)
        chosen, done.left = self._chosen(new, wishes, room=wishes.most - have)
        entries = [self._entry(story, done) for story in chosen]
        self._write(done, text, [one for one in entries if one], told)
        return done

    def listed(self, *, since: datetime.date | None = None) -> list[tuple[inbox.Slip, str]]:
        """Return what lies in the inbox, each with the issue that uses it or an empty text."""
        used = inbox.in_issues(shelf.listing(self.newsroom.folder))
        return [(slip, str(used.get(slip.name, ""))) for slip in self.clipped.slips(since=since)]

    def _target(self, shelved: Sequence[shelf.Listing]) -> shelf.Listing | None:
        """Return the draft that is being written: the newest issue, unless it is finished, or long past."""
        numbered = [one for one in shelved if one.number and not one.is_edition]
        if not numbered or numbered[-1].status != issues.Status.DRAFT:
            return None
        last = numbered[-1]
        if any(one.number == last.number for one in approval.read(self.newsroom.folder)):
            return None
        return last if last.date is None or last.date >= self.newsroom.today - _LATE else None

    def _begun(
        self, target: shelf.Listing | None, wishes: Wishes, shelved: Sequence[shelf.Listing]
    ) -> Drafted:
        day = target.date if target and target.date else self.newsroom.next_day()
        number = target.number if target and target.number else self.newsroom.next_number(day)
        before = [one.date for one in shelved if one.number and one.number < number and one.date]
        since = wishes.since or (before[-1] + datetime.timedelta(days=1) if before else None)
        if not wishes.since and since and since > self.newsroom.today:
            since = None
        path = target.path if target else self.newsroom.folder / f"{number.slug}.md"
        until = wishes.until or self.newsroom.today
        return Drafted(path=path, number=number, day=day, is_new=target is None, since=since, until=until)

    def _fresh(
        self,
        done: Drafted,
        wishes: Wishes,
        used: Mapping[str, numbering.IssueNumber],
        shelved: Sequence[shelf.Listing],
    ) -> list[inbox.Slip]:
        """Return the clippings of the period that no issue uses; a deleted entry has freed its own."""
        numbers = {str(one.number) for one in shelved}
        wanted = set(wishes.topics)
        return [
            slip
            for slip in self.clipped.slips(since=done.since, until=done.until)
            if slip.name not in used
            and (not slip.used or slip.used in numbers)
            and (not wanted or wanted & set(slip.topics))
        ]

    def _slip(self, name: str) -> inbox.Slip | None:
        path = self.clipped.folder / f"{name}.md"
        return inbox.peek(path) if path.is_file() else None

    @staticmethod
    def _chosen(
        new: Sequence[stories.Story], wishes: Wishes, *, room: int
    ) -> tuple[list[stories.Story], list[str]]:
        ordered = stories.order(new, wishes.order)
        kept = max(0, room)
        return ordered[:kept], [story.lead.title for story in ordered[kept:]]

    def _entry(self, story: stories.Story, done: Drafted) -> str:
        sources: list[clippings.Clipping] = []
        for slip in story.slips:
            try:
                sources.append(clippings.read(slip.path))
            except errors.IssueError as error:
                done.broken.append(str(error).splitlines()[0])
        if not sources:
            return ""
        entry = entry_text.of(sources)
        done.added.append(entry.headline)
        return entry.text

    def _text(
        self,
        done: Drafted,
        issue: issues.Issue | None,
        told: Sequence[stories.Story],
        mine: Mapping[str, inbox.Slip | None],
    ) -> str:
        """Return the file as it will be before new entries: as it is, with new sources in entries it has."""
        if issue is None:
            return ""
        text = done.path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
        for story in told:
            known = [slip.name for slip in story.slips if slip.name in mine]
            for slip in story.slips:
                entry = next((one for one in issue.entries if known and known[0] in one.clippings), None)
                if entry is None or slip.name in mine:
                    continue
                try:
                    text = entry_text.with_source(text, entry, clippings.read(slip.path))
                except errors.IssueError as error:
                    done.broken.append(str(error).splitlines()[0])
                    continue
                done.joined[slip.name] = entry.id
        return text

    def _write(self, done: Drafted, text: str, entries: list[str], told: Sequence[stories.Story]) -> None:
        explained = _explained(done, self.newsroom.today, told)
        if done.is_new:
            head = beginnings.head(done.number, done.day, last=self.newsroom.last())
            saving.save_new(done.path, f"---\n{head}{explained}---\n\n" + _with_own_ids("", entries))
            return
        if not entries and not done.joined:
            return
        if _is_untouched(text):
            text = text[: text.index(beginnings.ENTRIES.strip())]
        added = _with_own_ids(text, entries)
        whole = text.rstrip("\n") + "\n" + (f"\n{added}" if added else "")
        is_crlf = b"\r\n" in done.path.read_bytes()
        saving.save(done.path, whole.replace("\n", "\r\n") if is_crlf else whole)


def _with_own_ids(text: str, entries: Sequence[str]) -> str:
    """Return entries, each with an id that neither the text nor another of them has."""
    taken = {match[1] for match in re.finditer(r"^id:[ \t]*(\S+)", text, re.MULTILINE)}
    return "\n".join(entry_text.renamed(one, taken) for one in entries)


def _is_untouched(text: str) -> bool:
    """Whether the body is still the one that a new issue begins with."""
    parts = front_matter.split(text)
    return parts is not None and parts[1].strip() == beginnings.ENTRIES.strip()


def _explained(done: Drafted, today: datetime.date, told: Sequence[stories.Story]) -> str:
    count = sum(len(story.slips) for story in told)
    drawn = f"{count} clipping{'s' * (count != 1)}, {len(told)} {'story' if len(told) == 1 else 'stories'}"
    return (
        f"# Drafted on {today} from clippings {_period(done)}: {drawn}.\n"
        "# Entries go by weight (the editor's, then the number of reports, official ones double),\n"
        "# then in the order of topics, then newest first.\n"
    )


def _period(done: Drafted) -> str:
    return f"of {done.since} to {done.until}" if done.since else f"until {done.until}"
