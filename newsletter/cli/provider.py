"""`newsletter provider …`: what mail goes out through, and what has to be arranged with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter import wiring
from newsletter.cli import invocation, nouns, output

if TYPE_CHECKING:
    from newsletter.domain.arrangements import Arrangement

app = nouns.group("provider")

Name = Annotated[str, typer.Argument(metavar="NAME", help="One of [providers] in newsletter.toml.")]
Create = Annotated[bool, typer.Option("--create", help="Make the webhook by the vendor's API.")]


@app.command("list", epilog=nouns.example("newsletter provider list"))
def list_(ctx: typer.Context, as_json: output.Json = False) -> None:
    """List the providers of the settings, and what each can carry."""
    house = invocation.of(ctx).app
    rows = [_row(house, name) for name in house.settings.providers]
    headings = ("provider", "kind", "role", "messages a call", "repeats recognised", "webhook")
    output.show(
        rows, as_json=as_json, text=lambda: output.table(headings, [tuple(row.values()) for row in rows])
    )


@app.command(
    epilog=nouns.example("newsletter provider setup postmark", "newsletter provider setup postmark --create")
)
def setup(
    ctx: typer.Context,
    name: Name,
    *,
    create: Create = False,
    yes: output.Yes = False,
    as_json: output.Json = False,
) -> None:
    """Say what to paste where, so that a provider reports what becomes of mails."""
    house = invocation.of(ctx).app
    found = house.arrangement(name)
    if create:
        output.confirm(f"Make a webhook at {name} that reports to {found.url}?", yes=yes)
        found = house.arrange(name)
    output.show(found, as_json=as_json, text=lambda: _print(found))


def _row(house: wiring.App, name: str) -> dict[str, Any]:
    settings, limits = house.settings, house.bare_provider(name).limits
    options = settings.provider(name)
    roles = {settings.delivery.provider: "delivers"} | {
        each: f"fallback {place}" for place, each in enumerate(settings.delivery.fallback, start=1)
    }
    gate = house.gates.get(name)
    hook = "–" if gate is None else ("set" if gate.is_open else "no secret")
    return {
        "provider": name,
        "kind": options.kind,
        "role": roles.get(name, ""),
        "batch": limits.batch,
        "idempotent": "yes" if limits.idempotent else "no",
        "webhook": hook,
    }


def _print(found: Arrangement) -> None:
    for line in found.steps:
        output.line(line)
    if found.env:
        output.line()
        output.line("Into .env:")
        for name, value in found.env.items():
            output.line(f"  {name}={value}")
    output.line()
    output.line("Then: newsletter doctor")
