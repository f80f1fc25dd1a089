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


@app.command("import", epilog=nouns.example("newsletter issue import vol-2-23.txt"))
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A text in the digest's own layout.")],
    number: Number = "",
    day: Day = None,
    as_json: output.Json = False,
) -> None:
    """Read an issue that was written elsewhere into an issue file, and say what could not be placed."""
    newsroom = invocation.of(ctx).app.newsroom
    chosen = numbering.parse(number) if number else None
    taken = newsroom.take_in(file, chosen, day.date() if day else None)
    plain = {"number": str(taken.number), "date": taken.date, "path": str(taken.path)}
    notes = [{"kind": note.kind, "what": note.what} for note in taken.notes]
    output.show(
        plain | {"entries": taken.entries, "notes": notes},
        as_json=as_json,
        text=lambda: _print_import(taken),
    )


def _print_import(taken: back_issues.Imported) -> None:
    output.line(f"{taken.path}: {taken.number.label} of {taken.date}, {taken.entries} entries")
    for note in taken.notes:
        output.warn(f"{note.kind}: {note.what}")
    output.line(f"Look it over, then: newsletter issue check {taken.number}")
