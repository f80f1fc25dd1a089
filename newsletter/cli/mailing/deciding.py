"""`mailing pause`, `resume`, `cancel`, `retry` and `resolve`: what a person decides about a mailing."""

from __future__ import annotations

from typing import Annotated

import typer

from newsletter.cli import invocation, nouns, output
from newsletter.cli.mailing.group import Issue, app, mailing_of
from newsletter.domain import deliveries, errors
from newsletter.domain.deliveries import MailingStatus, State

Reason = Annotated[str, typer.Option(help="Why, for whoever looks at the status.")]


@app.command(epilog=nouns.example("newsletter mailing pause 2.23 --reason 'a wrong name in entry 3'"))
def pause(ctx: typer.Context, issue: Issue, reason: Reason = "by hand") -> None:
    """Pause a mailing; whoever is sending it stops within a second."""
    app_ = invocation.of(ctx).app
    found = mailing_of(app_, issue)
    app_.ledger.set_status(found.id, MailingStatus.PAUSED, reason=reason, now=app_.now())
    output.line(f"Issue {found.number} is paused. To go on: newsletter mailing resume {found.number}")


@app.command(epilog=nouns.example("newsletter mailing resume 2.23"))
def resume(ctx: typer.Context, issue: Issue) -> None:
    """Let a paused or held mailing go on; `newsletter serve` carries it out, or `mailing send`."""
    app_ = invocation.of(ctx).app
    found = mailing_of(app_, issue)
    if found.status not in (MailingStatus.PAUSED, MailingStatus.HELD):
        raise errors.MailingError(
            f"issue {found.number} is {found.status}, not paused or held",
            hint=f"`newsletter mailing status {found.number}` shows how it stands",
        )
    app_.ledger.begin(found.id, now=app_.now())
    app_.call_senders(found.id)
    output.line(
        f"Issue {found.number} goes on: newsletter serve does it, or newsletter mailing send {found.number}"
    )


@app.command(epilog=nouns.example("newsletter mailing cancel 2.24"))
def cancel(ctx: typer.Context, issue: Issue, reason: Reason = "by hand", yes: output.Yes = False) -> None:
    """Cancel a mailing for good; what was sent stays sent."""
    app_ = invocation.of(ctx).app
    found = mailing_of(app_, issue)
    open_ = app_.ledger.tally(found.id).open
    output.confirm(f"Cancel the mailing of issue {found.number}, with {open_:,} deliveries open?", yes=yes)
    app_.ledger.set_status(found.id, MailingStatus.CANCELLED, reason=reason, now=app_.now())
    output.line(f"The mailing of issue {found.number} is cancelled.")


@app.command(epilog=nouns.example("newsletter mailing retry 2.23 --status failed"))
def retry(
    ctx: typer.Context,
    issue: Issue,
    status: Annotated[
        list[State], typer.Option(help="failed, rejected or unknown; may be given more than once.")
    ],
) -> None:
    """Plan deliveries anew that did not arrive, with all their tries before them."""
    app_ = invocation.of(ctx).app
    found = mailing_of(app_, issue)
    number = app_.ledger.retry(found.id, status, now=app_.now())
    app_.call_senders(found.id)
    output.line(
        f"{number:,} deliveries are planned again. To send them: newsletter mailing send {found.number}"
    )


@app.command(epilog=nouns.example("newsletter mailing resolve 2.23 --unknown resend"))
def resolve(
    ctx: typer.Context,
    issue: Issue,
    unknown: Annotated[
        str, typer.Option(help="“resend” sends them again; “sent” believes that they arrived.")
    ],
) -> None:
    """Decide about deliveries whose answer never came."""
    states = {"resend": State.PLANNED, "sent": State.SENT}
    if unknown not in states:
        raise errors.UsageError(
            f"unknown deliveries cannot be resolved by “{unknown}”", hint="write resend or sent"
        )
    app_ = invocation.of(ctx).app
    found = mailing_of(app_, issue)
    number = app_.ledger.resolve_unknown(found.id, states[unknown], now=app_.now())
    app_.call_senders(found.id)
    output.line(f"{number:,} unknown deliveries are {_outcome(states[unknown], found)}")


def _outcome(state: State, found: deliveries.Mailing) -> str:
    if state is State.SENT:
        return "taken for sent."
    return f"planned again. To send them: newsletter mailing send {found.number}"
