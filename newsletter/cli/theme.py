"""`newsletter theme`: the design tokens of a workspace, and how well its colours can be read."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import typer

from newsletter.cli import invocation, nouns, output

if TYPE_CHECKING:
    from newsletter.rendering import contrast, theme

app = nouns.group("theme")


@app.command("show", epilog=nouns.example("newsletter theme show", "newsletter theme show --json"))
def show(ctx: typer.Context, as_json: output.Json = False) -> None:
    """Show the design tokens and the contrast of every colour of text on its grounds."""
    from newsletter.rendering import contrast

    found = invocation.of(ctx).app.theme
    ratios = list(contrast.of(found.tokens))
    record = {
        "templates": found.folders,
        "tokens": dataclasses.asdict(found.tokens),
        "contrast": [one._asdict() | {"ratio": round(one.ratio, 2)} for one in ratios],
    }
    output.show(record, as_json=as_json, text=lambda: _print(found, ratios))


def _print(found: theme.Theme, ratios: list[contrast.Contrast]) -> None:
    tokens = found.tokens
    names = [field.name for field in dataclasses.fields(tokens) if field.name not in tokens.colours]
    output.table(
        ("colour", "light", "dark"), [(name, pair.light, pair.dark) for name, pair in tokens.colours.items()]
    )
    output.line()
    rows = [
        (f"{one.name} {one.colour}", f"{one.ground} {one.on}", one.scheme, f"{one.ratio:.1f}:1")
        for one in ratios
    ]
    output.table(("text", "on", "ground", "contrast"), rows)
    output.line()
    output.table(("token", "value"), [(name, str(getattr(tokens, name)) or None) for name in names])
    output.line()
    output.line(f"templates: {', '.join(map(str, found.folders))}")
