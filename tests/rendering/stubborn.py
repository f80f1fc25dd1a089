"""Jobs that no exception ends, for the process of the confined renderer: it imports them by name."""

from __future__ import annotations


def swallow() -> None:
    """Go on whatever is raised."""
    swallowed = 0
    while True:
        try:
            sum(range(1000))
        except BaseException:
            swallowed += 1


def linger() -> str:
    """Go on where Python itself drops what is raised, and then be done as if nothing had been."""
    _Lingering()
    return "done"


class _Lingering:
    def __del__(self) -> None:
        while True:
            sum(range(1000))
