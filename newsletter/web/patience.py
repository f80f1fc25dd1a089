"""How long a client may take over a request: whoever sends it drop by drop holds up nobody else."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.auto import AutoHTTPProtocol

#: Seconds after which a connection is closed that has brought no whole request, at the latest twice as many.
SECONDS: Final = 10.0


class Impatient(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # uvicorn names one of two classes
    """Uvicorn's own protocol, which waits for ever for the rest of a head or a body."""

    seconds = SECONDS
    _timer: asyncio.TimerHandle | None = None
    _seen: object = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """End waiting."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.seconds, self._look)

    def _look(self) -> None:
        """Close the connection if it still waits for the client as it did the last time."""
        cycle = self.cycle
        is_theirs = cycle is None or cycle.response_complete or cycle.more_body
        if is_theirs and (cycle is self._seen):
            self.transport.abort()
            return
        self._seen = cycle
        self._wait()
