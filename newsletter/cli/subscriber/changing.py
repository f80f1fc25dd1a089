"""`subscriber tag`, `untag`, `set`: change one person, or everybody whom a rule selects."""

from __future__ import annotations

from typing import Annotated

import typer

from newsletter.cli import invocation, nouns, output
from newsletter.cli.subscriber import group
from newsletter.cli.subscriber.group import Where, app

To = Annotated[
    list[str],
    typer.Argument(metavar="[ADDRESS] TAG…", help="An address (without it, --where), and the tags."),
]
Changes = Annotated[
    list[str],
    typer.Argument(
        metavar="[ADDRESS] FIELD=VALUE…", help="name, language, timezone or attr.NAME, and its value."
    ),
]


@app.command(
    epilog=nouns.example(
        "newsletter subscriber tag ada@example.org press",
        "newsletter subscriber tag press --where 'domain:example.com'",
    )
)
def tag(ctx: typer.Context, words: To, *, where: Where = "") -> None:
    """Put tags on a subscriber, or on everybody whom --where means."""
    address, tags = _split(words, where)
    app = invocation.of(ctx).app
    changed = app.registrar.label(group.selected(app, address, where), add=tags, now=app.now())
    output.line(f"{output.counted(changed, 'subscriber was', 'subscribers were')} changed.")


@app.command(
    epilog=nouns.example(
        "newsletter subscriber untag ada@example.org press",
        "newsletter subscriber untag press --where 'joined<2020-01-01'",
    )
)
def untag(ctx: typer.Context, words: To, *, where: Where = "") -> None:
    """Take tags off a subscriber, or off everybody whom --where means."""
    address, tags = _split(words, where)
    app = invocation.of(ctx).app
    changed = app.registrar.label(group.selected(app, address, where), remove=tags, now=app.now())
    output.line(f"{output.counted(changed, 'subscriber was', 'subscribers were')} changed.")


@app.command(
    "set",
    epilog=nouns.example(
        "newsletter subscriber set ada@example.org language=ja name='Ada Lovelace'",
        "newsletter subscriber set language=ja --where 'domain:*.jp'",
    ),
)
def set_(ctx: typer.Context, words: Changes, *, where: Where = "") -> None:
    """Set fields of a subscriber, or of everybody whom --where means; an empty value takes one away."""
    from newsletter.subscribing import attributes

    address, texts = _split(words, where)
    app = invocation.of(ctx).app
    changes = attributes.assignments(texts, app.settings.attributes)
    changed = app.registrar.amend(group.selected(app, address, where), changes, now=app.now())
    output.line(f"{output.counted(changed, 'subscriber was', 'subscribers were')} changed.")


def _split(words: list[str], where: str) -> tuple[str, list[str]]:
    """Return the address, which comes first where no rule says who, and the rest."""
    from newsletter.domain import errors

    address, rest = ("", words) if where else (words[0], words[1:])
    if not rest:
        raise errors.UsageError(
            "nothing to change was named", hint="an address comes first, then what to change"
        )
    return address, rest
