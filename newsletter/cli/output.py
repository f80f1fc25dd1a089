"""Print one result: lines, a table or JSON on stdout; complaints and progress on stderr."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import sys
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import date, timedelta
from enum import Enum
from typing import Annotated, Any, TextIO

import typer

from newsletter.domain import errors

#: The option of every command that has a result to hand on.
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]

#: The option of every command that asks before it does what cannot be undone.
Yes = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]

GAP = "  "
RED, YELLOW, GREEN, CYAN, DIM = "31", "33", "32", "36", "2"


def line(text: str = "") -> None:
    """Print one line of the result."""
    sys.stdout.write(f"{text}\n")


def counted(number: int, one: str, many: str = "") -> str:
    """Return a number with the words for one or for many; where these are not given, they end in an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def show(result: Any, *, as_json: bool, text: Callable[[], object]) -> None:
    """Print `result` as JSON when asked to, otherwise run `text`, which prints it for people."""
    if as_json:
        line(json.dumps(result, default=_plain, ensure_ascii=False, indent=2))
    else:
        text()


def show_each(results: Iterable[Any], *, as_json: bool, text: Callable[[], object]) -> None:
    """Print many results as they come: as a JSON list with one of them on each line, or by ``text``."""
    if not as_json:
        text()
        return
    between = "[\n"
    for result in results:
        sys.stdout.write(between + json.dumps(result, default=_plain, ensure_ascii=False))
        between = ",\n"
    line("[]" if between == "[\n" else "\n]")


def _plain(value: object) -> object:
    """Turn a record of the domain into what JSON can say."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    for kind, convert in _CONVERSIONS:
        if isinstance(value, kind):
            return convert(value)
    return str(value)


_CONVERSIONS: tuple[tuple[type, Callable[[Any], object]], ...] = (
    (Enum, lambda value: value.value),
    (date, lambda value: value.isoformat()),
    (timedelta, lambda value: value.total_seconds()),
    (Mapping, dict),
    (Set, lambda value: sorted(value, key=str)),
    (Iterable, list),
)


#: Rows of a table that are held at once; those after them keep its columns.
_HELD = 1000


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows under their headings in columns as wide as their widest cell; however many, as they come."""
    coming = ([str(cell) if cell is not None else "–" for cell in row] for row in rows)
    cells = list(itertools.islice(coming, _HELD))
    widths = [max(_width(row[column]) for row in [headings, *cells]) for column in range(len(headings))]
    line(paint(_row(headings, widths), DIM))
    for row in itertools.chain(cells, coming):
        line(_row(row, widths))


def _row(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True))
    return GAP.join(padded).rstrip()


def _width(text: str) -> int:
    """Count terminal columns: East Asian wide characters take two, combining marks none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def paint(text: str, *codes: str, stream: TextIO | None = None) -> str:
    """Colour `text` with SGR codes where `stream` is a terminal and NO_COLOR (no-color.org) is not set."""
    stream = stream or sys.stdout
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\033[{';'.join(codes)}m{text}\033[0m"


def complain(message: str, *, hint: str = "") -> None:
    """Print an error and the next thing to type on stderr."""
    sys.stdout.flush()
    sys.stderr.write(f"{paint('Error:', RED, stream=sys.stderr)} {message}\n")
    if hint:
        sys.stderr.write(f"{paint('Hint:', CYAN, stream=sys.stderr)} {hint}\n")


def warn(message: str) -> None:
    """Print a warning on stderr; the command goes on."""
    sys.stdout.flush()
    sys.stderr.write(f"{paint('Warning:', YELLOW, stream=sys.stderr)} {message}\n")


def confirm(question: str, *, yes: bool = False) -> None:
    """Ask a yes-or-no question, no being the default, and leave with exit code 1 on a no.

    Raises:
        UsageError: nobody is at the terminal to answer.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise errors.UsageError(
            f"{question} Nobody is at the terminal to answer", hint="add --yes to do it without asking"
        )
    if not typer.confirm(question, default=False):
        raise typer.Exit(1)


@contextmanager
def progress(label: str, *, total: int) -> Iterator[Callable[[int], None]]:
    """Yield `advance(by)`; draws a bar with rate and time left on stderr where that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda by: None
        return
    from rich import progress as bars
    from rich.console import Console

    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.MofNCompleteColumn(),
        bars.TextColumn("{task.fields[rate]}"),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total, rate="")

        def advance(by: int) -> None:
            bar.advance(task, by)
            speed = bar.tasks[0].speed
            bar.update(task, rate=f"{speed:,.0f}/s" if speed else "")

        yield advance
