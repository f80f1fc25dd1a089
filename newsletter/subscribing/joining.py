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
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber
from newsletter.domain.tokens import Purpose, Signer
from newsletter.subscribing import cleaning

_log = logging.getLogger(__name__)
#: A confirmation link is good for as long as the row that waits for it is kept.
PATIENCE = timedelta(days=30)


class Limiter(Protocol):
    """Counts what was done; the count holds over processes and restarts."""

    def take(self, what: str, allowance: allowances.Allowance, *, now: datetime) -> bool:
        """Count one more; False when that is more than may be."""
        ...


class Letters(Protocol):
    """The mails that the house writes to people about their subscription."""

    def confirm(self, person: Subscriber, token: str) -> None:
        """Ask whether it was them."""
        ...

    def welcome(self, person: Subscriber) -> None:
        """Greet a new reader."""
        ...

    def goodbye(self, person: Subscriber) -> None:
        """Take leave, with a way back."""
        ...

    def manage(self, person: Subscriber) -> None:
        """Bring the link to their own page."""
        ...

    def readdress(self, person: Subscriber, address: str, token: str) -> None:
        """Ask at the new address whether it is theirs."""
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
    ) -> None:
        self._directory = directory
        self._letters = letters
        self._limiter = limiter
        self._signer = signer
        self._policy = policy or allowances.Allowances()

    def admit(self, visitor: str, *, now: datetime) -> bool:
        """Say whether a visitor may use the forms once more."""
        where = allowances.visitor(visitor)
        return self._limiter.take(f"visitor {where}", self._policy.visitor, now=now)

    def ask(self, request: Request, *, now: datetime) -> Callable[[], None]:
        """Take a request in; return what is to be mailed, for after the answer, which is always the same.

        Raises:
            AddressError: what was typed is no address.
        """
        email = cleaning.clean(request.email)
        person = self._directory.find(email)
        barred = self._directory.is_suppressed(email) not in ("", subscribers.ERASED)
        if barred or not self._may_write(email, now=now):
            return _nothing
        known = person is not None
        person = person or self._put_down(request, email, now)
        if person.status is Status.ACTIVE:
            return self._manage(person)
        if person.status in (Status.BOUNCED, Status.COMPLAINED):
            return _nothing
        if not self._limiter.take(f"ever {addresses.key(email)}", self._policy.address_ever, now=now):
            return _nothing
        if known and person.status is Status.PENDING:
            # They wait anew: the row must outlive the link that is mailed now.
            self._directory.apply(subscribers.move(person, _asked(request, now)))
        asked = person
        token = self._signer.sign(Purpose.CONFIRM, asked.id, int(now.timestamp()))
        return lambda: self._letters.confirm(asked, token)

    def confirmable(self, token: str, *, now: datetime) -> Subscriber | None:
        """Return who would be confirmed; None when the link is too old or something happened since.

        Raises:
            TokenError: the link is not one of ours.
        """
        number, asked_at = self._signer.read(Purpose.CONFIRM, token)[:2]
        person = self._directory.get(number)
        if person is None or now.timestamp() - asked_at > PATIENCE.total_seconds():
            return None
        since = [each for each in self._directory.history(number) if each.at.timestamp() > asked_at]
        return None if any(each.status in subscribers.OFF for each in since) else person

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
            ip=allowances.truncated(visitor),
        )
        if not self._directory.apply(subscribers.move(person, record)):
            return self._directory.get(person.id)
        if self._directory.is_suppressed(person.email) == subscribers.ERASED:
            self._directory.lift(person.email)
        return dataclasses.replace(person, status=Status.ACTIVE)

    def find(self, email: str, *, now: datetime) -> Callable[[], None]:
        """Mail the link to a person's own page to whoever asks for it; the answer is always the same.

        Raises:
            AddressError: what was typed is no address.
        """
        address = cleaning.clean(email)
        person = self._directory.find(address)
        suppressed = self._directory.is_suppressed(address)
        if person is None or suppressed or not self._may_write(address, now=now):
            return _nothing
        return self._manage(person)

    def ask_address(self, person: Subscriber, email: str, *, now: datetime) -> Callable[[], None]:
        """Begin a change of address: it is confirmed at the new one.

        Raises:
            AddressError: what was typed is no address.
        """
        address = cleaning.clean(email)
        taken = self._directory.find(address) is not None or self._directory.is_suppressed(address)
        if taken or not self._may_write(address, now=now):
            return _nothing
        token = self._signer.sign(
            Purpose.ADDRESS, person.id, int(now.timestamp()), tokens.fingerprint(address)
        )
        return lambda: self._letters.readdress(person, address, token)

    def change_address(self, token: str, email: str, *, now: datetime) -> Subscriber | None:
        """Give a person the address that was confirmed; None when the link is too old or names another.

        Raises:
            TokenError: the link is not one of ours.
            AddressError: somebody else has the address by now.
        """
        number, asked_at, mark = self._signer.read(Purpose.ADDRESS, token)[:3]
        person = self._directory.get(number)
        fresh = now.timestamp() - asked_at <= PATIENCE.total_seconds()
        if person is None or not fresh or tokens.fingerprint(email) != mark:
            return None
        if addresses.key(person.email) != addresses.key(email):
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
        if not self._limiter.take("everybody", policy.everybody, now=now):
            _log.error(
                "the forms write to too many people: is somebody abusing them?", extra={"action": "limit"}
            )
            return False
        return True

    def _put_down(self, request: Request, email: str, now: datetime) -> Subscriber:
        person = Subscriber(
            email=email,
            status=Status.PENDING,
            joined_at=now,
            name=" ".join(request.name.split())[:100],
            language=request.language,
            topics=request.topics,
        )
        return self._directory.add(person, _asked(request, now))

    def _manage(self, person: Subscriber) -> Callable[[], None]:
        return lambda: self._letters.manage(person)


def _asked(request: Request, now: datetime) -> ConsentRecord:
    return ConsentRecord(
        status=Status.PENDING,
        at=now,
        how=How.FORM,
        source="sign-up form",
        wording=request.wording,
        ip=allowances.truncated(request.visitor),
    )


def _nothing() -> None:
    """Mail nobody."""
