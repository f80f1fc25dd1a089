"""The rounds of a service: remind once who did not confirm, then forget them, and old counts with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from newsletter import ports
from newsletter.domain import addresses, allowances
from newsletter.domain.letters import Kind, Letter
from newsletter.domain.subscribers import Subscriber
from newsletter.subscribing import joining, mailroom

#: Reminded once, this long after they last asked; not after a service was down for longer still.
_REMIND_AFTER, _REMIND_UNTIL = timedelta(days=3), timedelta(days=10)
_ONCE = allowances.Allowance(times=1)


class Waiting(Protocol):
    """Who asked by the form and did not confirm."""

    def between(self, first: datetime, last: datetime) -> Sequence[Subscriber]:
        """Return who last asked at or after ``first`` and before ``last``."""
        ...

    def delete(self, before: datetime) -> int:
        """Delete who last asked before a moment; return how many there were."""
        ...


class Counts(joining.Limiter, Protocol):
    """A limiter that counts with a letter, and whose old counts can be let go."""

    def put(self, letter: Letter, counts: Mapping[str, allowances.Allowance], *, now: datetime) -> bool:
        """Count one more of each and put the letter down, both or neither; False where one was too many."""
        ...

    def forget(self, *, now: datetime) -> int:
        """Delete counts that nobody asks for any more."""
        ...


class Letters(Protocol):
    """Letters of which the old ones can be let go."""

    def prune(self, before: datetime) -> int:
        """Delete letters that were settled before a moment; return how many there were."""
        ...


@dataclass(frozen=True, kw_only=True)
class Account:
    """What a round came to."""

    reminded: int
    deleted: int
    forgotten: int
    #: Letters of long ago.
    pruned: int = 0


class Rounds:
    """What is done every so often about people who wait."""

    def __init__(
        self, waiting: Waiting, counts: Counts, directory: ports.Directory, letters: Letters
    ) -> None:
        self._waiting = waiting
        self._counts = counts
        self._directory = directory
        self._letters = letters

    def go(self, *, now: datetime) -> Account:
        """Go the rounds once; as often as one likes, nobody is reminded twice.

        Raises:
            StoreError: the database does not answer.
        """
        deleted = self._waiting.delete(now - joining.PATIENCE)
        due = self._waiting.between(now - _REMIND_UNTIL, now - _REMIND_AFTER)
        reminded = sum(self._remind(person, now) for person in due)
        return Account(
            reminded=reminded,
            deleted=deleted,
            forgotten=self._counts.forget(now=now),
            pruned=self._letters.prune(now - mailroom.KEPT),
        )

    def _remind(self, person: Subscriber, now: datetime) -> bool:
        if self._directory.is_suppressed(person.email):
            return False
        counts = {
            f"reminder {person.id} {person.joined_at.timestamp()}": _ONCE,
            f"ever {addresses.key(person.email)}": allowances.Allowances().address_ever,
        }
        return self._counts.put(Letter(kind=Kind.REMIND, subscriber=person.id, asked_at=now), counts, now=now)
