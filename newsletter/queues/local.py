"""The queue of a single machine: what is due is sent by the process that sees it."""

from __future__ import annotations

from datetime import datetime

from newsletter.queues.clockwork import Clockwork
from newsletter.sending import duty


class LocalQueue(Clockwork):
    """`ports.Queue` of one process. The ledger knows what is due; this only wakes up in time."""

    def put(self, mailing: int, *, at: datetime | None = None) -> None:
        """Have a mailing sent at a time, or now."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake, f"mailing-{mailing}", at)

    async def _pass_on(self, on_duty: duty.Duty) -> None:
        on_duty.look()
