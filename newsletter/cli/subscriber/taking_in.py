"""`subscriber import`: take in a file of people, list what was taken in, and take it back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter import wiring
from newsletter.cli import invocation, nouns, output
from newsletter.cli.subscriber import reporting
from newsletter.cli.subscriber.group import app
from newsletter.cli.subscriber.keeping import Attest
from newsletter.domain import errors

File = Annotated[Path | None, typer.Argument(metavar="FILE", help="A CSV, text or ZIP file of people.")]
Encoding = Annotated[str, typer.Option("--encoding", help="The file's encoding; found out where not given.")]
Write = Annotated[bool, typer.Option("--yes", help="Write; without it the import is only tried.")]
Rejected = Annotated[
    Path | None,
    typer.Option("--rejected", metavar="FILE", help="Write every row that is left out to a CSV file."),
]
Undo = Annotated[int, typer.Option("--undo", metavar="ID", help="Take back what that import added.")]
Listing = Annotated[bool, typer.Option("--list", help="List the imports that were written.")]


@app.command(
    "import",
    epilog=nouns.example(
        "newsletter subscriber import people.csv",
        "newsletter subscriber import people.csv --rejected left-out.csv",
        "newsletter subscriber import people.csv --yes --attest 'signed up on paper at the fair'",
        "newsletter subscriber import --undo 7",
    ),
)
def import_(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    file: File = None,
    *,
    yes: Write = False,
    attest: Attest = "",
    encoding: Encoding = "",
    rejected: Rejected = None,
    undo: Undo = 0,
    listing: Listing = False,
    as_json: output.Json = False,
) -> None:
    """Take in a file of people; without --yes, only show what that would do."""
    from newsletter.subscribing import importing

    app = invocation.of(ctx).app
    if undo or listing:
        _look_back(app, undo, as_json=as_json)
        return
    if file is None:
        raise errors.UsageError("no file was named", hint="newsletter subscriber import people.csv")
    kinds = app.settings.attributes
    options = importing.Options(
        attest=attest, write=yes, encoding=encoding, attributes=kinds, rejected=rejected
    )
    report = importing.run(app.directory, file, options, now=app.now())
    output.show(report, as_json=as_json, text=lambda: reporting.print_report(report, file))


def _look_back(app: wiring.App, undo: int, *, as_json: bool) -> None:
    if undo:
        undone = app.registrar.undo(undo, now=app.now())
        output.show(undone, as_json=as_json, text=lambda: reporting.print_undone(undo, undone))
        return
    found = app.registrar.imports()
    output.show(found, as_json=as_json, text=lambda: reporting.print_imports(found))
