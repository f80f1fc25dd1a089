"""The other side of `confinement`: jobs from standard input, done in limits, answers on standard output."""

from __future__ import annotations

import contextlib
import pickle
import signal
import sys
from typing import Any

from newsletter.domain import errors
from newsletter.rendering import confinement, templating

#: Seconds after which a job is told once more that its time is up, should something in it not have listened.
_AGAIN = 0.2


class _OverrunError(Exception):
    """The processor time is used up."""


def _overrun(*_: object) -> None:
    raise _OverrunError


def _limit() -> None:
    """Limit memory and processor time, as far as the system knows how."""
    with contextlib.suppress(ImportError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (confinement.MEMORY, resource.RLIM_INFINITY))
    with contextlib.suppress(AttributeError):
        signal.signal(signal.SIGPROF, _overrun)


def _clock(seconds: float) -> None:
    """Let processor time run; for ever at 0."""
    with contextlib.suppress(AttributeError):
        signal.setitimer(signal.ITIMER_PROF, seconds, _AGAIN if seconds else 0)


def _done(request: Any) -> tuple[str, Any]:
    """Do one job."""
    seconds, job, values, named = request
    try:
        _clock(seconds)
        try:
            return "done", job(*values, **named)
        finally:
            _clock(0)
    except errors.NewsletterError as error:
        return "refused", (str(error), error.hint)
    except _OverrunError as error:
        place = templating.place(error, "the template")
        return "overrun", (f"{place}: takes more than {seconds:g} seconds of processor time", "")
    except MemoryError as error:
        place = templating.place(error, "the template")
        return "overrun", (
            f"{place}: asks for more than {confinement.MEMORY // 1_000_000:,} MB of memory",
            "",
        )


def main() -> None:
    """Do jobs until there are no more."""
    _limit()
    with contextlib.suppress(EOFError):
        while True:
            request = pickle.load(sys.stdin.buffer)  # noqa: S301  (from the process that started this one)
            pickle.dump(_done(request), sys.stdout.buffer)
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
