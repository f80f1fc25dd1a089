"""What is wrong in a file that an editor wrote: the rule, the line, the text at fault, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from newsletter.domain import errors, findings


@dataclass(frozen=True, kw_only=True)
class Flaw:
    """One thing wrong in one file."""

    rule: str
    #: 1-based; 0 when the whole file is meant.
    line: int
    message: str
    #: The text at fault, as it stands in the file.
    text: str = ""
    fix: str = ""
    severity: findings.Severity = findings.Severity.ERROR
    #: Whether the file cannot be read at all with it; otherwise it only must not go out like this.
    blocking: bool = True
    #: Id of the entry it stands in.
    entry: str = ""


class Flaws:
    """The flaws of one file, collected so that one run reports them all."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._found: list[Flaw] = []

    def __iter__(self) -> Iterator[Flaw]:
        return iter(sorted(dict.fromkeys(self._found), key=lambda flaw: flaw.line))

    @property
    def blocking(self) -> bool:
        """Whether any of them keeps the file from being read."""
        return any(flaw.blocking for flaw in self._found)

    def blocking_as(self, *rules: str) -> bool:
        """Whether a blocking flaw is one of these rules."""
        return any(flaw.blocking and flaw.rule in rules for flaw in self._found)

    def block(self, rule: str, line: int, message: str, *, text: str = "", fix: str = "") -> None:
        """Note a flaw with which the file cannot be read."""
        self._found.append(Flaw(rule=rule, line=line, message=message, text=text, fix=fix))

    def note(self, flaw: Flaw) -> None:
        """Note a flaw as it is."""
        self._found.append(flaw)

    def stop(self, *, hint: str = "") -> None:
        """Raise `errors.IssueError` with every flaw, if any of them is blocking."""
        if self.blocking:
            raise errors.IssueError([problem(flaw, self.path) for flaw in self], hint=hint)


def problem(flaw: Flaw, path: Path) -> errors.Problem:
    """Return a flaw as a problem of an error."""
    message = f"{flaw.message}; {flaw.fix}" if flaw.fix else flaw.message
    return errors.Problem(path=str(path), line=flaw.line, message=message, text=flaw.text)


def finding(flaw: Flaw, path: Path) -> findings.Finding:
    """Return a flaw as a finding of a check."""
    return findings.Finding(
        rule=flaw.rule,
        severity=flaw.severity,
        message=flaw.message,
        path=str(path),
        line=flaw.line,
        entry=flaw.entry,
        fix=flaw.fix,
    )


def nearest(word: str, known: Iterable[str]) -> str:
    """Return “did you mean …?” for a mistyped word, or an empty text."""
    close = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"did you mean “{close[0]}”?" if close else ""
