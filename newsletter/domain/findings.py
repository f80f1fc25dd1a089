"""What a check found: the rule, how grave it is, where it stands and how to mend it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Severity(enum.StrEnum):
    """How grave a finding is."""

    #: The issue must not go out like this.
    ERROR = "error"
    #: It may go out, and somebody should have looked.
    WARNING = "warning"
    #: Good to know.
    ADVICE = "advice"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing a check found."""

    #: Stable id, as named in waivers and by ``issue check --explain``.
    rule: str
    severity: Severity
    message: str
    #: The issue file as the editor names it, 1-based line and column (0: unknown).
    path: str = ""
    line: int = 0
    column: int = 0
    #: Characters at fault from there on, for underlining; 0: the whole line is meant.
    length: int = 0
    #: Id of the entry it stands in; empty for the issue as a whole.
    entry: str = ""
    #: What to do about it.
    fix: str = ""

    @property
    def where(self) -> str:
        """``issues/vol-2-23.md:14``."""
        return f"{self.path}:{self.line}" if self.line else self.path
