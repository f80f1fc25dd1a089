"""The group that the commands of the noun belong to, and the options they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from newsletter import wiring
from newsletter.cli import nouns
from newsletter.domain import errors

if TYPE_CHECKING:
    from newsletter.domain import audiences

app = nouns.group("subscriber")

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The subscriber's mail address.")]
Where = Annotated[
    str,
    typer.Option("--where", metavar="RULE", help="Everybody in this audience, or whom this rule selects."),
]


def rule(app: wiring.App, text: str) -> audiences.Rule | None:
    """Return the rule that an audience's name or a rule means; None for everybody.

    Raises:
        AudienceError: it cannot be understood.
    """
    from newsletter.domain import audiences

    words = app.audiences.rule(text) if text else ""
    return audiences.parse(words) if words else None


def selected(app: wiring.App, address: str, where: str) -> audiences.Rule:
    """Return the rule that selects one address, or everybody whom ``where`` means.

    Raises:
        UsageError: both were given, or neither.
        AddressError: nobody has the address.
    """
    from newsletter.domain import audiences
    from newsletter.subscribing import signup

    if bool(address) == bool(where):
        raise errors.UsageError("name one address, or say who with --where", hint="--where 'tag:press'")
    if not address:
        return rule(app, where) or audiences.parse("email:*")
    return audiences.only(signup.known(app.directory, address).id)
