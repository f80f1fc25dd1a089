"""What may be asked of the directory: people, their consent, and who must not be mailed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from newsletter.domain import audiences, intake, letters, rolls, subscribers


class Directory(Protocol):
    """Subscribers, their consent records and the suppressions."""

    def add(
        self,
        subscriber: subscribers.Subscriber,
        record: subscribers.ConsentRecord,
        *,
        letter: letters.Kind | None = None,
    ) -> subscribers.Subscriber:
        """Write a new subscriber with the record that explains it and the letter that follows, at once.

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

    def apply(self, move: subscribers.Move, *, letter: letters.Kind | None = None) -> bool:
        """Set a status, append the consent record and the letter that follows, in one transaction.

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

    def take_in(
        self,
        rows: Iterable[intake.Row],
        source: intake.Source,
        *,
        write: bool,
        tell: intake.Tell | None = None,
    ) -> intake.Counts:
        """Take in the rows of an import, in one transaction and flat memory; with ``write`` false only count.

        Never raises anybody's consent. ``tell`` is told of every row that is held, suppressed or duplicate.
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
