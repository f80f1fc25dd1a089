"""`newsletter feedback …`: what the world reports about mails that were sent."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import invocation, nouns, output
from newsletter.domain import errors

if TYPE_CHECKING:
    from newsletter.sending.feedback import Account

app = nouns.group("feedback")

#: sysexits.h: Postfix, Exim and Sendmail keep the mail and try again.
_TEMPORARY = 75

Source = Annotated[
    str, typer.Argument(metavar="MAILBOX", help="- for a mail on standard input, or a mailbox.")
]
Since = Annotated[
    datetime,
    typer.Option(
        "--since", formats=["%Y-%m-%d", "%Y-%m-%d %H:%M"], help="Reports that came at or after it, UTC."
    ),
]


@app.command(epilog=nouns.example("newsletter feedback read -", "newsletter feedback read maildir:bounces"))
def read(ctx: typer.Context, mailbox: Source) -> None:
    """Take in mails that came back: from standard input, or from a mailbox named here."""
    house = invocation.of(ctx).app
    try:
        account, replies = house.intake(mailbox, stdin=sys.stdin.buffer).take_in()
    except errors.NewsletterError as error:
        if mailbox != "-":
            raise
        output.complain(str(error), hint=error.hint)
        raise typer.Exit(_TEMPORARY) from error
    _tell(account, replies)


@app.command(epilog=nouns.example("newsletter feedback collect"))
def collect(ctx: typer.Context) -> None:
    """Take in mails that came back to the mailbox of the settings."""
    house = invocation.of(ctx).app
    _tell(*house.intake().take_in())


@app.command(epilog=nouns.example("newsletter feedback apply"))
def apply(ctx: typer.Context) -> None:
    """Apply reports that were kept and wait, as `newsletter serve` does by itself."""
    _tell(invocation.of(ctx).app.feedback.work_off(), 0)


@app.command(epilog=nouns.example("newsletter feedback replay --since 2026-11-01"))
def replay(ctx: typer.Context, since: Since) -> None:
    """Apply reports again that came since a time, as after a mended rule."""
    _tell(invocation.of(ctx).app.feedback.replay(since.replace(tzinfo=UTC)), 0)


@app.command(epilog=nouns.example("newsletter feedback status --json"))
def status(ctx: typer.Context, as_json: output.Json = False) -> None:
    """Count what was reported, by provider and kind."""
    book = invocation.of(ctx).app.feedback_book
    rows = [(provider, kind, count) for (provider, kind), count in sorted(book.tally().items())]
    plain = [{"provider": provider, "event": kind, "count": count} for provider, kind, count in rows]
    output.show(plain, as_json=as_json, text=lambda: output.table(("provider", "event", "count"), rows))


def _tell(account: Account, replies: int) -> None:
    output.line(
        f"{account.reports} reports: {account.new} new events, {account.known} known, "
        f"{account.foreign} about no mail of ours, {account.problems} that nothing could be made of."
    )
    if replies:
        output.line(f"{replies} replies of people were handed on to the editors.")
    for number, reason in sorted(account.paused.items()):
        output.warn(f"mailing {number} was paused: {reason}")
