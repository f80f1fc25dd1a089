"""Take in a list of addresses and domains that must not be mailed, as another tool exported it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from newsletter.domain import errors
from newsletter.subscribing import cleaning

#: What the first line calls its first column where it is a heading.
_HEADINGS = frozenset(
    {"email", "e-mail", "email address", "address", "recipient", "domain", "address or domain"}
)


def read(path: Path) -> list[tuple[str, str]]:
    """Return (address or domain, reason) pairs: a line each, the reason after a comma where there is one.

    Raises:
        ImportFileError: the file cannot be read, or a line is neither; then nothing of it may be used.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(_pairs(path, file))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise errors.ImportFileError(
            f"{path} cannot be read: {why}", hint="name a text or CSV file"
        ) from error


def _pairs(path: Path, file: Iterator[str]) -> Iterator[tuple[str, str]]:
    for number, cells in enumerate(csv.reader(file), start=1):
        value = cells[0].strip() if cells else ""
        if not value or (number == 1 and value.lower() in _HEADINGS):
            continue
        try:
            yield cleaning.address_or_domain(value), cells[1].strip() if len(cells) > 1 else ""
        except errors.AddressError as error:
            raise errors.ImportFileError(
                f"{path}:{number}: {error}", hint="mend the line; nothing was taken in"
            ) from error
