"""`issue list`, `show`, `new` and `import`: the folder of issues."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import invocation, nouns, output
from newsletter.cli.issue.group import Issue, app, path_of
from newsletter.domain import numbering

if TYPE_CHECKING:
    from newsletter.authoring import back_issues, shelf
    from newsletter.domain import issues

Number = Annotated[
    str, typer.Option("--number", metavar="VOL.NO", help="The issue's number, as in 2.23; default: the next.")
]
Day = Annotated[
    datetime | None,
    typer.Option("--date", metavar="DATE", formats=["%Y-%m-%d"], help="The issue's date; default: the next."),
]


@app.command("list", epilog=nouns.example("newsletter issue list", "newsletter issue list --json"))
def list_(ctx: typer.Context, as_json: output.Json = False) -> None:
    """List the issues by number, with date, status and first headline."""
    from newsletter.authoring import shelf

    folder = invocation.of(ctx).app.workspace.issues
    shelved = shelf.listing(folder)
    plain = [_plain(one) for one in shelved]
    output.show(plain, as_json=as_json, text=lambda: _print_list(shelved, folder))


def _plain(one: shelf.Listing) -> dict[str, object]:
    return {
        "number": str(one.number) if one.number else None,
        "date": one.date,
        "status": one.status,
        "language": one.language or None,
        "subject": one.subject or one.headline,
        "path": str(one.path),
    }


def _print_list(shelved: list[shelf.Listing], folder: Path) -> None:
    if not shelved:
        output.line(f"There is no issue in {folder} yet; newsletter issue new begins one.")
        return
    rows = [(one.number, one.date, one.status, one.path.name, one.headline or one.subject) for one in shelved]
    output.table(("Vol", "Date", "Status", "File", "First headline"), rows)


@app.command(epilog=nouns.example("newsletter issue show latest"))
def show(ctx: typer.Context, issue: Issue, as_json: output.Json = False) -> None:
    """Show what an issue is made of."""
    app_ = invocation.of(ctx).app
    read = app_.press.read(path_of(app_, issue))
    output.show(read, as_json=as_json, text=lambda: _print_issue(read))


def _print_issue(issue: issues.Issue) -> None:
    rows = [
        ("File", issue.path),
        ("Number", issue.number),
        ("Date", issue.date),
        ("Status", issue.status),
        ("Language", issue.language),
        ("Title", issue.title),
        ("Subject", issue.subject),
        ("Preheader", issue.preheader),
        ("Hero", f"{issue.hero.src or 'no picture yet'}, by {issue.hero.credit}" if issue.hero else None),
        ("Goes out", issue.send_at),
    ]
    for name, value in rows:
        if value is not None:
            output.line(f"{name + ':':<11}{value}")
    output.line()
    cells = [
        (i, entry.id, len(entry.body.split()), len(entry.sources), entry.headline)
        for i, entry in enumerate(issue.entries, 1)
    ]
    output.table(("#", "Entry", "Words", "Sources", "Headline"), cells)


@app.command(
    epilog=nouns.example("newsletter issue new", "newsletter issue new --number 3.1 --date 2027-01-08")
)
def new(ctx: typer.Context, number: Number = "", day: Day = None, as_json: output.Json = False) -> None:
    """Begin the next issue: next number, next date of the schedule, settings of the last one."""
    newsroom = invocation.of(ctx).app.newsroom
    chosen = numbering.parse(number) if number else None
    begun = newsroom.begin(chosen, day.date() if day else None)
    name = str(begun.number)
    output.show(
        {"number": name, "date": begun.day, "path": str(begun.path)},
        as_json=as_json,
        text=lambda: output.line(
            f"{begun.path}: {begun.number.label}, {begun.day:%A, %d %B %Y}\n"
            f"Write it, then: newsletter issue check {name}"
        ),
    )


@app.command(
    "import",
    epilog=nouns.example(
        "newsletter issue import vol-2-23.txt", "newsletter issue import substack-export.zip"
    ),
)
def import_(
    ctx: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Text in the digest’s own layout, Markdown, HTML, .eml; or a ZIP or folder of them.",
        ),
    ],
    number: Number = "",
    day: Day = None,
    as_json: output.Json = False,
) -> None:
    """Read issues written elsewhere into issue files, and say what was guessed and what was left."""
    from newsletter.authoring import back_issues

    newsroom = invocation.of(ctx).app.newsroom
    chosen = numbering.parse(number) if number else None
    results = newsroom.take_in(file, chosen, day.date() if day else None)
    plain = [_plain_import(one) for one in results]
    single = (
        isinstance(results[0], back_issues.Imported) and not file.is_dir() and file.suffix.lower() != ".zip"
    )
    output.show(
        plain[0] if single else plain,
        as_json=as_json,
        text=lambda: _print_imports(results, single=single),
    )
    if any(isinstance(one, back_issues.Missed) for one in results):
        raise typer.Exit(1)


def _plain_import(one: back_issues.Imported | back_issues.Missed) -> dict[str, object]:
    from newsletter.authoring import back_issues

    if isinstance(one, back_issues.Missed):
        return {"source": one.source, "error": one.reason}
    return {
        "source": one.source,
        "number": str(one.number),
        "date": one.date,
        "path": str(one.path),
        "entries": one.entries,
        "notes": [{"kind": note.kind, "what": note.what} for note in one.notes],
    }


def _print_imports(results: list[back_issues.Imported | back_issues.Missed], *, single: bool) -> None:
    from newsletter.authoring import back_issues

    taken = [one for one in results if isinstance(one, back_issues.Imported)]
    if single:
        (one,) = taken
        entries = output.counted(one.entries, "entry", "entries")
        output.line(f"{one.path}: {one.number.label} of {one.date}, {entries}")
    else:
        rows = [
            (one.number, one.date, one.entries, *_counts(one), one.source)
            for one in sorted(taken, key=lambda one: one.number)
        ]
        output.table(("Vol", "Date", "Entries", "Guessed", "Left", "Source"), rows)
    for one in taken:
        for note in one.notes:
            output.warn(f"{'' if single else f'{one.number}: '}{note.kind}: {note.what}")
    for missed in results:
        if isinstance(missed, back_issues.Missed):
            output.complain(f"{missed.source}: {missed.reason}")
    if single:
        output.line(f"Look it over, then: newsletter issue check {taken[0].number}")


def _counts(one: back_issues.Imported) -> tuple[int, int]:
    kinds = [str(note.kind) for note in one.notes]
    return kinds.count("guessed"), kinds.count("left")
