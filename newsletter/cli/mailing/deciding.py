"""`mailing pause`, `resume`, `cancel`, `retry` and `resolve`: what a person decides about a mailing."""

from __future__ import annotations

from typing import Annotated

import typer

from newsletter.cli import invocation, nouns, output
from newsletter.cli.mailing.group import Issue, app, local, mailing_of
from newsletter.domain import deliveries, errors
from newsletter.domain.deliveries import MailingStatus, State

_AGAIN = ("delivery is", "deliveries are")
Reason = Annotated[str, typer.Option(help="Why, for whoever looks at the status; default: by hand.")]


@app.command(epilog=nouns.example("newsletter mailing pause 2.23 --reason 'a wrong name in entry 3'"))
def pause(ctx: typer.Context, issue: Issue, reason: Reason = "") -> None:
    """Pause a mailing; whoever is sending it stops within a second."""
    app_ = invocation.of(ctx).app
    found = mailing_of(app_, issue)
    number = found.number
    if found.status is MailingStatus.PAUSED and not reason:
        # What it says may be why it paused by itself.
        output.line(f"Issue {number} is paused already: {found.reason}.")
        return
    app_.ledger.set_status(found.id, MailingStatus.PAUSED, reason=reason or "by hand", now=app_.now())
    output.line(f"Issue {number} is paused. To go on: newsletter mailing resume {number}")


@app.command(epilog=nouns.example("newsletter mailing resume 2.23"))
def resume(ctx: typer.Context, issue: Issue) -> None:
    """Let a paused or held mailing go on; `newsletter serve` carries it out, or `mailing send`."""
    from newsletter.sending import plan as planning

    app_ = invocation.of(ctx).app
    found = mailing_of(app_, issue)
    if found.status not in (MailingStatus.PAUSED, MailingStatus.HELD):
        raise errors.MailingError(
            f"issue {found.number} is {found.status}, not paused or held",
            hint=f"`newsletter mailing status {found.number}` shows how it stands",
        )
    found = planning.resume(app_.ledger, found, now=app_.now())
    number = found.number
    if found.status is MailingStatus.SCHEDULED:
        app_.call_senders(found.id, at=found.due_at)
        output.line(
            f"Issue {number} is scheduled again: newsletter serve sends it on {local(app_, found.due_at)}"
        )
    else:
        app_.call_senders(found.id)
        output.line(f"Issue {number} goes on: newsletter serve does it, or newsletter mailing send {number}")


@app.command(epilog=nouns.example("newsletter mailing cancel 2.24"))
def cancel(ctx: typer.Context, issue: Issue, reason: Reason = "", yes: output.Yes = False) -> None:
    """Cancel a mailing for good; what was sent stays sent."""
    app_ = invocation.of(ctx).app
    found = mailing_of(app_, issue)
    tally = app_.ledger.tally(found.id)
    open_ = output.counted(tally.open, "delivery", "deliveries")
    output.confirm(f"Cancel the mailing of issue {found.number}, with {open_} open?", yes=yes)
    app_.ledger.set_status(found.id, MailingStatus.CANCELLED, reason=reason or "by hand", now=app_.now())
    output.line(f"The mailing of issue {found.number} is cancelled.")
    if reached := sum(tally.states.get(state, 0) for state in deliveries.TAKEN):
        output.line(
            f"{output.counted(reached, 'subscriber has', 'subscribers have')} it already. "
            f"To reach only the others: newsletter mailing send {found.number} --only-missing"
        )


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
    if not number:
        output.line(
            f"No delivery of issue {found.number} is {' or '.join(status)}: nothing is planned again."
        )
        return
    app_.call_senders(found.id)
    output.line(f"{output.counted(number, *_AGAIN)} planned again. {_to_send(found)}")


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
    if not number:
        output.line(f"No delivery of issue {found.number} is unknown: nothing is changed.")
        return
    app_.call_senders(found.id)
    if states[unknown] is State.SENT:
        output.line(f"{output.counted(number, *_AGAIN)} taken for sent.")
    else:
        output.line(f"{output.counted(number, *_AGAIN)} planned again. {_to_send(found)}")


def _to_send(found: deliveries.Mailing) -> str:
    return f"To send what is open: newsletter mailing send {found.number}"
