"""`subscriber export`, `data`, `forget`: hand people out, or hand them back to themselves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import invocation, nouns, output
from newsletter.cli.subscriber import files, group
from newsletter.cli.subscriber.group import Address, Where, app
from newsletter.cli.subscriber.keeping import OfStatus, OfTag

To = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="A file; the screen by default.")]
Format = Annotated[files.Format, typer.Option("--format", help="How to write them.")]


@app.command(
    epilog=nouns.example(
        "newsletter subscriber export --status active --to active.csv",
        "newsletter subscriber export --where press --format jsonl",
    )
)
def export(
    ctx: typer.Context,
    *,
    status: OfStatus = None,
    tag: OfTag = "",
    where: Where = "",
    to: To = None,
    form: Format = files.Format.CSV,
) -> None:
    """Write subscribers out, in a form that `import` reads back."""
    app = invocation.of(ctx).app
    found = app.directory.list(status=status, tag=tag, rule=group.rule(app, where))
    if to is None:
        files.write(found, form, sys.stdout)
        return
    count = files.write_file(found, form, to)
    output.line(f"{output.counted(count, 'subscriber is', 'subscribers are')} in {to}.")


@app.command(epilog=nouns.example("newsletter subscriber data ada@example.org"))
def data(ctx: typer.Context, address: Address) -> None:
    """Print everything that is kept about one person, as JSON, for whoever asks what we know."""
    from newsletter.subscribing import signup

    app = invocation.of(ctx).app
    person = signup.known(app.directory, address)
    output.show(app.data(person), as_json=True, text=lambda: None)


@app.command(epilog=nouns.example("newsletter subscriber forget ada@example.org --yes"))
def forget(ctx: typer.Context, address: Address, *, yes: output.Yes = False) -> None:
    """Erase a person for good; a keyed hash stays, so that no import brings them back."""
    from newsletter.subscribing import signup

    app = invocation.of(ctx).app
    person = signup.known(app.directory, address)
    output.confirm(f"Erase {person.email} and everything about them? This cannot be undone.", yes=yes)
    app.directory.forget(person.id, now=app.now())
    output.line(f"{person.email} is forgotten.")
