"""What may be asked of the ledger: one row per mailing and subscriber."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from newsletter.domain import deliveries, messages, numbering

#: Seconds after which a sender that gave no sign of life is taken for dead.
LEASE = timedelta(minutes=5)


class Ledger(Protocol):
    """One row per mailing and subscriber, written before and after every hand-over."""

    # Planning

    def preview(
        self, audience: Audience, *, now: datetime, missing: numbering.IssueNumber | None = None
    ) -> tuple[int, Mapping[str, int]]:
        """Count who would be included, and for each reason who would be left out.

        With ``missing``, who has that issue already is left out too.

        Raises:
            MailingError: the audience's rule cannot be understood.
        """
        ...

    def plan(self, draft: MailingDraft) -> deliveries.Mailing:
        """Freeze template and audience into a mailing with one planned delivery each, in one transaction.

        Raises:
            MailingError: the audience is empty, or the issue has a mailing already.
        """
        ...

    def begin(self, mailing: int, *, now: datetime, resume: bool = True) -> deliveries.Mailing:
        """Open a mailing for sending; one that was scheduled freezes its audience anew.

        So does one that was stopped before it began.

        Without ``resume`` one that a person stopped is returned as it stands: who joins in late is no
        person who says go on.

        Raises:
            MailingError: it is over already.
        """
        ...

    # Sending

    def turn(
        self, mailing: int, lease: Lease, outcomes: Sequence[deliveries.Outcome], *, limit: int, now: datetime
    ) -> deliveries.Turn:
        """Settle and claim in one transaction: one turn of the group commit.

        The outcomes are recorded, with the suppressions that follow. Then, where the mailing is
        being sent, up to ``limit`` due deliveries become this sender's, and it is committed that
        they may be in the air from now on. Recipients who left or were suppressed since the plan
        become skipped instead. No two senders are ever given the same delivery.
        """
        ...

    def senders(self, mailing: int) -> Sequence[Lease]:
        """Return the leases on a mailing, those of dead senders too."""
        ...

    def leave(self, mailing: int, owner: str) -> None:
        """Give a sender's lease back: it is done with the mailing, and nothing of it is in the air."""
        ...

    def recover(
        self,
        mailing: int,
        *,
        dead: Callable[[str], bool],
        after_crash: deliveries.AfterCrash,
        now: datetime,
    ) -> int:
        """Move deliveries whose sender is gone (lease over, or owner dead) to unknown, or plan them anew.

        Returns how many there were.
        """
        ...

    # What all senders by one provider share

    def book(self, provider: str, *, count: int, rate: float, now: datetime) -> float:
        """Take the next free places of a provider's rate, so many at so many a second.

        Return the seconds until the first of them; less than 0 where it has gone by. Nobody else is
        given these places. Several machines go by the database's clock, and ``now`` counts for less.
        """
        ...

    def draw(self, provider: str, day: date, *, count: int, cap: int, used: int) -> int:
        """Take up to so many messages of a day's cap; return how many there were.

        ``used`` is what the day has seen already, should nobody have drawn so much.
        """
        ...

    def give_back(self, provider: str, day: date, *, count: int) -> None:
        """Give back messages of a day that were drawn and not sent."""
        ...

    # A person's decisions

    def set_status(
        self, mailing: int, status: deliveries.MailingStatus, *, reason: str = "", now: datetime
    ) -> deliveries.Mailing:
        """Pause, hold, cancel or finish a mailing, or have it wait for its time again.

        Raises:
            MailingError: it is over already.
        """
        ...

    def finish(self, mailing: int, *, now: datetime) -> deliveries.Mailing:
        """Call a mailing that is being sent done, unless something in it is open; return how it stands."""
        ...

    def retry(self, mailing: int, states: Sequence[deliveries.State], *, now: datetime) -> int:
        """Plan deliveries of the given states anew, and open the mailing again; return how many.

        Raises:
            MailingError: deliveries of such a state cannot be planned again.
        """
        ...

    def resolve_unknown(self, mailing: int, state: deliveries.State, *, now: datetime) -> int:
        """Move every unknown delivery to planned or sent; return how many."""
        ...

    def mark_unsubscribed(self, mailing: int, subscriber: int, *, now: datetime) -> None:
        """Note beside a delivery that its recipient left by it."""
        ...

    # Accounts

    def mailing(self, number: numbering.IssueNumber) -> deliveries.Mailing | None:
        """Return the newest mailing of an issue that was not cancelled, or None."""
        ...

    def get(self, mailing: int) -> deliveries.Mailing:
        """Return the mailing with this id.

        Raises:
            MailingError: there is none.
        """
        ...

    def mailings(self) -> Sequence[deliveries.Mailing]:
        """Return every mailing, newest first."""
        ...

    def due(self, now: datetime) -> Sequence[deliveries.Mailing]:
        """Return mailings whose time has come, that have due deliveries left, or that nobody called done."""
        ...

    def handed_over(self, provider: str, *, since: datetime) -> tuple[int, datetime | None]:
        """Count messages handed to a provider since a time, and say when the first ever was."""
        ...

    def template(self, mailing: int) -> Mapping[str, messages.MessageTemplate]:
        """Return the frozen message templates of a mailing by language; the first is the default."""
        ...

    def tally(self, mailing: int) -> deliveries.Tally:
        """Count the deliveries of a mailing by state."""
        ...

    def subscribers(self, mailing: int) -> int:
        """Count the different subscribers that the deliveries of a mailing are for."""
        ...

    def domains(self, mailing: int) -> Sequence[tuple[str, deliveries.State, int]]:
        """Count deliveries by the recipient's domain and state, biggest first."""
        ...

    def errors(self, mailing: int) -> Sequence[tuple[str, int]]:
        """Return replies of refusals and how often each came, most frequent first."""
        ...

    def deliveries(
        self, mailing: int, *, states: Sequence[deliveries.State] = (), domain: str = "", email: str = ""
    ) -> Iterator[deliveries.Delivery]:
        """Yield deliveries of a mailing, streamed, by id."""
        ...


@dataclass(frozen=True, kw_only=True)
class Lease:
    """Who claims, and until when the claim holds without a sign of life."""

    #: ``host/machine:pid:start``: enough to see on the same machine that the owner is dead.
    owner: str
    until: datetime


@dataclass(frozen=True, kw_only=True)
class Audience:
    """Which subscribers a mailing is for."""

    name: str = "everyone"
    #: A filter in the audience language; empty: every active subscriber.
    rule: str = ""
    exclude: str = ""


@dataclass(frozen=True, kw_only=True)
class MailingDraft:
    """Everything a mailing freezes."""

    templates: Mapping[str, messages.MessageTemplate]
    audience: Audience
    provider: str
    now: datetime
    rate: float = 0
    due_at: datetime | None = None
    content_hash: str = ""
    #: Only subscribers that no earlier mailing of the issue reached.
    only_missing: bool = False
