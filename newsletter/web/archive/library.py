"""What is public: the issues that went out, read from their files and looked at again when those change."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from newsletter import ports
from newsletter.authoring import shelf
from newsletter.domain import deliveries, errors, issues, numbering
from newsletter.web.archive import answers, editions

_log = logging.getLogger(__name__)
#: How long a look at the folder and the ledger is good for.
_FRESH = timedelta(seconds=1)
_Stamp = tuple[int, int]


@dataclass(frozen=True)
class Holdings:
    """What was public at one look, and the pages that were made of it."""

    #: Newest first.
    issues: tuple[editions.Published, ...] = ()
    by_name: Mapping[str, editions.Edition] = field(default_factory=dict)
    #: Pages that were asked for since the look; they go with it.
    pages: dict[tuple[str, str], answers.Answer] = field(default_factory=dict)

    @property
    def modified_at(self) -> datetime | None:
        """When the newest of it was written or sent."""
        return max((each.modified_at for each in self.by_name.values()), default=None)

    def neighbours(
        self, number: numbering.IssueNumber
    ) -> tuple[editions.Published | None, editions.Published | None]:
        """Return the issues after and before a number."""
        newer = [each for each in self.issues if each.original.number > number]
        older = [each for each in self.issues if each.original.number < number]
        return (newer[-1] if newer else None), (older[0] if older else None)

    def of(self, number: numbering.IssueNumber) -> editions.Published:
        """Return the issue of a number that is public."""
        return next(each for each in self.issues if each.original.number == number)


@dataclass(frozen=True, kw_only=True)
class _File:
    """An issue file as it was last read."""

    stamp: _Stamp
    listing: shelf.Listing
    #: None: it is broken.
    issue: issues.Issue | None


class Library:
    """Keeps the holdings."""

    def __init__(
        self,
        ledger: ports.Ledger,
        folder: Path,
        read: Callable[[Path], issues.Issue],
        clock: ports.Clock,
    ) -> None:
        self._ledger = ledger
        self._folder = folder
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._files: dict[Path, _File] = {}
        self._frozen: dict[int, tuple[editions.Edition, ...]] = {}
        self._seen: object = None
        #: Whether every issue could be shown at the last look; if not, the next one tries again.
        self._is_whole = True
        self._looked_at: datetime | None = None
        self._holdings = Holdings()

    def fresh(self) -> Holdings | None:
        """Return the holdings if they were looked at just now."""
        looked = self._looked_at
        return self._holdings if looked and abs(self._clock() - looked) < _FRESH else None

    def look(self) -> Holdings:
        """Return the holdings, after a look at what changed; while the ledger does not answer, as they were.

        Raises:
            StoreError: the ledger does not answer, and never did.
        """
        with self._lock:
            found = self.fresh()
            return found if found is not None else self._look()

    def as_sent(self, edition: editions.Edition) -> editions.Edition | None:
        """Return an edition as its mailing froze it, under its own address."""
        mailing = self._ledger.mailing(edition.number)
        found = self._as_sent(mailing, edition.sent_at) if mailing else ()
        same = next((each for each in found if each.language == edition.language), None)
        return same and dataclasses.replace(same, is_original=edition.is_original)

    def _look(self) -> Holdings:
        try:
            mailings = self._mailings()
            stamps = dict(self._stamps())
            seen = (tuple((each.id, each.number, each.first_sent_at) for each in mailings), stamps)
            if seen != self._seen:
                self._is_whole = True
                self._holdings = _held(self._published(mailings, stamps))
                self._seen = seen if self._is_whole else None
        except errors.StoreError as error:
            if self._looked_at is None:
                raise
            _log.warning("the archive stays as it was: %s", error, extra={"action": "archive"})
        self._looked_at = self._clock()
        return self._holdings

    def _mailings(self) -> Sequence[deliveries.Mailing]:
        """Return the newest mailing of every issue that went out, newest issue first."""
        newest: dict[numbering.IssueNumber, deliveries.Mailing] = {}
        for mailing in self._ledger.mailings():
            if mailing.is_public:
                newest.setdefault(mailing.number, mailing)
        return [newest[number] for number in sorted(newest, reverse=True)]

    def _stamps(self) -> Iterator[tuple[Path, _Stamp]]:
        for path in sorted(self._folder.glob("*.md")):
            try:
                found = path.stat()
            except OSError:
                continue
            yield path, (found.st_mtime_ns, found.st_size)

    def _published(
        self, mailings: Sequence[deliveries.Mailing], stamps: Mapping[Path, _Stamp]
    ) -> Iterator[editions.Published]:
        out = {mailing.number for mailing in mailings}
        self._files = {path: self._file(path, stamp, out) for path, stamp in stamps.items()}
        for mailing in mailings:
            files = [each for each in self._files.values() if each.listing.number == mailing.number]
            found = self._editions(mailing, sorted(files, key=lambda each: each.listing.is_edition))
            if found:
                yield editions.Published(editions=found)

    def _file(self, path: Path, stamp: _Stamp, out: set[numbering.IssueNumber]) -> _File:
        """Return a file as it is; of an issue that is not public only the head is looked at."""
        known = self._files.get(path)
        if known and known.stamp == stamp and (known.issue or known.listing.number not in out):
            return known
        listing = shelf.peek(path)
        issue = None
        if listing.number in out:
            try:
                issue = self._read(path)
            except (errors.NewsletterError, OSError) as error:
                _log.warning("%s is shown as it was sent: %s", path, error, extra={"action": "archive"})
        return _File(stamp=stamp, listing=listing, issue=issue)

    def _editions(self, mailing: deliveries.Mailing, files: Sequence[_File]) -> tuple[editions.Edition, ...]:
        """Return the editions of an issue by their files; as they were sent, as far as these are gone."""
        # Done without a message that anybody took, it has only the time that it was meant for.
        sent_at = mailing.first_sent_at or mailing.due_at or mailing.created_at
        found: dict[str, editions.Edition] = {}
        for file in files:
            if file.issue and file.issue.language not in found:
                found[file.issue.language] = editions.of_issue(
                    file.issue,
                    sent_at=sent_at,
                    modified_at=max(sent_at, datetime.fromtimestamp(file.stamp[0] // 10**9, UTC)),
                    is_original=not file.listing.is_edition,
                )
        if not any(each.is_original for each in found.values()) or not all(file.issue for file in files):
            frozen = self._as_sent(mailing, sent_at)
            found = {**{each.language: each for each in frozen}, **found}
        return tuple(sorted(found.values(), key=lambda each: not each.is_original))

    def _as_sent(self, mailing: deliveries.Mailing, sent_at: datetime) -> tuple[editions.Edition, ...]:
        if mailing.id not in self._frozen:
            try:
                templates = self._ledger.template(mailing.id)
            except errors.NewsletterError as error:
                _log.warning("issue %s cannot be shown: %s", mailing.number, error)
                self._is_whole = False
                return ()
            self._frozen[mailing.id] = tuple(
                editions.of_template(template, sent_at=sent_at, is_original=not place)
                for place, template in enumerate(templates.values())
            )
        return self._frozen[mailing.id]


def _held(published: Iterator[editions.Published]) -> Holdings:
    found = tuple(published)
    return Holdings(issues=found, by_name={each.name: each for issue in found for each in issue.editions})
