"""`newsletter upgrade`: bring the database to the tables of this version."""

from __future__ import annotations

import typer

from newsletter.cli import invocation, nouns, output

app = nouns.command()


@app.command(epilog=nouns.example("newsletter upgrade"))
def upgrade(ctx: typer.Context, as_json: output.Json = False) -> None:
    """Bring the database to this version's tables."""
    app_ = invocation.of(ctx).app
    database, (old, new) = app_.database, app_.upgrade()
    said = (
        f"{database.name} is at {new} already" if old == new else f"{database.name}: {old or 'new'} → {new}"
    )
    output.show({"from": old, "to": new}, as_json=as_json, text=lambda: output.line(said))
