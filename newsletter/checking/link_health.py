"""What a web server answered to a link, and who asks it."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Trouble(enum.StrEnum):
    """Why there is no answer."""

    #: Nothing went wrong: `Answer.status` tells.
    NONE = ""
    TIMED_OUT = "timed out"
    #: No such host.
    UNKNOWN_HOST = "unknown host"
    #: Nobody listens there, or the connection broke.
    UNREACHABLE = "unreachable"
    #: The certificate is not valid.
    CERTIFICATE = "certificate"
    #: Redirects without end, or to no address.
    REDIRECTS = "redirects"
    #: A private or loopback address: not asked.
    PRIVATE = "private"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What one address answered."""

    url: str
    asked_at: datetime
    #: The last HTTP status; 0 when none came.
    status: int = 0
    #: Where redirects led; the address itself without any.
    final: str = ""
    #: Whether every redirect on the way was permanent (301, 308).
    moved: bool = False
    trouble: Trouble = Trouble.NONE
    detail: str = ""


class Asker(Protocol):
    """Asks web servers for links; knows nothing of issues."""

    def ask(
        self, urls: Sequence[str], *, told: Callable[[Answer], None] = lambda _: None
    ) -> Mapping[str, Answer]:
        """Ask each address once, all at a time; ``told`` hears each answer as it comes."""
        ...

    def last_asked(self, urls: Sequence[str]) -> datetime | None:
        """Return since when the answers of all these are known; None where one was never asked."""
        ...
