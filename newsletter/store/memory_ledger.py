"""A ledger in memory: the same promises without a database, for tests and dry runs."""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, datetime

from newsletter import ports
from newsletter.domain import (
    addresses,
    deliveries,
    errors,
    freezing,
    membership,
    messages,
    numbering,
    subscribers,
)
from newsletter.domain.deliveries import AfterCrash, Delivery, Mailing, MailingStatus, Outcome, State
from newsletter.domain.subscribers import Subscriber
from newsletter.store import memory_books
from newsletter.store.memory_books import Book, Purse, Row

_OVER = (MailingStatus.CANCELLED, MailingStatus.DONE)
_AGAIN = frozenset({State.FAILED, State.REJECTED, State.UNKNOWN})
_REFUSED = frozenset({State.PLANNED, State.REJECTED, State.FAILED, State.UNKNOWN})


class MemoryLedger:
    """`ports.Ledger` over any directory, that lives as long as the process."""

    def __init__(self, directory: ports.Directory) -> None:
        self._directory = directory
        self._books: dict[int, Book] = {}
        self._purses: defaultdict[str, Purse] = defaultdict(Purse)
        self._deliveries = 0

    # Planning

    def preview(
        self, audience: ports.Audience, *, now: datetime, missing: numbering.IssueNumber | None = None
    ) -> tuple[int, Mapping[str, int]]:
        """Count who would be included, and for each reason who would be left out."""
        counted = Counter(why for _, why in self._chosen(audience, now, missing))
        return counted.pop("", 0), dict(sorted(counted.items()))

    def plan(self, draft: ports.MailingDraft) -> Mailing:
        """Freeze template and audience into a mailing with one planned delivery each."""
        number = next(iter(draft.templates.values())).number
        self._refuse_second(number, draft)
        mailing = Mailing(
            id=len(self._books) + 1,
            number=number,
            status=MailingStatus.SCHEDULED if draft.due_at else MailingStatus.SENDING,
            provider=draft.provider,
            rate=draft.rate,
            created_at=draft.now,
            due_at=draft.due_at,
            template_hash=freezing.digest(draft.templates),
            content_hash=draft.content_hash,
            audience=draft.audience.name,
        )
        book = Book(mailing, draft, {}, {})
        self._freeze(book, draft.now)
        self._books[mailing.id] = book
        return book.mailing

    def begin(self, mailing: int, *, now: datetime, resume: bool = True) -> Mailing:
        """Open a mailing for sending; one that was scheduled freezes its audience anew."""
        book = self._open(mailing)
        if book.mailing.status in deliveries.STOPPED and not resume:
            return book.mailing
        if memory_books.waits_to_begin(book):
            self._freeze(book, now)
        book.mailing = dataclasses.replace(book.mailing, status=MailingStatus.SENDING, reason="")
        return book.mailing

    # Sending

    def turn(
        self,
        mailing: int,
        lease: ports.Lease,
        outcomes: Sequence[Outcome],
        *,
        limit: int,
        now: datetime,
    ) -> deliveries.Turn:
        """Settle and claim at once: one turn of the group commit."""
        book = self._book(mailing)
        book.leases[lease.owner] = lease.until
        for outcome in outcomes:
            self._settle(book, lease.owner, outcome)
        status = book.mailing.status
        if status is not MailingStatus.SENDING or limit <= 0:
            return deliveries.Turn(status, [])
        claimed, skipped = [], 0
        due = memory_books.due(book, now)
        for row in due[:limit]:
            if why := memory_books.why_not(self._directory, row.delivery, now):
                skipped += 1
                memory_books.change(row, state=State.SKIPPED, reply=why, settled_at=now)
            else:
                row.owner = lease.owner
                memory_books.change(row, state=State.SENDING)
                claimed.append(memory_books.claimed(row))
        next_due = self.tally(mailing).next_try if len(due) < limit else None
        return deliveries.Turn(status, claimed, skipped, next_due)

    def senders(self, mailing: int) -> Sequence[ports.Lease]:
        """Return the leases on a mailing, those of dead senders too."""
        leases = self._book(mailing).leases
        return [ports.Lease(owner=owner, until=until) for owner, until in leases.items()]

    def leave(self, mailing: int, owner: str) -> None:
        """Give a sender's lease back."""
        book = self._book(mailing)
        if not any(row.owner == owner and row.delivery.state is State.SENDING for row in book.rows.values()):
            book.leases.pop(owner, None)

    def recover(
        self, mailing: int, *, dead: Callable[[str], bool], after_crash: AfterCrash, now: datetime
    ) -> int:
        """Move deliveries whose sender is gone to unknown, or plan them anew."""
        book = self._book(mailing)
        gone = {owner for owner, until in book.leases.items() if until <= now or dead(owner)}
        lost = [
            row for row in book.rows.values() if row.owner in gone and row.delivery.state is State.SENDING
        ]
        planned = after_crash is AfterCrash.RESEND
        for row in lost:
            row.first_tried = row.first_tried or now
            memory_books.change(
                row,
                state=State.PLANNED if planned else State.UNKNOWN,
                not_before=now if planned else None,
                attempts=row.delivery.attempts + 1,
                settled_at=now,
                reply="no answer: the sender ended before it came",
            )
        return len(lost)

    # What all senders by one provider share

    def book(self, provider: str, *, count: int, rate: float, now: datetime) -> float:
        """Take the next free places of a provider's rate; return the seconds until the first of them."""
        return self._purses[provider].book(count=count, rate=rate, now=now)

    def draw(self, provider: str, day: date, *, count: int, cap: int, used: int) -> int:
        """Take up to so many messages of a day's cap; return how many there were."""
        return self._purses[provider].draw(day, count=count, cap=cap, used=used)

    def give_back(self, provider: str, day: date, *, count: int) -> None:
        """Give back messages of a day that were drawn and not sent."""
        self._purses[provider].give_back(day, count=count)

    # A person's decisions

    def set_status(self, mailing: int, status: MailingStatus, *, reason: str = "", now: datetime) -> Mailing:
        """Pause, resume, hold, cancel or finish a mailing."""
        book = self._open(mailing)
        over = now if status in _OVER else None
        book.mailing = dataclasses.replace(book.mailing, status=status, reason=reason, finished_at=over)
        return book.mailing

    def finish(self, mailing: int, *, now: datetime) -> Mailing:
        """Call a mailing that is being sent done, unless something in it is open; return how it stands."""
        found = self._book(mailing).mailing
        if found.status is MailingStatus.SENDING and not self.tally(mailing).open:
            return self.set_status(mailing, MailingStatus.DONE, now=now)
        return found

    def retry(self, mailing: int, states: Sequence[State], *, now: datetime) -> int:
        """Plan deliveries of the given states anew, and open the mailing again."""
        book = self._book(mailing)
        if wrong := [state.value for state in states if state not in _AGAIN]:
            raise errors.MailingError(f"deliveries that are {wrong[0]} cannot be planned again")
        if book.mailing.status is MailingStatus.CANCELLED:
            self._open(mailing)
        chosen = [row for row in book.rows.values() if row.delivery.state in states]
        for row in chosen:
            row.first_tried = None
            memory_books.change(row, state=State.PLANNED, not_before=now, attempts=0)
        if chosen and book.mailing.status is MailingStatus.DONE:
            book.mailing = dataclasses.replace(book.mailing, status=MailingStatus.SENDING, finished_at=None)
        return len(chosen)

    def resolve_unknown(self, mailing: int, state: State, *, now: datetime) -> int:
        """Move every unknown delivery to planned or sent."""
        if state is State.PLANNED:
            return self.retry(mailing, (State.UNKNOWN,), now=now)
        unknown = [row for row in self._book(mailing).rows.values() if row.delivery.state is State.UNKNOWN]
        for row in unknown:
            memory_books.change(row, state=State.SENT, settled_at=now)
            self._note_first(self._book(mailing), State.SENT, now)
        return len(unknown)

    def mark_unsubscribed(self, mailing: int, subscriber: int, *, now: datetime) -> None:
        """Note beside a delivery that its recipient left by it; the first time stays."""
        for row in self._book(mailing).rows.values():
            if row.delivery.subscriber == subscriber and row.delivery.unsubscribed_at is None:
                memory_books.change(row, unsubscribed_at=now)

    # Accounts

    def mailing(self, number: numbering.IssueNumber) -> Mailing | None:
        """Return the newest mailing of an issue that was not cancelled, or None."""
        return next((one for one in self.mailings() if memory_books.is_alive(one, number)), None)

    def get(self, mailing: int) -> Mailing:
        """Return the mailing with this id."""
        return self._book(mailing).mailing

    def mailings(self) -> Sequence[Mailing]:
        """Return every mailing, newest first."""
        return [book.mailing for book in reversed(self._books.values())]

    def due(self, now: datetime) -> Sequence[Mailing]:
        """Return mailings whose time has come, that have due deliveries left, or that nobody called done."""
        return [book.mailing for book in self._books.values() if self._is_due(book, now)]

    def handed_over(self, provider: str, *, since: datetime) -> tuple[int, datetime | None]:
        """Count messages handed to a provider since a time, and say when the first ever was."""
        books = [book for book in self._books.values() if book.mailing.provider == provider]
        rows = [row for book in books for row in book.rows.values()]
        merged = [row.delivery.merged_at for row in rows if row.delivery.merged_at]
        first = min((row.first_tried for row in rows if row.first_tried), default=None)
        return sum(when >= since for when in merged), first

    def template(self, mailing: int) -> Mapping[str, messages.MessageTemplate]:
        """Return the frozen message templates of a mailing by language; the first is the default."""
        return self._book(mailing).draft.templates

    def tally(self, mailing: int) -> deliveries.Tally:
        """Count the deliveries of a mailing by state."""
        book = self._book(mailing)
        found = [row.delivery for row in book.rows.values()]
        waiting = [one.not_before for one in found if one.state is State.PLANNED and one.not_before]
        return deliveries.Tally(
            mailing=book.mailing,
            states=Counter(one.state for one in found),
            next_try=min(waiting, default=None),
            unsubscribed=sum(one.unsubscribed_at is not None for one in found),
        )

    def subscribers(self, mailing: int) -> int:
        """Count the different subscribers that the deliveries of a mailing are for."""
        return len({row.delivery.subscriber for row in self._book(mailing).rows.values()})

    def domains(self, mailing: int) -> Sequence[tuple[str, State, int]]:
        """Count deliveries by the recipient's domain and state, biggest first."""
        rows = self._book(mailing).rows.values()
        counted = Counter((addresses.domain(row.delivery.email), row.delivery.state) for row in rows)
        found = [(domain, state, number) for (domain, state), number in counted.items()]
        return sorted(found, key=lambda one: (-one[2], one[0], one[1]))

    def errors(self, mailing: int) -> Sequence[tuple[str, int]]:
        """Return replies of refusals and how often each came, most frequent first."""
        found = [row.delivery for row in self._book(mailing).rows.values()]
        counted = Counter(one.reply for one in found if one.state in _REFUSED and one.reply)
        return sorted(counted.items(), key=lambda one: (-one[1], one[0]))

    def deliveries(
        self, mailing: int, *, states: Sequence[State] = (), domain: str = "", email: str = ""
    ) -> Iterator[Delivery]:
        """Yield deliveries of a mailing by id."""
        for row in list(self._book(mailing).rows.values()):
            one = row.delivery
            fits = not states or one.state in states
            fits = fits and (not domain or addresses.domain(one.email) == domain.lower())
            if fits and (not email or one.email.lower() == email.lower()):
                yield one

    # What the rest is made of

    def _book(self, mailing: int) -> Book:
        if mailing not in self._books:
            raise errors.MailingError(
                f"there is no mailing {mailing}", hint="see `newsletter mailing status`"
            )
        return self._books[mailing]

    def _open(self, mailing: int) -> Book:
        book = self._book(mailing)
        if book.mailing.status in _OVER:
            word = "finished" if book.mailing.status is MailingStatus.DONE else "cancelled"
            raise errors.MailingError(f"the mailing of issue {book.mailing.number} is {word} already")
        return book

    def _refuse_second(self, number: numbering.IssueNumber, draft: ports.MailingDraft) -> None:
        earlier = [one for one in self.mailings() if memory_books.is_alive(one, number)]
        if earlier and not draft.only_missing:
            raise errors.MailingError(f"issue {number} has a mailing already ({earlier[0].status})")
        if any(one.status is not MailingStatus.DONE for one in earlier):
            raise errors.MailingError(f"the mailing of issue {number} is not finished ({earlier[0].status})")

    def _freeze(self, book: Book, now: datetime) -> None:
        missing = book.mailing.number if book.draft.only_missing else None
        book.rows = {}
        chosen = [one for one, why in self._chosen(book.draft.audience, now, missing) if not why]
        if not chosen:
            raise errors.MailingError(f"nobody is in the audience “{book.draft.audience.name}”")
        for one in sorted(chosen, key=lambda person: person.id):
            self._deliveries += 1
            planned = Delivery(
                id=self._deliveries,
                mailing=book.mailing.id,
                subscriber=one.id,
                email=one.email,
                name=one.name,
                language=one.language,
                state=State.PLANNED,
                attempts=0,
            )
            book.rows[planned.id] = Row(planned)
        book.mailing = dataclasses.replace(book.mailing, planned=len(chosen))

    def _chosen(
        self, audience: ports.Audience, now: datetime, missing: numbering.IssueNumber | None
    ) -> Iterator[tuple[Subscriber, str]]:
        """Yield every subscriber with the reason to leave them out, or an empty text."""
        why_not = membership.left_out(audience.rule, audience.exclude)
        have = self._reached(missing) if missing else frozenset()
        for person in self._directory.list():
            if person.status is not subscribers.Status.ACTIVE:
                yield person, person.status.value
            elif person.paused_until and person.paused_until > now:
                yield person, "paused"
            elif self._directory.is_suppressed(person.email):
                yield person, "suppressed"
            elif why := why_not(person):
                yield person, why
            else:
                yield person, "has the issue" if person.id in have else ""

    def _reached(self, number: numbering.IssueNumber) -> frozenset[int]:
        mine = [book for book in self._books.values() if book.mailing.number == number]
        return frozenset(
            row.delivery.subscriber
            for book in mine
            for row in book.rows.values()
            if memory_books.is_reached(book.mailing, row.delivery)
        )

    def _settle(self, book: Book, owner: str, outcome: Outcome) -> None:
        row = book.rows[outcome.delivery]
        self._note_first(book, outcome.state, outcome.at)
        if row.owner != owner or row.delivery.state not in (State.SENDING, State.UNKNOWN, State.PLANNED):
            return
        if outcome.merged_at is None:
            memory_books.change(row, state=outcome.state, not_before=outcome.not_before)
            return
        row.first_tried = outcome.first_tried
        memory_books.change(
            row,
            state=outcome.state,
            attempts=outcome.attempts,
            reply=outcome.reply,
            provider_id=outcome.provider_id,
            settled_at=outcome.at,
            not_before=outcome.not_before,
            merged_at=outcome.merged_at,
            digest=outcome.digest,
        )
        if outcome.suppress:
            self._suppress(row.delivery, outcome)

    @staticmethod
    def _note_first(book: Book, state: State, at: datetime) -> None:
        if state in deliveries.TAKEN:
            book.mailing = dataclasses.replace(book.mailing, first_sent_at=book.mailing.first_sent_at or at)

    def _suppress(self, one: Delivery, outcome: Outcome) -> None:
        self._directory.suppress(one.email, reason=outcome.suppress, now=outcome.at)
        person = self._directory.get(one.subscriber)
        if person is not None and person.status in (
            subscribers.Status.ACTIVE,
            subscribers.Status.PENDING,
        ):
            record = subscribers.ConsentRecord(
                status=subscribers.Status.BOUNCED,
                at=outcome.at,
                how=subscribers.How.FEEDBACK,
                source=f"delivery {one.id}: {outcome.reply}",
            )
            self._directory.apply(subscribers.move(person, record))

    def _is_due(self, book: Book, now: datetime) -> bool:
        mailing = book.mailing
        if mailing.status is MailingStatus.SCHEDULED:
            return mailing.due_at is not None and mailing.due_at <= now
        over = not self.tally(mailing.id).open
        return mailing.status is MailingStatus.SENDING and (over or bool(memory_books.due(book, now)))
