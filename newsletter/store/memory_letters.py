"""Letters in memory: the same promises without a database, for tests and trials."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from newsletter import ports
from newsletter.domain import deliveries, letters
from newsletter.domain.deliveries import State
from newsletter.domain.letters import Addressee, Letter


class MemoryLetters:
    """`subscribing.mailroom.Book` that lives as long as the process."""

    def __init__(self, look_up: Callable[[Letter], Addressee | None]) -> None:
        """``look_up`` returns whom a letter is for."""
        self._look_up = look_up
        self._letters: dict[int, Letter] = {}
        self._owners: dict[int, str] = {}
        self._last = 0

    def put(self, letter: Letter) -> None:
        """Put a letter down."""
        self._last += 1
        due = letter.not_before or letter.asked_at
        self._letters[self._last] = dataclasses.replace(letter, id=self._last, not_before=due)

    def claim(
        self, lease: ports.Lease, *, dead: Callable[[str], bool], limit: int, now: datetime
    ) -> Sequence[Letter]:
        """Make due letters the owner's until the lease is over, oldest first; no two are given the same."""
        for number in [number for number, owner in self._owners.items() if dead(owner)]:
            del self._owners[number]
            self._change(number, state=State.PLANNED, not_before=now)
        due = sorted((when, each.id) for each in self._open() if (when := each.not_before) and when <= now)
        found = [self._letters[number] for _, number in due[:limit]]
        for letter in found:
            first = letter.first_tried or now
            self._change(letter.id, state=State.SENDING, not_before=lease.until, first_tried=first)
            self._owners[letter.id] = lease.owner
        return found

    def addressees(self, wanted: Sequence[Letter]) -> Mapping[int, Addressee]:
        """Return by the id of each letter whom it is for; nothing for whom nobody knows any more."""
        found = {letter.id: self._look_up(letter) for letter in wanted}
        return {number: addressee for number, addressee in found.items() if addressee}

    def settle(self, owner: str, outcomes: Sequence[deliveries.Outcome]) -> None:
        """Write what claimed letters came to; one whose lease is over and that is somebody else's is left."""
        for each in outcomes:
            if self._owners.get(each.delivery) != owner or each.delivery not in self._letters:
                continue
            del self._owners[each.delivery]
            self._change(
                each.delivery,
                state=each.state,
                attempts=each.attempts,
                not_before=each.not_before or each.at,
                settled_at=None if each.state is State.PLANNED else each.at,
                reply=each.reply,
            )

    def next_due(self) -> datetime | None:
        """Return when the next letter is due, or a claim is over; None where none waits."""
        return min((each.not_before for each in self._open() if each.not_before), default=None)

    def of(self, subscriber: int) -> Sequence[Letter]:
        """Return the letters to a subscriber, oldest first."""
        return [each for each in self._letters.values() if each.subscriber == subscriber]

    def standing(self, *, since: datetime) -> letters.Standing:
        """Say how the letters stand, and what could not be brought since a time."""
        waiting = sorted(self._open(), key=lambda each: (each.asked_at, each.id))
        lately = [each for each in self._letters.values() if each.settled_at and each.settled_at >= since]
        failed = [each for each in lately if each.state in deliveries.TROUBLED]
        return letters.Standing(
            waiting=len(waiting),
            oldest=waiting[0] if waiting else None,
            failed=len(failed),
            last_failed=max(failed, key=lambda each: each.settled_at or since, default=None),
        )

    def prune(self, before: datetime) -> int:
        """Delete letters that were settled before a moment; return how many there were."""
        old = [each.id for each in self._letters.values() if each.settled_at and each.settled_at < before]
        for number in old:
            del self._letters[number]
        return len(old)

    def every(self) -> Sequence[Letter]:
        """Return every letter, oldest first."""
        return list(self._letters.values())

    def erase(self, subscriber: int) -> None:
        """Forget the letters to somebody."""
        for letter in self.of(subscriber):
            del self._letters[letter.id]
            self._owners.pop(letter.id, None)

    def _open(self) -> list[Letter]:
        return [each for each in self._letters.values() if each.settled_at is None]

    def _change(self, number: int, **fields: object) -> None:
        # Names are checked by replace.
        self._letters[number] = dataclasses.replace(self._letters[number], **fields)  # type: ignore[arg-type]
