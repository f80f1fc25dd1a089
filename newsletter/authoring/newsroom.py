"""The newsroom: what editors do with the folder of issues that needs the calendar and the clock."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from newsletter.authoring import almanac, back_issues, beginnings, issue_files, shelf
from newsletter.domain import errors, issues, numbering


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A new issue."""

    path: Path
    number: numbering.IssueNumber
    day: datetime.date


@dataclass(frozen=True, kw_only=True)
class Newsroom:
    """The editors of one publication, on one day."""

    #: The folder of the issue files.
    folder: Path
    rule: almanac.Almanac
    #: Today, where the publication is.
    today: datetime.date
    #: Whether each calendar year opens a new volume.
    yearly: bool = False

    def begin(self, number: numbering.IssueNumber | None = None, day: datetime.date | None = None) -> Begun:
        """Begin the next issue: next number and day, unless others are named; settings of the last one.

        Raises:
            WorkspaceError: the file is there already, or cannot be written.
        """
        day = day or self.next_day()
        number = number or self.next_number(day)
        path = beginnings.begin(self.folder, number, day, last=self.last())
        return Begun(path=path, number=number, day=day)

    def next_day(self) -> datetime.date:
        """Return the day on which the next issue comes out: of today or later, and after the last issue's."""
        last = self._last_listed()
        since = self.today
        if last and last.date and last.date >= since:
            since = last.date + datetime.timedelta(days=1)
        # Without a first day the rhythm goes on from the last issue; without either it begins today.
        start = last.date if last and last.date else self.today
        return next((day for day, _ in self.rule.counted_from(start).days(since)), self.today)

    def next_number(self, day: datetime.date) -> numbering.IssueNumber:
        """Return the number of the next issue, if it comes out on a day."""
        return shelf.following(self.folder, day=day, yearly=self.yearly)

    def calendar(self, *, until: datetime.date) -> list[almanac.IssueDay]:
        """Return the issues to come.

        Raises:
            NewsletterError: nothing says from which day to count, or a country of holidays is not known.
        """
        return almanac.upcoming(self.rule, self.folder, today=self.today, until=until, yearly=self.yearly)

    def take_in(
        self, source: Path, number: numbering.IssueNumber | None = None, day: datetime.date | None = None
    ) -> list[back_issues.Imported | back_issues.Missed]:
        """Read what was written elsewhere into issue files.

        Raises:
            IssueError: it cannot be read.
            WorkspaceError: there is an issue of that number already.
        """
        wishes = back_issues.Wishes(
            number=number, date=day, next_number=shelf.following(self.folder), today=self.today
        )
        return back_issues.take_in(source, self.folder, wishes)

    def _last_listed(self) -> shelf.Listing | None:
        numbered = [one for one in shelf.listing(self.folder) if one.number and not one.is_edition]
        return numbered[-1] if numbered else None

    def last(self) -> issues.Issue | None:
        """Return the newest issue, as far as it can be read."""
        listed = self._last_listed()
        try:
            return issue_files.read(listed.path) if listed else None
        except errors.IssueError:
            return None
