"""Issue numbers: two integers that sort, print and count as editors expect."""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.domain import errors

_SPELLINGS = re.compile(r"(?:vol(?:ume)?[\s.:-]*)?(\d{1,4})[.-](\d{1,4})", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class IssueNumber:
    """Volume and number of an issue; 1.9 comes before 1.10."""

    volume: int
    number: int

    def __post_init__(self) -> None:
        if self.volume < 1 or self.number < 1:
            raise ValueError(f"volume and number count from 1, not {self.volume}.{self.number}")

    def __str__(self) -> str:
        return f"{self.volume}.{self.number}"

    @property
    def slug(self) -> str:
        """The number as it stands in file names and addresses: ``vol-2-23``."""
        return f"vol-{self.volume}-{self.number}"

    @property
    def label(self) -> str:
        """The number as readers see it: ``Vol 2.23``."""
        return f"Vol {self}"

    @property
    def key(self) -> str:
        """The number as it stands in a Message-ID: ``v2n23``."""
        return f"v{self.volume}n{self.number}"

    def following(self, *, new_volume: bool = False) -> IssueNumber:
        """Return the number of the next issue."""
        if new_volume:
            return IssueNumber(self.volume + 1, 1)
        return IssueNumber(self.volume, self.number + 1)


def parse(text: str) -> IssueNumber:
    """Read ``2.23``, ``vol-2-23`` or ``Vol: 2.23``.

    Raises:
        NewsletterError: the text names no issue number.
    """
    match = _SPELLINGS.fullmatch(text.strip())
    if match is None or not int(match[1]) or not int(match[2]):
        raise errors.NewsletterError(f"“{text}” is not an issue number", hint="write it as 2.23 or vol-2-23")
    return IssueNumber(int(match[1]), int(match[2]))
