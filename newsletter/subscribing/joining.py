"""Joining by the public form: who did not confirm gets no issue, and no answer tells who is on the list."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from newsletter import ports
from newsletter.domain import addresses, allowances, subscribers, tokens
from newsletter.domain.diagnoses import Diagnosis, Verdict
from newsletter.domain.letters import Kind, Letter
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber
from newsletter.domain.tokens import Purpose, Signer
from newsletter.subscribing import cleaning

_log = logging.getLogger(__name__)
#: A confirmation link is good for as long as the row that waits for it is kept.
PATIENCE = timedelta(days=30)
_EVERYBODY = "everybody"


class Limiter(Protocol):
    """Counts what was done; the count holds over processes and restarts."""

    def take(self, what: str, allowance: allowances.Allowance, *, now: datetime) -> bool:
        """Count one more; False when that is more than may be."""
        ...


class Letters(Protocol):
    """Takes down what is to be written to people about their subscription: it is mailed after the answer."""

    def put(self, letter: Letter) -> None:
        """Put a letter down that no other change calls for."""
        ...


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody typed into the form, and from where."""

    email: str
    name: str = ""
    language: str = ""
    topics: tuple[str, ...] = ()
    visitor: str = ""
    #: The words beside the button.
    wording: str = ""


class Hall:
    """Where people come in, and where they are known again."""

    def __init__(
        self,
        directory: ports.Directory,
        letters: Letters,
        limiter: Limiter,
        signer: Signer,
        *,
        policy: allowances.Allowances | None = None,
        keep: Callable[[str], str] = allowances.truncated,
    ) -> None:
        """Take what people come in by; ``keep`` says what of a visitor's address is recorded."""
        self._directory = directory
        self._letters = letters
        self._limiter = limiter
        self._signer = signer
        self._policy = policy or allowances.Allowances()
        self._keep = keep

    def admit(self, visitor: str, *, now: datetime) -> bool:
        """Say whether a visitor may use the forms once more."""
        where = allowances.visitor(visitor)
        return self._limiter.take(f"visitor {where}", self._policy.visitor, now=now)

    def ask(self, request: Request, *, now: datetime) -> None:
        """Take a request in, and put down the letter that answers it; the page is always the same.

        Raises:
            AddressError: what was typed is no address.
        """
        email = cleaning.clean(request.email)
        person = self._directory.find(email)
        barred = self._directory.is_suppressed(email) not in ("", subscribers.ERASED)
        if barred or not self._may_write(email, now=now):
            return
        if person is not None and person.status is Status.ACTIVE:
            self._write(Kind.MANAGE, person, now=now)
            return
        if person is not None and person.status in (Status.BOUNCED, Status.COMPLAINED):
            return
        if not self._may_ask(email, now=now):
            return
        if person is None:
            self._put_down(request, email, now)
        elif person.status is Status.PENDING:
            # They wait anew: the row must outlive the link that is mailed now.
            self._directory.apply(subscribers.move(person, self._asked(request, now)), letter=Kind.CONFIRM)
        else:
            self._write(Kind.CONFIRM, person, now=now)

    def confirmable(self, token: str, *, now: datetime) -> Subscriber | None:
        """Return who would be confirmed; None when the link is too old or something happened since.

        A change of address is something, too: the link lies in a mailbox that may be another's by now.

        Raises:
            TokenError: the link is not one of ours.
        """
        number, asked_at, known_as = (*self._signer.read(Purpose.CONFIRM, token), 0, 0)[:3]
        person = self._directory.get(number)
        if person is None or now.timestamp() - asked_at > PATIENCE.total_seconds():
            return None
        if tokens.fingerprint(person.email) != known_as:
            return None
        since = [each for each in self._directory.history(number) if each.at.timestamp() > asked_at]
        gone = any(each.status in subscribers.OFF and not subscribers.is_reason(each) for each in since)
        return None if gone else person

    def confirm(self, token: str, *, visitor: str, wording: str, now: datetime) -> Subscriber | None:
        """Make somebody active who said so themselves; None as for `confirmable`. Repeatable.

        Raises:
            TokenError: the link is not one of ours.
        """
        person = self.confirmable(token, now=now)
        if person is None or person.status is Status.ACTIVE:
            return person
        record = ConsentRecord(
            status=Status.ACTIVE,
            at=now,
            how=How.FORM,
            source="confirmation link",
            wording=wording,
            ip=self._keep(visitor),
        )
        if not self._directory.apply(subscribers.move(person, record), letter=Kind.WELCOME):
            return self._directory.get(person.id)
        if self._directory.is_suppressed(person.email) == subscribers.ERASED:
            self._directory.lift(person.email)
        return dataclasses.replace(person, status=Status.ACTIVE)

    def find(self, email: str, *, now: datetime) -> None:
        """Mail the link to a person's own page to whoever asks for it; the page is always the same.

        Raises:
            AddressError: what was typed is no address.
        """
        address = cleaning.clean(email)
        person = self._directory.find(address)
        suppressed = self._directory.is_suppressed(address)
        if person is not None and not suppressed and self._may_write(address, now=now):
            self._write(Kind.MANAGE, person, now=now)

    def ask_address(self, person: Subscriber, email: str, *, now: datetime) -> None:
        """Begin a change of address: it is confirmed at the new one.

        Raises:
            AddressError: what was typed is no address.
        """
        address = cleaning.clean(email)
        taken = self._directory.find(address) is not None or self._directory.is_suppressed(address)
        if not taken and self._may_write(address, now=now) and self._may_ask(address, now=now):
            self._write(Kind.READDRESS, person, address=address, now=now)

    def change_address(self, token: str, email: str, *, now: datetime) -> Subscriber | None:
        """Give a person the address that was confirmed; None when the link is too old or names another.

        It is too old, too, once they took another address.

        Raises:
            TokenError: the link is not one of ours.
            AddressError: somebody else has the address by now.
        """
        number, asked_at, mark, known_as = (*self._signer.read(Purpose.ADDRESS, token), 0, 0, 0)[:4]
        person = self._directory.get(number)
        fresh = now.timestamp() - asked_at <= PATIENCE.total_seconds()
        if person is None or not fresh or self._signer.mark(email) != mark:
            return None
        if person.email == email:
            return person
        if tokens.fingerprint(person.email) != known_as:
            return None
        self._directory.readdress(person.id, email, now=now)
        return self._directory.get(number)

    def _may_write(self, email: str, *, now: datetime) -> bool:
        """Count one mail against address, domain and all; an alarm is logged when all is used up."""
        policy, key = self._policy, addresses.key(email)
        if not self._limiter.take(f"address {key}", policy.address, now=now):
            return False
        if not self._limiter.take(f"domain {addresses.domain(key)}", policy.domain, now=now):
            _log.warning("the forms write to one domain too often", extra={"action": "limit"})
            return False
        if not self._limiter.take(_EVERYBODY, policy.everybody, now=now):
            _log.error(
                "the forms write to too many people: is somebody abusing them?", extra={"action": "limit"}
            )
            return False
        return True

    def _may_ask(self, email: str, *, now: datetime) -> bool:
        """Count one question to an address whether it was them, whoever asked for it."""
        return self._limiter.take(f"ever {addresses.key(email)}", self._policy.address_ever, now=now)

    def _put_down(self, request: Request, email: str, now: datetime) -> None:
        person = Subscriber(
            email=email,
            status=Status.PENDING,
            joined_at=now,
            name=" ".join(request.name.split())[:100],
            language=request.language,
            topics=request.topics,
        )
        self._directory.add(person, self._asked(request, now), letter=Kind.CONFIRM)

    def _asked(self, request: Request, now: datetime) -> ConsentRecord:
        return ConsentRecord(
            status=Status.PENDING,
            at=now,
            how=How.FORM,
            source="sign-up form",
            wording=request.wording,
            ip=self._keep(request.visitor),
        )

    def _write(self, kind: Kind, person: Subscriber, *, address: str = "", now: datetime) -> None:
        self._letters.put(Letter(kind=kind, subscriber=person.id, asked_at=now, address=address))


class Busiest(Protocol):
    """A limiter that knows how much was asked of it."""

    def busiest(self, what: str, allowance: allowances.Allowance, *, spans: int, now: datetime) -> int:
        """Return the most that was counted in one of the latest spans."""
        ...


def examine(limiter: Busiest, *, now: datetime) -> Diagnosis:
    """Say whether the forms wrote to as many people as they may in any hour of the last day."""
    policy = allowances.Allowances().everybody
    times = limiter.busiest(_EVERYBODY, policy, spans=24, now=now)
    if times > policy.times:
        return Diagnosis(
            name="forms",
            verdict=Verdict.WARN,
            message=f"asked for {times} mails within an hour of the last day; {policy.times} go out at most",
            fix="look into the log and the newest subscribers: is somebody abusing the forms?",
        )
    message = f"at most {times} mails within an hour of the last day, of {policy.times}"
    return Diagnosis(name="forms", verdict=Verdict.PASS, message=message)
