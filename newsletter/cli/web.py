"""`newsletter web`: the public pages as files, and the form for other people's sites."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import invocation, nouns, output

if TYPE_CHECKING:
    from newsletter.web.archive import building

app = nouns.group("web")


@app.command(epilog=nouns.example("newsletter web build public", "newsletter web build public --json"))
def build(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; replaced as a whole.")],
    as_json: output.Json = False,
) -> None:
    """Write the whole archive as static files, for any host."""
    from newsletter.web import desk
    from newsletter.web.archive import building

    built = building.build(desk.of(invocation.of(ctx).app), folder)
    output.show(built, as_json=as_json, text=lambda: _tell(built))


def _tell(built: building.Built) -> None:
    written = f"{output.counted(built.issues, 'issue')} on {output.counted(built.pages, 'page')}"
    output.line(f"{built.folder}: {written}, with {output.counted(built.pictures, 'picture')}.")
    for name in built.missing:
        output.line(f"{name} is shown and is not there.")


@app.command(epilog=nouns.example("newsletter web form"))
def form(ctx: typer.Context) -> None:
    """Print a plain HTML form for any site; who posts it is shown our own, filled in."""
    from newsletter.web import embedding

    app = invocation.of(ctx).app
    output.line(embedding.form(app.publication, app.settings.topics).rstrip("\n"))
