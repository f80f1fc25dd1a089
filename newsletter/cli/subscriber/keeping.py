"""`subscriber add`, `list`, `show`, `unsubscribe`, `stats`: people one by one, and in sum."""

from __future__ import annotations

from typing import Annotated

import typer

from newsletter.cli import invocation, nouns, output
from newsletter.cli.subscriber import group, showing
from newsletter.cli.subscriber.group import Address, Where, app
from newsletter.domain.subscribers import How, Status

Name = Annotated[str, typer.Option("--name", help="What the person is called.")]
Tags = Annotated[list[str], typer.Option("--tag", help="A label for staff; may be given again.")]
Pending = Annotated[bool, typer.Option("--pending", help="Not confirmed yet: no issue is sent to them.")]
Attest = Annotated[
    str, typer.Option("--attest", metavar="TEXT", help="How they agreed to be written to; recorded for good.")
]
Why = Annotated[bool, typer.Option("--why", help="Say what each status rests on: the bounce, the complaint.")]
OfStatus = Annotated[Status | None, typer.Option("--status", help="Only those with this status.")]
OfTag = Annotated[str, typer.Option("--tag", help="Only those with this tag.")]
Text = Annotated[str, typer.Option("--text", help="Only those with this in their address or name.")]


@app.command(epilog=nouns.example("newsletter subscriber add ada@example.org --name 'Ada Lovelace'"))
def add(
    ctx: typer.Context,
    address: Address,
    *,
    name: Name = "",
    tags: Tags = [],  # noqa: B006 - typer copies it
    pending: Pending = False,
    attest: Attest = "",
) -> None:
    """Put somebody on the list."""
    from newsletter.subscribing import signup

    app = invocation.of(ctx).app
    record = signup.added_by_staff(confirmed=not pending, attest=attest, now=app.now())
    person = signup.add(app.directory, address, name=name, tags=tags, record=record)
    output.line(f"{person.email} is {person.status.value}.")


@app.command(
    "list",
    epilog=nouns.example(
        "newsletter subscriber list --status active --tag press",
        "newsletter subscriber list --status bounced --why",
        "newsletter subscriber list --where 'topic:security and language:ja' --json",
    ),
)
def list_(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    *,
    status: OfStatus = None,
    tag: OfTag = "",
    text: Text = "",
    where: Where = "",
    why: Why = False,
    as_json: output.Json = False,
) -> None:
    """List subscribers by address."""
    app = invocation.of(ctx).app
    found = app.directory.list(status=status, tag=tag, text=text, rule=group.rule(app, where))
    if why:
        rows = showing.with_reasons(found, app.feedback_book.reasons(), app.directory)
        output.show_each(rows, as_json=as_json, text=lambda: showing.print_reasons(rows))
        return
    output.show_each(found, as_json=as_json, text=lambda: showing.print_list(found))


@app.command(epilog=nouns.example("newsletter subscriber show ada@example.org"))
def show(ctx: typer.Context, address: Address, as_json: output.Json = False) -> None:
    """Show a subscriber, the whole history of their consent, every delivery and letter."""
    from newsletter.subscribing import signup

    app = invocation.of(ctx).app
    person = signup.known(app.directory, address)
    result = app.data(person)
    output.show(result, as_json=as_json, text=lambda: showing.print_person(result))


@app.command(epilog=nouns.example("newsletter subscriber unsubscribe ada@example.org"))
def unsubscribe(ctx: typer.Context, address: Address) -> None:
    """Take somebody off the list at their wish."""
    from newsletter.subscribing import leaving, signup

    app = invocation.of(ctx).app
    person = signup.known(app.directory, address)
    left = leaving.leave(app.directory, person.id, how=How.STAFF, source="command line", now=app.now())
    output.line(f"{person.email} is {(left or person).status.value}.")


@app.command(epilog=nouns.example("newsletter subscriber stats", "newsletter subscriber stats --json"))
def stats(ctx: typer.Context, as_json: output.Json = False) -> None:
    """Show the list in numbers: growth, sources, topics, languages, domains."""
    found = invocation.of(ctx).app.registrar.statistics()
    output.show(found, as_json=as_json, text=lambda: showing.print_statistics(found))
