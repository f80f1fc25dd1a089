"""What an import leaves out: counted by reason, the first of each shown, all of them written on demand."""

from __future__ import annotations

import collections
import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from newsletter.domain import errors, intake
from newsletter.subscribing import binding

#: Rows shown one by one for each reason, and reasons of which rows are shown.
SHOWN, REASONS = 5, 20
_QUOTED = re.compile("“.*”")
REJECTED_COLUMNS = ("rejected line", "why rejected")


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """One row that is not taken in, and why."""

    file: str
    line: int
    reason: str
    text: str


class Leftovers:
    """Keeps what is left out while a file is read, and writes it down beside the file that is asked for."""

    def __init__(self, path: Path | None, *, everything: bool) -> None:
        """Write to ``path``, if any: rows that are no people; with ``everything`` all that are left out."""
        self.count = 0
        self.reasons: collections.Counter[str] = collections.Counter()
        #: Where they are, once the import is done.
        self.written: Path | None = None
        self._shown: dict[str, list[Rejected]] = {}
        self._path = path
        self._everything = everything
        self._file: IO[str] | None = None
        self._heading_of: binding.Bound | None = None

    def __enter__(self) -> Leftovers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._file is None or self._path is None:
            return
        self._file.close()
        unfinished = Path(self._file.name)
        if kind is None:
            self.written = unfinished.replace(self._path)
        else:
            unfinished.unlink(missing_ok=True)

    @property
    def rejected(self) -> Sequence[Rejected]:
        """The first rows of each reason for which rows are no people, by line."""
        return sorted(
            (each for reason in self.reasons for each in self._shown.get(reason, [])),
            key=lambda each: each.line,
        )

    @property
    def left_out(self) -> Mapping[str, Sequence[Rejected]]:
        """The first good rows of each kind that are not written as they stand."""
        return {
            kind: self._shown[kind] for kind in ("held", "suppressed", "duplicate") if kind in self._shown
        }

    def reject(self, table: binding.Bound, line: int, cells: list[str], reason: str) -> None:
        """Keep a row that is no person, with the line it stands on and what is wrong with it."""
        self.count += 1
        # One kind of mistake is one reason, whatever the address.
        kind = _QUOTED.sub("…", reason)
        self.reasons[kind] += 1
        text = table.sheet.separator.join(cells)[:200]
        if len(self.reasons) <= REASONS or kind in self._shown:
            self._show(kind, Rejected(file=table.sheet.name, line=line, reason=reason, text=text))
        if self._path:
            self._write(table, [*cells, str(line), reason])

    def leave_out(self, tables: Sequence[binding.Bound], found: intake.LeftOut) -> None:
        """Keep a good row that is not written as it stands."""
        table = max(
            (each for each in tables if each.sheet.offset < found.line), key=lambda each: each.sheet.offset
        )
        line = found.line - table.sheet.offset
        row = Rejected(file=table.sheet.name, line=line, reason=found.why, text=found.email)
        self._show(found.kind, row)
        if self._path and self._everything:
            width, place = max(1, len(table.heading)), table.email
            cells = [found.email if number == place else "" for number in range(width)]
            self._write(table, [*cells, str(line), f"{found.kind}: {found.why}"])

    def _show(self, kind: str, row: Rejected) -> None:
        shown = self._shown.setdefault(kind, [])
        if len(shown) < SHOWN:
            shown.append(row)

    def _write(self, table: binding.Bound, row: list[str]) -> None:
        assert self._path is not None
        if self._file is None:
            self._file = self._opened(self._path)
        writer = csv.writer(self._file)
        if self._heading_of is not table:
            self._heading_of = table
            writer.writerow([*(table.heading or ["email"]), *REJECTED_COLUMNS])
        writer.writerow(row)

    @staticmethod
    def _opened(path: Path) -> IO[str]:
        unfinished = path.with_name(f".{path.name}.part")
        try:
            # People's addresses: for the owner's eyes.
            unfinished.touch(mode=0o600)
            return unfinished.open("w", encoding="utf-8", newline="")
        except OSError as error:
            raise errors.WorkspaceError(f"{path} cannot be written ({error.strerror})") from error
