"""A bell that ends a wait from another thread, also where a socket is waited for."""

from __future__ import annotations

import select
import socket


class Bell:
    """Once rung it stays rung; `select` finds it readable from then on."""

    def __init__(self) -> None:
        self._ear, self._rope = socket.socketpair()

    @property
    def rung(self) -> bool:
        """Say whether it was rung."""
        return self.wait(0.0)

    def ring(self) -> None:
        """End every wait, those to come among them; costs nothing, from any thread."""
        self._rope.send(b"!")

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; say whether it was rung."""
        return bool(select.select([self._ear], [], [], max(0.0, seconds))[0])

    def fileno(self) -> int:
        """Return what `select` waits for."""
        return self._ear.fileno()

    def close(self) -> None:
        """Give its two ends back; nobody may wait for it any more."""
        self._ear.close()
        self._rope.close()
