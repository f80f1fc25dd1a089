"""The seams: what the floors above the port may ask of a provider, a ledger, a directory, a queue, a clock.

Protocols and nothing else. Every implementation passes the suite of its port in ``tests/contract``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from newsletter.domain import audiences, deliveries, intake, messages, numbering, rolls, subscribers

#: The time now, with a zone.
Clock = Callable[[], datetime]


# -- providers ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a provider can carry, declared before anything is planned."""

    #: Whether it takes `Message.raw`; otherwise `Message.parts` is filled.
    raw: bool = True
    #: Whether `Message.parts` is wanted although it takes `Message.raw`.
    parts: bool = False
    #: Bytes of one message; 0: not known.
    max_bytes: int = 0
    #: Messages that it may hold at once without having answered.
    in_flight: int = 1
    #: Messages of one call; with more than one the window grows to `in_flight`, so that calls are full.
    batch: int = 1
    #: Whether addresses outside ASCII can be mailed (RFC 6531).
    utf8_addresses: bool = False
    #: Headers, in lower case, that it does not set as we ask.
    refuses: frozenset[str] = frozenset()
    #: Whether a repeated hand-over of the same message is recognised and not sent twice.
    idempotent: bool = False


class Feed(Protocol):
    """What a provider draws messages from, and gives receipts to.

    ``take`` and ``give`` never block and cost no turn of the event loop: a provider calls them
    from its transport's callbacks.
    """

    def take(self) -> messages.Message | None:
        """Return the next message to hand over, or None when none may go now."""
        ...

    def give(self, receipt: deliveries.Receipt) -> None:
        """Take the answer for one message. Exactly one receipt belongs to every message taken."""
        ...

    def put_back(self, message: messages.Message) -> None:
        """Take back a message that nobody can have taken: it was not handed over, or not to its end."""
        ...

    async def ready(self) -> bool:
        """Wait until `take` may return a message; False when there will be no more."""
        ...


class Provider(Protocol):
    """SMTP or an email API: hands messages over and answers for each."""

    @property
    def limits(self) -> Limits:
        """What it can carry; after `probe` the server's own word."""
        ...

    async def probe(self) -> str:
        """Connect, authenticate and leave again; return what it said of itself.

        Raises:
            ProviderError: it cannot be reached, or refuses us.
        """
        ...

    async def send(self, feed: Feed) -> None:
        """Draw messages from the feed until it is dry, and give a receipt for each one taken.

        Raises:
            ProviderError: nothing can be handed over; every message taken has its receipt all the same.
        """
        ...


# -- the ledger --------------------------------------------------------------------------------


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

    def begin(self, mailing: int, *, now: datetime) -> deliveries.Mailing:
        """Open a mailing for sending; a scheduled one freezes its audience anew.

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

    # A person's decisions

    def set_status(
        self, mailing: int, status: deliveries.MailingStatus, *, reason: str = "", now: datetime
    ) -> deliveries.Mailing:
        """Pause, resume, hold, cancel or finish a mailing.

        Raises:
            MailingError: it is over already.
        """
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
        """Return mailings whose time has come, or that have due deliveries left."""
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

    #: ``host:pid:start``: enough to see on the same machine that the owner is dead.
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


# -- the directory -----------------------------------------------------------------------------


class Directory(Protocol):
    """Subscribers, their consent records and the suppressions."""

    def add(
        self, subscriber: subscribers.Subscriber, record: subscribers.ConsentRecord
    ) -> subscribers.Subscriber:
        """Write a new subscriber with the record that explains it.

        Raises:
            AddressError: the address is on the list already.
        """
        ...

    def find(self, email: str) -> subscribers.Subscriber | None:
        """Return the subscriber with this address, whatever its case, or None."""
        ...

    def get(self, subscriber: int) -> subscribers.Subscriber | None:
        """Return the subscriber with this id, or None."""
        ...

    def apply(self, move: subscribers.Move) -> bool:
        """Set a subscriber's status and append the consent record, in one transaction.

        Return False, and write nothing, when the status is no longer the one that was decided upon.
        """
        ...

    def save(self, subscriber: subscribers.Subscriber, *, now: datetime) -> None:
        """Write everything of a known subscriber but status, address and history."""
        ...

    def readdress(self, subscriber: int, email: str, *, now: datetime) -> None:
        """Give a subscriber another address.

        Raises:
            AddressError: somebody else has it.
        """
        ...

    def forget(self, subscriber: int, *, now: datetime) -> None:
        """Erase a person: what stays is a keyed hash that keeps the address off the list, and bare counts."""
        ...

    def history(self, subscriber: int) -> Sequence[subscribers.ConsentRecord]:
        """Return the consent records of a subscriber, oldest first."""
        ...

    def list(
        self,
        *,
        status: subscribers.Status | None = None,
        tag: str = "",
        text: str = "",
        rule: audiences.Rule | None = None,
    ) -> Iterator[subscribers.Subscriber]:
        """Yield subscribers by address, streamed."""
        ...

    def counts(self) -> Mapping[subscribers.Status, int]:
        """Count subscribers by status."""
        ...

    def take_in(self, rows: Iterable[intake.Row], source: intake.Source, *, write: bool) -> intake.Counts:
        """Take in the rows of an import, in one transaction and flat memory; with ``write`` false only count.

        Never raises anybody's consent.
        """
        ...

    def suppress(self, email: str, *, reason: str, now: datetime) -> None:
        """Never mail this address again."""
        ...

    def is_suppressed(self, email: str) -> str:
        """Return the reason for which an address must not be mailed, or an empty text."""
        ...

    def suppressions(self) -> Iterator[rolls.Suppression]:
        """Yield every suppression, newest first."""
        ...

    def lift(self, value: str) -> bool:
        """Take back the suppression of an address or domain; False when there is none."""
        ...


# -- the queue ---------------------------------------------------------------------------------


class Queue(Protocol):
    """Carries due mailings to whoever sends them."""

    def put(self, mailing: int, *, at: datetime | None = None) -> None:
        """Have a mailing sent at a time, or now."""
        ...


#: Seconds after which a sender that gave no sign of life is taken for dead.
LEASE = timedelta(minutes=5)
