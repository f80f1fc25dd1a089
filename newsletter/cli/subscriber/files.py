"""Exports as files: whole or not at all, and for the owner's eyes."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

from newsletter.domain import errors
from newsletter.domain.subscribers import Subscriber


class Format(enum.StrEnum):
    """How an export is written."""

    CSV = "csv"
    JSON_LINES = "jsonl"


def write(people: Iterable[Subscriber], form: Format, out: TextIO) -> int:
    """Write people out; return how many."""
    from newsletter.subscribing import exporting

    writer = exporting.write_csv if form is Format.CSV else exporting.write_json_lines
    return writer(people, out)


def write_file(people: Iterable[Subscriber], form: Format, path: Path) -> int:
    """Write people into a file for the owner's eyes, whole or not at all; return how many."""
    unfinished = path.with_name(f".{path.name}.part")
    try:
        unfinished.touch(mode=0o600)
        with unfinished.open("w", encoding="utf-8", newline="") as out:
            count = write(people, form, out)
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise errors.WorkspaceError(f"{path} cannot be written ({error.strerror})") from error
    return count
