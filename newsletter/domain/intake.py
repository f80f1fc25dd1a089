"""What an import of people is made of: its rows, its source, what it did, and its undoing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from newsletter.domain import subscribers


class Row(NamedTuple):
    """One person of an import file, already cleaned."""

    line: int
    #: As `addresses.plain` or the slower check returned it.
    email: str
    status: subscribers.Status
    name: str = ""
    language: str = ""
    timezone: str = ""
    topics: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    attributes: Mapping[str, Any] | None = None
    joined_at: datetime | None = None


class LeftOut(NamedTuple):
    """A good row that an import does not write as it stands."""

    line: int
    email: str
    #: The word of `Counts` under which it is counted: held, suppressed or duplicate.
    kind: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Source:
    """What all rows of one import have in common."""

    #: Name of the file.
    name: str
    #: How these people agreed, in the words of who imports them.
    wording: str
    now: datetime
    #: The tables it holds, each with what was added to its line numbers; one table needs none.
    parts: Sequence[tuple[int, str]] = ()

    def place(self, line: int, run: int) -> str:
        """Return where a row came from, as its consent record says it."""
        offset, name = max((part for part in self.parts if part[0] < line), default=(0, self.name))
        return f"{name}, line {line - offset} (import {run})"


#: Is told of every row that is left out, kind by kind, before anything is written.
Tell = Callable[[LeftOut], None]
DUPLICATE = "another row of this file for the same address counts"


def held(status: str, wanted: str) -> str:
    """Say why the status of a row is not taken."""
    return f"is {status}, and an import raises nobody to {wanted}"


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What an import did, or would do. Every row is new, known, duplicate or suppressed."""

    new: int = 0
    known: int = 0
    #: Of the known: a status made firmer, an empty field filled, a tag added.
    changed: int = 0
    #: Of the known: rows that would have raised consent; the status is left as it is.
    held: int = 0
    #: Rows for an address that an earlier row of the same file had.
    duplicate: int = 0
    #: Rows for an address or domain that must not be mailed: left out.
    suppressed: int = 0
    #: Id of the import, to undo it by; 0 when nothing was written.
    run: int = 0


@dataclass(frozen=True, kw_only=True)
class Import:
    """An import that was written."""

    id: int
    at: datetime
    source: str
    wording: str
    counts: Mapping[str, int]
    undone_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Undone:
    """What the undoing of an import took back."""

    #: People it had brought who are gone again.
    removed: int
    #: People it had brought who stay, because something happened to them since.
    kept: int
    #: People whose status is again what it was before.
    restored: int
    #: People whose empty fields are empty again.
    emptied: int
    #: Topics and tags it had put on people.
    unlabelled: int
