"""`newsletter suppression`: addresses and domains that must not be mailed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import invocation, nouns, output
from newsletter.domain import errors

app = nouns.group("suppression")

Value = Annotated[str, typer.Argument(metavar="ADDRESS|DOMAIN", help="A mail address, or a whole domain.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A text or CSV file.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; shown wherever somebody is left out for it.")]


@app.command("list", epilog=nouns.example("newsletter suppression list --json"))
def list_(ctx: typer.Context, as_json: output.Json = False) -> None:
    """List what must not be mailed, newest first; of whoever was erased only the reason is left."""
    found = invocation.of(ctx).app.directory.suppressions()
    output.show_each(
        found,
        as_json=as_json,
        text=lambda: output.table(
            ["address or domain", "since", "reason"],
            ((each.value or "(erased)", f"{each.at:%Y-%m-%d}", each.reason) for each in found),
        ),
    )


@app.command(epilog=nouns.example("newsletter suppression add example.com --reason 'asked us to stop'"))
def add(ctx: typer.Context, value: Value, *, reason: Reason = "by staff") -> None:
    """Never mail an address, or anybody at a domain, again."""
    from newsletter.subscribing import cleaning

    app = invocation.of(ctx).app
    cleaned = cleaning.address_or_domain(value)
    app.directory.suppress(cleaned, reason=reason, now=app.now())
    output.line(f"{cleaned} is not mailed any more.")


@app.command(epilog=nouns.example("newsletter suppression remove example.com"))
def remove(ctx: typer.Context, value: Value) -> None:
    """Take a suppression back; nobody's status changes by it."""
    from newsletter.subscribing import cleaning

    cleaned = cleaning.address_or_domain(value)
    if not invocation.of(ctx).app.directory.lift(cleaned):
        raise errors.AddressError(
            f"{cleaned} is not suppressed", hint="`newsletter suppression list` shows what is"
        )
    output.line(f"{cleaned} may be mailed again.")


@app.command("import", epilog=nouns.example("newsletter suppression import blocked.csv --reason 2025"))
def import_(ctx: typer.Context, file: File, *, reason: Reason = "by staff") -> None:
    """Take in a file of addresses and domains, one a line, with a reason after a comma or without."""
    from newsletter.subscribing import suppressing

    app = invocation.of(ctx).app
    pairs = suppressing.read(file)
    for value, why in pairs:
        app.directory.suppress(value, reason=why or reason, now=app.now())
    output.line(f"{len(pairs):,} addresses and domains are not mailed any more.")
