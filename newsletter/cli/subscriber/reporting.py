"""How an import, and its undoing, look on the screen."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.cli import output

if TYPE_CHECKING:
    from newsletter.domain import intake
    from newsletter.subscribing import importing


def print_report(report: importing.Report, file: Path) -> None:
    """Print what an import did, or would do, and what to type next."""
    for table in report.tables:
        output.line(f"{table.name}: {table.format}, {table.encoding}")
        for column, role in table.columns.items():
            output.line(f"  {column} → {role.replace('_', ' ')}")
        if table.ignored:
            output.line(f"  not taken: {_shortened(table.ignored)}")
    output.line()
    output.table(["rows", "", ""], [(name, f"{number:>9,}", words) for name, number, words in _rows(report)])
    _print_rejected(report)
    _print_suspects(report)
    output.line()
    if report.written:
        output.line(f"Imported as number {report.counts.run}.")
        output.line(f"To take it back: newsletter subscriber import --undo {report.counts.run}")
    else:
        output.line("Nothing was written. To write it:")
        typed = shlex.quote(str(file))
        output.line(f'  newsletter subscriber import {typed} --yes --attest "how these people agreed"')


def _rows(report: importing.Report) -> list[tuple[str, int, str]]:
    counts = report.counts
    return [
        ("new", counts.new, "come onto the list"),
        ("known", counts.known, "are on the list already"),
        ("  changed", counts.changed, "of them get a firmer status, a name or a tag"),
        ("  held", counts.held, "of them would be resubscribed: their status stays as it is"),
        ("duplicate", counts.duplicate, "repeat an address of this file"),
        ("suppressed", counts.suppressed, "must not be mailed: left out"),
        ("invalid", report.invalid, "are no people: left out"),
        *(
            (kind, number, "taken in; worth a second look")
            for kind, number in report.suspicious.items()
            if number
        ),
    ]


def _print_rejected(report: importing.Report) -> None:
    hidden = False
    if report.invalid:
        output.line()
    if len(report.reasons) > 1:
        for reason, number in report.reasons.items():
            output.line(f"{number:>9,} × {reason}")
    for bad in report.rejected:
        output.line(f"{bad.file}:{bad.line}: {bad.reason}")
    hidden |= _print_more(report.invalid - len(report.rejected))
    for kind, rows in report.left_out.items():
        output.line()
        for row in rows:
            output.line(f"{row.file}:{row.line}: {kind}: {row.text}: {row.reason}")
        hidden |= _print_more(getattr(report.counts, kind) - len(rows))
    if report.rejected_file:
        output.line(f"All of them are in {report.rejected_file}.")
    elif hidden:
        output.line("Add --rejected FILE to have all of them in a CSV file, each with its line and reason.")


def _print_more(number: int) -> bool:
    if number > 0:
        output.line(f"… and {number:,} more")
    return number > 0


def _print_suspects(report: importing.Report) -> None:
    if report.suspects:
        output.line()
    for suspect in report.suspects:
        meant = f"; {suspect.meant}?" if suspect.meant else ""
        output.line(f"{suspect.file}:{suspect.line}: {suspect.email}: {suspect.why}{meant}")


def print_imports(found: Sequence[intake.Import]) -> None:
    """Print the imports that were written."""
    rows = [
        (
            each.id,
            f"{each.at:%Y-%m-%d %H:%M}",
            each.source,
            each.counts.get("new", 0),
            each.wording,
            f"undone {each.undone_at:%Y-%m-%d}" if each.undone_at else "",
        )
        for each in found
    ]
    output.table(["number", "when (UTC)", "file", "new", "attested", ""], rows)


def print_undone(number: int, undone: intake.Undone) -> None:
    """Print what the undoing of an import took back."""
    output.line(f"Import {number} is undone.")
    rows = [
        (undone.removed, "people it had brought are gone again"),
        (
            undone.kept,
            "people it had brought stay: something happened to them since, or they were written to",
        ),
        (undone.restored, "people have the status again that they had before"),
        (undone.emptied, "people have fields empty again that it had filled"),
        (undone.unlabelled, "topics and tags that it had put on people are off"),
    ]
    output.table(["", ""], [(f"{count:>9,}", words) for count, words in rows])


def _shortened(names: Iterable[str], shown: int = 12) -> str:
    every = list(names)
    return ", ".join(every[:shown]) + (f" and {len(every) - shown} more" if len(every) > shown else "")
