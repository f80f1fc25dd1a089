"""What staff ask of the list as a whole, beside what `ports.Directory` does for each person."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from newsletter import ports
from newsletter.domain import audiences, deliveries, intake, numbering, rolls


class Registrar(Protocol):
    """What staff do with the list as a whole."""

    def review(self, audience: ports.Audience, *, now: datetime, samples: int = 0) -> Sequence[rolls.Group]:
        """Group the active subscribers by why they are left out of an audience; who is in comes first."""
        ...

    def left_out(self, audience: ports.Audience, *, now: datetime) -> Iterator[tuple[str, str]]:
        """Yield address and reason of every active subscriber who is left out, streamed."""
        ...

    def label(
        self, rule: audiences.Rule, *, add: Collection[str] = (), remove: Collection[str] = (), now: datetime
    ) -> int:
        """Put tags on, and take tags off, everybody whom a rule selects; return how many were changed."""
        ...

    def amend(self, rule: audiences.Rule, changes: Mapping[str, Any], *, now: datetime) -> int:
        """Set name, language, timezone or ``attr.NAME`` of everybody whom a rule selects; return how many.

        None takes an attribute away.
        """
        ...

    def imports(self) -> Sequence[intake.Import]:
        """Return every import, newest first."""
        ...

    def undo(self, run: int, *, now: datetime) -> intake.Undone:
        """Take back what an import added, where nothing happened to it since.

        Raises:
            ImportFileError: there is no such import, or it was undone already.
        """
        ...

    def deliveries(self, subscriber: int) -> Sequence[tuple[numbering.IssueNumber, deliveries.Delivery]]:
        """Return every delivery to a subscriber with the issue it carried, oldest first."""
        ...

    def statistics(self) -> rolls.Statistics:
        """Count the list in every way that matters."""
        ...
