"""Take in what the world reports: keep it first, then apply it once, and stop a mailing that goes wrong."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from newsletter import ports
from newsletter.domain import errors, events, feedback
from newsletter.domain.deliveries import MailingStatus

_log = logging.getLogger(__name__)
#: Reads the events out of a report's body.
Read = Callable[[feedback.Report], Sequence[events.Event]]
_PAGE = 200
_RUNNING = frozenset({MailingStatus.SENDING, MailingStatus.SCHEDULED})


class Book(Protocol):
    """Reports as they came, and the events that were read in them."""

    def keep(self, reports: Sequence[tuple[str, bytes]], *, now: datetime) -> None:
        """Write (provider, body) pairs in one transaction, before anything is made of them."""
        ...

    def waiting(self, *, limit: int) -> Sequence[feedback.Report]:
        """Return reports of which nothing was made yet, oldest first."""
        ...

    def since(self, at: datetime) -> Iterator[feedback.Report]:
        """Yield every report that came at or after a time, oldest first."""
        ...

    def apply(
        self,
        readings: Sequence[feedback.Reading],
        decide: Callable[[events.Event, feedback.Standing], feedback.Decision],
        *,
        now: datetime,
        again: bool = False,
    ) -> feedback.Applied:
        """Record events and what follows from them, in one transaction; a known event changes nothing.

        With ``again`` known events are decided anew, as after a mended rule. A problem is noted beside its
        report.
        """
        ...

    def figures(self, mailing: int) -> feedback.Figures:
        """Count how a mailing fares."""
        ...

    def tally(self) -> Mapping[tuple[str, str], int]:
        """Count events by provider and kind."""
        ...


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a run over reports came to."""

    reports: int = 0
    new: int = 0
    known: int = 0
    #: Events that name no delivery of ours.
    foreign: int = 0
    #: Reports of which nothing could be made.
    problems: int = 0
    #: Mailings that were paused, and why.
    paused: Mapping[int, str] = field(default_factory=dict)


class Desk:
    """Applies reports to deliveries, subscribers and mailings."""

    def __init__(
        self, book: Book, ledger: ports.Ledger, read: Read, *, policy: feedback.Policy, clock: ports.Clock
    ) -> None:
        self._book = book
        self._ledger = ledger
        self._read = read
        self._policy = policy
        self._clock = clock

    def keep(self, reports: Sequence[tuple[str, bytes]]) -> None:
        """Write reports down before anything is made of them."""
        self._book.keep(reports, now=self._clock())

    def work_off(self) -> Account:
        """Apply every report that waits."""
        total = Account()
        while page := self._book.waiting(limit=_PAGE):
            total = _sum(total, self._apply(page, again=False))
        return total

    def replay(self, since: datetime) -> Account:
        """Apply reports again that came since a time, as after a mended rule."""
        return self._apply(self._book.since(since), again=True)

    def _apply(self, reports: Iterable[feedback.Report], *, again: bool) -> Account:
        total, mailings = Account(), set[int]()
        rest = iter(reports)
        while page := list(itertools.islice(rest, _PAGE)):
            readings = [self._reading(report) for report in page]
            applied = self._book.apply(readings, self._decide, now=self._clock(), again=again)
            mailings |= applied.mailings
            account = Account(
                reports=len(page),
                new=applied.new,
                known=applied.known,
                foreign=applied.foreign,
                problems=sum(bool(reading.problem) for reading in readings),
            )
            total = _sum(total, account)
        return _sum(total, Account(paused=self._stop(mailings)))

    def _reading(self, report: feedback.Report) -> feedback.Reading:
        try:
            return feedback.Reading(report=report, events=self._read(report))
        except errors.NewsletterError as error:
            return feedback.Reading(report=report, problem=str(error))
        except Exception as error:
            # Strangers write these: one that trips a reader must not hold up the rest.
            _log.exception("report %s of %s cannot be read", report.id, report.provider)
            return feedback.Reading(report=report, problem=f"cannot be read: {type(error).__name__}: {error}")

    def _decide(self, event: events.Event, standing: feedback.Standing) -> feedback.Decision:
        return feedback.decide(event, standing, self._policy)

    def _stop(self, mailings: Iterable[int]) -> dict[int, str]:
        """Pause the running mailings that go wrong."""
        paused = {}
        for number in sorted(mailings):
            reason = feedback.breaker(self._book.figures(number), self._policy)
            if reason and self._ledger.get(number).status in _RUNNING:
                self._ledger.set_status(number, MailingStatus.PAUSED, reason=reason, now=self._clock())
                paused[number] = reason
        return paused


def _sum(one: Account, other: Account) -> Account:
    return Account(
        reports=one.reports + other.reports,
        new=one.new + other.new,
        known=one.known + other.known,
        foreign=one.foreign + other.foreign,
        problems=one.problems + other.problems,
        paused={**one.paused, **other.paused},
    )
