"""The ledger in a database: one row per mailing and subscriber, written before and after every hand-over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime

import sqlalchemy as sa

from newsletter import ports
from newsletter.domain import deliveries, errors, freezing, messages, numbering
from newsletter.domain.deliveries import MailingStatus, State
from newsletter.store import budgets, ledger_accounts, ledger_moves, ledger_plan, ledger_rows, people
from newsletter.store.database import Database
from newsletter.store.ledger_turns import Turns
from newsletter.store.tables import delivery, lease, mailing, mailing_template


class StoredLedger:
    """`ports.Ledger` over SQLite or PostgreSQL."""

    def __init__(self, database: Database, keyed_hash: people.KeyedHash) -> None:
        """Take the database, and the keyed hash under which suppressed addresses are found again."""
        self._database = database
        self._turns = Turns(database, keyed_hash)

    def close(self) -> None:
        """Close the connection that turns are written on."""
        self._turns.close()

    # Planning

    def preview(
        self,
        audience: ports.Audience,
        *,
        now: datetime,
        missing: numbering.IssueNumber | None = None,
    ) -> tuple[int, Mapping[str, int]]:
        """Count who would be included, and for each reason who would be left out."""
        with self._database.reading() as connection:
            return ledger_plan.preview(connection, audience, now=now, missing=missing)

    def plan(self, draft: ports.MailingDraft) -> deliveries.Mailing:
        """Freeze template and audience into a mailing with one planned delivery each."""
        with self._database.writing() as connection:
            planned = ledger_plan.plan(connection, draft)
        self._shrink()
        return planned

    def begin(self, mailing: int, *, now: datetime, resume: bool = True) -> deliveries.Mailing:
        """Open a mailing for sending; one that was scheduled freezes its audience anew."""
        with self._database.writing() as connection:
            found = ledger_rows.hold(connection, mailing)
            ledger_moves.require_open(found)
            if found.status in deliveries.STOPPED and not resume:
                return found
            return ledger_plan.begin(connection, mailing, now=now)

    def _shrink(self) -> None:
        """Give back the memory that writing a large audience took."""
        if self._database.is_sqlite:
            with self._database.connected() as connection:
                connection.exec_driver_sql("PRAGMA shrink_memory")

    # Sending

    def turn(
        self,
        mailing: int,
        lease: ports.Lease,
        outcomes: Sequence[deliveries.Outcome],
        *,
        limit: int,
        now: datetime,
    ) -> deliveries.Turn:
        """Settle and claim in one transaction: one turn of the group commit."""
        return self._turns.turn(mailing, lease, outcomes, limit=limit, now=now)

    def senders(self, mailing: int) -> Sequence[ports.Lease]:
        """Return the leases on a mailing, those of dead senders too."""
        query = sa.select(lease.c.owner, lease.c.until).where(lease.c.mailing_id == mailing)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(lease.c.id))
            return [ports.Lease(owner=owner, until=until) for owner, until in rows]

    def leave(self, mailing: int, owner: str) -> None:
        """Give a sender's lease back."""
        self._turns.close()
        with self._database.writing() as connection:
            mine = sa.and_(lease.c.mailing_id == mailing, lease.c.owner == owner)
            in_the_air = sa.exists().where(
                delivery.c.mailing_id == mailing,
                delivery.c.lease_id == lease.c.id,
                delivery.c.state == State.SENDING.value,
            )
            connection.execute(sa.delete(lease).where(mine, ~in_the_air))

    def recover(
        self,
        mailing: int,
        *,
        dead: Callable[[str], bool],
        after_crash: deliveries.AfterCrash,
        now: datetime,
    ) -> int:
        """Move deliveries whose sender is gone to unknown, or plan them anew."""
        with self._database.writing() as connection:
            return ledger_moves.recover(connection, mailing, dead=dead, after_crash=after_crash, now=now)

    # What all senders by one provider share

    def book(self, provider: str, *, count: int, rate: float, now: datetime) -> float:
        """Take the next free places of a provider's rate; return the seconds until the first of them."""
        with self._database.writing() as connection:
            return budgets.book(connection, provider, count=count, rate=rate, now=now)

    def draw(self, provider: str, day: date, *, count: int, cap: int, used: int) -> int:
        """Take up to so many messages of a day's cap; return how many there were."""
        with self._database.writing() as connection:
            return budgets.draw(connection, provider, day, count=count, cap=cap, used=used)

    def give_back(self, provider: str, day: date, *, count: int) -> None:
        """Give back messages of a day that were drawn and not sent."""
        with self._database.writing() as connection:
            budgets.give_back(connection, provider, day, count=count)

    # A person's decisions

    def set_status(
        self, mailing: int, status: MailingStatus, *, reason: str = "", now: datetime
    ) -> deliveries.Mailing:
        """Pause, resume, hold, cancel or finish a mailing."""
        with self._database.writing() as connection:
            ledger_moves.require_open(ledger_rows.hold(connection, mailing))
            ledger_moves.set_status(connection, mailing, status, reason=reason, now=now)
            return ledger_rows.get(connection, mailing)

    def finish(self, mailing: int, *, now: datetime) -> deliveries.Mailing:
        """Call a mailing that is being sent done, unless something in it is open; return how it stands."""
        with self._database.writing() as connection:
            found = ledger_rows.hold(connection, mailing)
            if found.status is MailingStatus.SENDING and not ledger_moves.is_open(connection, mailing):
                ledger_moves.set_status(connection, mailing, MailingStatus.DONE, reason="", now=now)
            return ledger_rows.get(connection, mailing)

    def retry(self, mailing: int, states: Sequence[State], *, now: datetime) -> int:
        """Plan deliveries of the given states anew, and open the mailing again."""
        with self._database.writing() as connection:
            return ledger_moves.plan_again(connection, mailing, states, now=now)

    def resolve_unknown(self, mailing: int, state: State, *, now: datetime) -> int:
        """Move every unknown delivery to planned or sent."""
        with self._database.writing() as connection:
            if state is State.PLANNED:
                return ledger_moves.plan_again(connection, mailing, (State.UNKNOWN,), now=now)
            return ledger_moves.take_for_sent(connection, mailing, now=now)

    def mark_unsubscribed(self, mailing: int, subscriber: int, *, now: datetime) -> None:
        """Note beside a delivery that its recipient left by it; the first time stays."""
        row = delivery.c
        with self._database.writing() as connection:
            connection.execute(
                sa.update(delivery)
                .where(
                    row.mailing_id == mailing, row.subscriber_id == subscriber, row.unsubscribed_at.is_(None)
                )
                .values(unsubscribed_at=now)
            )

    # Accounts

    def mailing(self, number: numbering.IssueNumber) -> deliveries.Mailing | None:
        """Return the newest mailing of an issue that was not cancelled, or None."""
        row = mailing.c
        query = sa.select(mailing).where(
            row.volume == number.volume,
            row.number == number.number,
            row.status != MailingStatus.CANCELLED.value,
        )
        with self._database.reading() as connection:
            found = connection.execute(query.order_by(row.sequence.desc()).limit(1)).one_or_none()
            return ledger_rows.to_mailing(found) if found else None

    def get(self, mailing: int) -> deliveries.Mailing:
        """Return the mailing with this id."""
        with self._database.reading() as connection:
            return ledger_rows.get(connection, mailing)

    def mailings(self) -> Sequence[deliveries.Mailing]:
        """Return every mailing, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(sa.select(mailing).order_by(mailing.c.id.desc()))
            return [ledger_rows.to_mailing(row) for row in rows]

    def due(self, now: datetime) -> Sequence[deliveries.Mailing]:
        """Return mailings whose time has come, that have due deliveries left, or that nobody called done."""
        with self._database.reading() as connection:
            return ledger_moves.due(connection, now)

    def handed_over(self, provider: str, *, since: datetime) -> tuple[int, datetime | None]:
        """Count messages handed to a provider since a time, and say when the first ever was."""
        with self._database.reading() as connection:
            return ledger_accounts.handed_over(connection, provider, since)

    def template(self, mailing: int) -> Mapping[str, messages.MessageTemplate]:
        """Return the frozen message templates of a mailing by language; the first is the default."""
        row = mailing_template.c
        query = sa.select(row.language, row.body).where(row.mailing_id == mailing).order_by(row.position)
        with self._database.reading() as connection:
            found = {language: freezing.loads(body) for language, body in connection.execute(query)}
        if not found:
            raise errors.MailingError(f"there is no mailing {mailing}")
        return found

    def tally(self, mailing: int) -> deliveries.Tally:
        """Count the deliveries of a mailing by state."""
        with self._database.reading() as connection:
            return ledger_accounts.tally(connection, mailing)

    def subscribers(self, mailing: int) -> int:
        """Count the different subscribers that the deliveries of a mailing are for."""
        with self._database.reading() as connection:
            return ledger_accounts.subscribers(connection, mailing)

    def domains(self, mailing: int) -> Sequence[tuple[str, State, int]]:
        """Count deliveries by the recipient's domain and state, biggest first."""
        with self._database.reading() as connection:
            return ledger_accounts.domains(connection, mailing)

    def errors(self, mailing: int) -> Sequence[tuple[str, int]]:
        """Return replies of refusals and how often each came, most frequent first."""
        with self._database.reading() as connection:
            return ledger_accounts.errors(connection, mailing)

    def deliveries(
        self, mailing: int, *, states: Sequence[State] = (), domain: str = "", email: str = ""
    ) -> Iterator[deliveries.Delivery]:
        """Yield deliveries of a mailing, streamed, by id."""
        with self._database.reading() as connection:
            yield from ledger_accounts.stream(connection, mailing, states=states, domain=domain, email=email)
