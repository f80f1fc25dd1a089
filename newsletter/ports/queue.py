"""What may be asked of a queue: that a mailing comes to whoever sends it."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Queue(Protocol):
    """Carries due mailings to whoever sends them."""

    def put(self, mailing: int, *, at: datetime | None = None) -> None:
        """Have a mailing sent at a time, or now."""
        ...
