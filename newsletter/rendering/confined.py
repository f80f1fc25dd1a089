"""The other side of `confinement`: jobs from standard input, done in limits, answers on standard output."""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import sys
import types
from collections.abc import Iterator
from typing import Any

from newsletter.domain import errors
from newsletter.rendering import confinement, templating


def _limit() -> None:
    """Limit memory, as far as the system knows how."""
    with contextlib.suppress(ImportError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (confinement.MEMORY, resource.RLIM_INFINITY))


@contextlib.contextmanager
def _clocked(seconds: float) -> Iterator[None]:
    """Let processor time run; once it is used up, say where, and end this process.

    An exception could be caught by what it meets, or leave a lock behind that somebody waits for.
    """

    def ring(_: int, frame: types.FrameType | None) -> None:
        place = templating.running(frame, "the template")
        _say(("overrun", (f"{place}: takes more than {seconds:g} seconds of processor time", "")))
        os._exit(1)

    # Not on Windows.
    if not hasattr(signal, "SIGPROF"):
        yield
        return
    signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _done(request: Any) -> tuple[str, Any]:
    """Do one job."""
    seconds, job, values, named = request
    try:
        with _clocked(seconds):
            return "done", job(*values, **named)
    except errors.NewsletterError as error:
        return "refused", (str(error), error.hint)
    except MemoryError as error:
        place = templating.place(error, "the template")
        return "overrun", (
            f"{place}: asks for more than {confinement.MEMORY // 1_000_000:,} MB of memory",
            "",
        )


def _say(answer: tuple[str, Any]) -> None:
    pickle.dump(answer, sys.stdout.buffer)
    sys.stdout.buffer.flush()


def main() -> None:
    """Do jobs until there are no more."""
    _limit()
    with contextlib.suppress(EOFError):
        while True:
            request = pickle.load(sys.stdin.buffer)  # noqa: S301  (from the process that started this one)
            _say(_done(request))


if __name__ == "__main__":
    main()
