"""`newsletter subscriber …`: keep the subscribers and their consent."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import invocation, nouns, output, people
from newsletter.domain.subscribers import How, Status

app = nouns.group("subscriber")

Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="The subscriber's mail address.")]
Name = Annotated[str, typer.Option("--name", help="What the person is called.")]
Tags = Annotated[list[str], typer.Option("--tag", help="A label for staff; may be given again.")]
Pending = Annotated[bool, typer.Option("--pending", help="Not confirmed yet: no issue is sent to them.")]
Attest = Annotated[
    str, typer.Option("--attest", metavar="TEXT", help="How they agreed to be written to; recorded for good.")
]
OfStatus = Annotated[Status | None, typer.Option("--status", help="Only those with this status.")]
OfTag = Annotated[str, typer.Option("--tag", help="Only those with this tag.")]
Text = Annotated[str, typer.Option("--text", help="Only those with this in their address or name.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="A CSV, text or ZIP file of people.")]
Encoding = Annotated[str, typer.Option("--encoding", help="The file's encoding; found out where not given.")]
Write = Annotated[bool, typer.Option("--yes", help="Write; without it the import is only tried.")]
To = Annotated[Path | None, typer.Option("--to", metavar="FILE", help="A file; the screen by default.")]
Format = Annotated[people.Format, typer.Option("--format", help="How to write them.")]


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
    "import",
    epilog=nouns.example(
        "newsletter subscriber import people.csv",
        "newsletter subscriber import people.csv --yes --attest 'signed up on paper at the fair'",
    ),
)
def import_(
    ctx: typer.Context,
    file: File,
    *,
    yes: Write = False,
    attest: Attest = "",
    encoding: Encoding = "",
    as_json: output.Json = False,
) -> None:
    """Take in a file of people; without --yes, only show what that would do."""
    from newsletter.subscribing import importing

    app = invocation.of(ctx).app
    options = importing.Options(attest=attest, write=yes, encoding=encoding)
    report = importing.run(app.directory, file, options, now=app.now())
    output.show(report, as_json=as_json, text=lambda: people.print_report(report))


@app.command("list", epilog=nouns.example("newsletter subscriber list --status active --tag press"))
def list_(
    ctx: typer.Context,
    *,
    status: OfStatus = None,
    tag: OfTag = "",
    text: Text = "",
    as_json: output.Json = False,
) -> None:
    """List subscribers by address."""
    found = invocation.of(ctx).app.directory.list(status=status, tag=tag, text=text)
    output.show(found, as_json=as_json, text=lambda: people.print_list(found))


@app.command(epilog=nouns.example("newsletter subscriber show ada@example.org"))
def show(ctx: typer.Context, address: Address, as_json: output.Json = False) -> None:
    """Show a subscriber and the whole history of their consent."""
    from newsletter.subscribing import signup

    directory = invocation.of(ctx).app.directory
    person = signup.known(directory, address)
    result = {
        "subscriber": person,
        "suppressed": directory.is_suppressed(person.email),
        "history": directory.history(person.id),
    }
    output.show(result, as_json=as_json, text=lambda: people.print_person(result))


@app.command(epilog=nouns.example("newsletter subscriber unsubscribe ada@example.org"))
def unsubscribe(ctx: typer.Context, address: Address) -> None:
    """Take somebody off the list at their wish."""
    from newsletter.subscribing import leaving, signup

    app = invocation.of(ctx).app
    person = signup.known(app.directory, address)
    left = leaving.leave(app.directory, person.id, how=How.STAFF, source="command line", now=app.now())
    output.line(f"{person.email} is {(left or person).status.value}.")


@app.command(epilog=nouns.example("newsletter subscriber export --status active --to active.csv"))
def export(
    ctx: typer.Context,
    *,
    status: OfStatus = None,
    tag: OfTag = "",
    to: To = None,
    form: Format = people.Format.CSV,
) -> None:
    """Write subscribers out, in a form that `import` reads back."""
    found = invocation.of(ctx).app.directory.list(status=status, tag=tag)
    if to is None:
        people.write(found, form, sys.stdout)
        return
    count = people.write_file(found, form, to)
    output.line(f"{count:,} subscribers are in {to}.")


@app.command(epilog=nouns.example("newsletter subscriber stats --json"))
def stats(ctx: typer.Context, as_json: output.Json = False) -> None:
    """Count subscribers by status."""
    counts = invocation.of(ctx).app.directory.counts()
    output.show(counts, as_json=as_json, text=lambda: people.print_counts(counts))
