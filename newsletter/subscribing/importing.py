"""Import a file of people: show what it would do, then do it, and never raise anybody's consent."""

from __future__ import annotations

import collections
import csv
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO

from newsletter import ports
from newsletter.domain import errors, intake
from newsletter.subscribing import binding, sheets, suspicion

#: Bad rows shown one by one; all of them are counted and written to the file of rejected rows.
SHOWN = 20
_QUOTED = re.compile("“.*”")
REJECTED_COLUMNS = ("rejected line", "why rejected")


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """One row that is not taken in, and why."""

    file: str
    line: int
    reason: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """An address that is worth a second look, and what may have been meant."""

    file: str
    line: int
    email: str
    why: str
    meant: str


@dataclass(frozen=True, kw_only=True)
class Report:
    """What an import did, or would do."""

    file: str
    counts: intake.Counts
    #: Rows that are no people, and how many for each reason.
    invalid: int
    reasons: Mapping[str, int]
    rejected: Sequence[Rejected]
    #: Where the invalid rows were written; None in a trial, or when there were none.
    rejected_file: Path | None
    tables: Sequence[Table]
    #: In a trial: addresses that would come in and are worth a second look, by kind, and the first few.
    suspicious: Mapping[str, int]
    suspects: Sequence[Suspect]

    @property
    def written(self) -> bool:
        """Whether the list was changed."""
        return self.counts.run > 0


@dataclass(frozen=True, kw_only=True)
class Table:
    """How one table of the file was understood."""

    name: str
    format: str
    encoding: str
    #: Column of the file → what is taken from it.
    columns: Mapping[str, str]
    ignored: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a file is to be read."""

    #: How these people agreed; recorded with every one of them.
    attest: str = ""
    write: bool = False
    #: Empty: found out.
    encoding: str = ""
    #: Attributes that columns of their names are taken as, and of which kind each is.
    attributes: Mapping[str, str] = field(default_factory=dict)
    #: Told now and then how many rows were read.
    progress: Callable[[int], None] = field(default=lambda rows: None)


def run(directory: ports.Directory, path: Path, options: Options, *, now: datetime) -> Report:
    """Read a file of people and count what it would do to the list; with `Options.write`, do it.

    Raises:
        ImportFileError: it cannot be read as a table of people, or nobody attests their consent.
    """
    if options.write and not options.attest.strip():
        raise errors.ImportFileError(
            "nobody says how these people agreed to be written to",
            hint='add --attest "signed up on paper at the autumn conference"',
        )
    found = sheets.open_sheets(path, encoding=options.encoding)
    tables = [binding.bind(sheet, options.attributes) for sheet in found]
    # What is worth a second look is looked at before it is written.
    suspects = None if options.write else _Suspects()
    with _Rejects(path.with_suffix(".rejected.csv") if options.write else None) as rejects:
        counts = directory.take_in(
            _people(tables, rejects, suspects, options.progress),
            intake.Source(
                name=path.name,
                parts=tuple((table.sheet.offset, table.sheet.name) for table in tables),
                wording=options.attest.strip(),
                now=now,
            ),
            write=options.write,
        )
    return Report(
        file=path.name,
        counts=counts,
        invalid=rejects.count,
        reasons=dict(rejects.reasons.most_common()),
        rejected=rejects.shown,
        rejected_file=rejects.written,
        tables=[_described(table) for table in tables],
        suspicious=suspects.counts if suspects else {},
        suspects=suspects.shown if suspects else (),
    )


def _people(
    tables: Sequence[binding.Bound],
    rejects: _Rejects,
    suspects: _Suspects | None,
    progress: Callable[[int], None],
) -> Iterator[intake.Row]:
    read = 0
    for table in tables:
        offset, person = table.sheet.offset, table.person
        for line, cells in table.rows():
            read += 1
            if not read % 10_000:
                progress(read)
            try:
                found = person(offset + line, cells)
                if suspects and (why := suspicion.of(found.email)):
                    suspects.add(table, line, found.email, why)
                yield found
            except (errors.AddressError, errors.ImportFileError) as error:
                rejects.add(table, line, cells, str(error))


def _described(table: binding.Bound) -> Table:
    return Table(
        name=table.sheet.name,
        format=table.format.name,
        encoding=table.sheet.encoding,
        columns=table.columns,
        ignored=table.ignored,
    )


class _Suspects:
    """Addresses worth a second look: counted, and the first ones kept to show."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys((kind.value for kind in suspicion.Suspicion), 0)
        self.shown: list[Suspect] = []

    def add(
        self, table: binding.Bound, line: int, email: str, found: tuple[suspicion.Suspicion, str]
    ) -> None:
        """Keep an address with what is suspicious about it."""
        why, meant = found
        self.counts[why.value] += 1
        if len(self.shown) < SHOWN:
            suspect = Suspect(file=table.sheet.name, line=line, email=email, why=why.value, meant=meant)
            self.shown.append(suspect)


class _Rejects:
    """The rows that are no people: counted, the first ones kept to show, all written beside the file."""

    def __init__(self, path: Path | None) -> None:
        self.count = 0
        self.reasons: collections.Counter[str] = collections.Counter()
        self.shown: list[Rejected] = []
        #: Where they are, once the import is done.
        self.written: Path | None = None
        self._path = path
        self._file: IO[str] | None = None
        self._heading_of: binding.Bound | None = None

    def __enter__(self) -> _Rejects:
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

    def add(self, table: binding.Bound, line: int, cells: list[str], reason: str) -> None:
        """Keep a row, with the line it stands on and what is wrong with it."""
        self.count += 1
        # One kind of mistake is one reason, whatever the address.
        self.reasons[_QUOTED.sub("…", reason)] += 1
        if len(self.shown) < SHOWN:
            text = table.sheet.separator.join(cells)
            self.shown.append(Rejected(file=table.sheet.name, line=line, reason=reason, text=text[:200]))
        if self._path:
            self._write(table, [*cells, str(line), reason])

    def _write(self, table: binding.Bound, row: list[str]) -> None:
        assert self._path is not None
        if self._file is None:
            unfinished = self._path.with_name(f".{self._path.name}.part")
            self._file = unfinished.open("w", encoding="utf-8", newline="")
        writer = csv.writer(self._file)
        if self._heading_of is not table:
            self._heading_of = table
            writer.writerow([*(table.heading or ["email"]), *REJECTED_COLUMNS])
        writer.writerow(row)
