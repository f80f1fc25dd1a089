"""How people, their history and their imports look on the screen and in files."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from newsletter.cli import output
from newsletter.domain import errors
from newsletter.domain.subscribers import Status, Subscriber

if TYPE_CHECKING:
    from newsletter.subscribing import importing


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


def print_list(people: Iterable[Subscriber]) -> None:
    """Print one line each, as they come."""
    output.table(
        ["address", "status", "name", "tags", "since"],
        [
            (person.email, person.status.value, person.name, ", ".join(person.tags), _day(person.joined_at))
            for person in people
        ],
    )


def print_person(result: Mapping[str, Any]) -> None:
    """Print everything about one subscriber."""
    person: Subscriber = result["subscriber"]
    facts = {
        "address": person.email,
        "status": person.status.value,
        "name": person.name,
        "language": person.language,
        "time zone": person.timezone,
        "topics": ", ".join(person.topics),
        "tags": ", ".join(person.tags),
        "paused until": _day(person.paused_until) if person.paused_until else "",
        "suppressed": result["suppressed"],
        **{str(key): value for key, value in person.attributes.items()},
    }
    for name, value in facts.items():
        if value not in ("", None):
            output.line(f"{name + ':':14}{value}")
    output.line()
    rows = [
        (f"{kept.at:%Y-%m-%d %H:%M} UTC", kept.status.value, kept.how.value, kept.source, kept.wording)
        for kept in result["history"]
    ]
    output.table(["when", "became", "how", "where", "in these words"], rows)


def print_counts(counts: Mapping[Status, int]) -> None:
    """Print how many subscribers there are of each status."""
    rows = [(status.value, f"{number:,}") for status, number in counts.items()]
    output.table(["status", "subscribers"], [*rows, ("all", f"{sum(counts.values()):,}")])


def print_report(report: importing.Report) -> None:
    """Print what an import did, or would do, and what to type next."""
    for table in report.tables:
        output.line(f"{table.name}: {table.format}, {table.encoding}")
        for column, role in table.columns.items():
            output.line(f"  {column} → {role.replace('_', ' ')}")
        if table.ignored:
            output.line(f"  not taken: {_shortened(table.ignored)}")
    output.line()
    counts = report.counts
    rows = [
        ("new", counts.new, "come onto the list"),
        ("known", counts.known, "are on the list already"),
        ("  changed", counts.changed, "of them get a firmer status, a name or a tag"),
        ("  held", counts.held, "of them would be resubscribed: their status stays as it is"),
        ("duplicate", counts.duplicate, "repeat an address of this file"),
        ("suppressed", counts.suppressed, "must not be mailed: left out"),
        ("invalid", report.invalid, "are no people: left out"),
    ]
    output.table(["rows", "", ""], [(name, f"{number:>9,}", words) for name, number, words in rows])
    _print_rejected(report)
    output.line()
    if report.written:
        output.line(f"Imported as number {counts.run}.")
    else:
        output.line("Nothing was written. To write it:")
        output.line(f'  newsletter subscriber import {report.file} --yes --attest "how these people agreed"')


def _print_rejected(report: importing.Report) -> None:
    if report.invalid:
        output.line()
    for bad in report.rejected:
        output.line(f"{bad.file}:{bad.line}: {bad.reason}")
    if report.invalid > len(report.rejected):
        output.line(f"… and {report.invalid - len(report.rejected):,} more")
    if report.rejected_file:
        output.line(f"All of them are in {report.rejected_file}.")


def _shortened(names: Iterable[str], shown: int = 12) -> str:
    every = list(names)
    return ", ".join(every[:shown]) + (f" and {len(every) - shown} more" if len(every) > shown else "")


def _day(moment: Any) -> str:
    return f"{moment:%Y-%m-%d}"
