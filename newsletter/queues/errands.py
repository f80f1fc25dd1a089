"""An errand: one job in a thread of its own, done when somebody calls, and again when it asks to be."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import timedelta

_log = logging.getLogger(__name__)
#: Seconds without a call after which the job begins, and the longest that it waits for such a lull: what many
#: call for at once is done together, and not beside those who answer them.
_QUIET, _LONGEST = 0.2, 2.0
#: Seconds that the end waits for a job under way; what it leaves undone must be safe to leave.
_DRAIN = 30.0


class Errand:
    """Does a job when called; it returns how long to rest before it is done uncalled."""

    def __init__(
        self,
        job: Callable[[], timedelta],
        *,
        name: str,
        rest: timedelta,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        """``rest`` is how long to rest after a job that failed."""
        self._job = job
        self._rest = rest
        self._steady = steady
        self._called = threading.Event()
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin with what an earlier process left."""
        self._thread.start()

    def call(self) -> None:
        """Have the job done soon; costs nothing, from any thread."""
        if not self._called.is_set():
            self._called.set()

    def stop(self) -> None:
        """Let a job under way finish, then end the thread."""
        self._ending.set()
        self._called.set()
        if self._thread.is_alive():
            self._thread.join(_DRAIN)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._called.clear()
            rest = self._done().total_seconds()
            # Asked before the wait: the call of an end that came just before the clearing is gone.
            if not self._ending.is_set() and self._called.wait(rest):
                self._lull()

    def _done(self) -> timedelta:
        try:
            return self._job()
        except Exception as error:
            # One bad day of the database must not end the thread for as long as the service runs.
            _log.error("%s: %s", self._thread.name, error, extra={"action": self._thread.name})
            return self._rest

    def _lull(self) -> None:
        """Sleep until nobody calls any more: a thread that woke at each call would cost the callers."""
        until = self._steady() + _LONGEST
        while self._steady() < until:
            self._called.clear()
            if self._ending.wait(_QUIET) or not self._called.is_set():
                return
