"""Import a file of people: show what it would do, then do it, and never raise anybody's consent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from newsletter import ports
from newsletter.domain import errors, intake
from newsletter.subscribing import binding, leftovers, sheets, suspicion

#: Suspicious addresses shown one by one; all of them are counted.
SHOWN = 20


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
    #: The first invalid rows of each reason.
    rejected: Sequence[leftovers.Rejected]
    #: The first good rows that are not written as they stand: held, suppressed, duplicate.
    left_out: Mapping[str, Sequence[leftovers.Rejected]]
    #: Where rows that were left out were written; None in a trial that names no file.
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
    #: A file for every row that is left out; None: a written import puts invalid rows beside its file.
    rejected: Path | None = None
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
    beside = path.with_suffix(".rejected.csv") if options.write else None
    everything = options.rejected is not None or not options.write
    with leftovers.Leftovers(options.rejected or beside, everything=everything) as rejects:
        counts = directory.take_in(
            _people(tables, rejects, suspects, options.progress),
            intake.Source(
                name=path.name,
                parts=tuple((table.sheet.offset, table.sheet.name) for table in tables),
                wording=options.attest.strip(),
                now=now,
            ),
            write=options.write,
            tell=(lambda found: rejects.leave_out(tables, found)) if everything else None,
        )
    return _reported(path, counts, tables, rejects, suspects)


def _reported(
    path: Path,
    counts: intake.Counts,
    tables: Sequence[binding.Bound],
    rejects: leftovers.Leftovers,
    suspects: _Suspects | None,
) -> Report:
    return Report(
        file=path.name,
        counts=counts,
        invalid=rejects.count,
        reasons=dict(rejects.reasons.most_common()),
        rejected=rejects.rejected,
        left_out=rejects.left_out,
        rejected_file=rejects.written,
        tables=[_described(table) for table in tables],
        suspicious=suspects.counts if suspects else {},
        suspects=suspects.shown if suspects else (),
    )


def _people(
    tables: Sequence[binding.Bound],
    rejects: leftovers.Leftovers,
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
                rejects.reject(table, line, cells, str(error))


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
