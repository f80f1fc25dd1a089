"""`mailing plan`, `send` and `schedule`: an order is shown, asked about, and carried out."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

from newsletter import ports, wiring
from newsletter.cli import invocation, nouns, output
from newsletter.cli.mailing import sending
from newsletter.cli.mailing.group import Issue, app, echo_rows, local, reasons, states
from newsletter.domain import errors

if TYPE_CHECKING:
    from newsletter.domain import deliveries
    from newsletter.sending import plan as planning

Provider = Annotated[
    str, typer.Option(metavar="NAME", help="One of [providers]; default: delivery.provider.")
]
Rate = Annotated[
    float | None,
    typer.Option(min=0, help="Messages a second; 0: as fast as it goes; default: delivery.rate."),
]
AudienceName = Annotated[
    str, typer.Option("--audience", metavar="NAME", help="One of [audiences], or a rule; default: everyone.")
]
Exclude = Annotated[
    str,
    typer.Option("--exclude", metavar="NAME", help="Leave out who is in this audience, or fits this rule."),
]
OnlyMissing = Annotated[
    bool, typer.Option("--only-missing", help="Only those whom no mailing of this issue has reached.")
]


@app.command(
    epilog=nouns.example("newsletter mailing plan next", "newsletter mailing plan next --audience press")
)
def plan(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    issue: Issue,
    *,
    audience: AudienceName = "",
    exclude: Exclude = "",
    provider: Provider = "",
    rate: Rate = None,
    only_missing: OnlyMissing = False,
    as_json: output.Json = False,
) -> None:
    """Show who would get an issue and who is left out and why; nothing is written."""
    app_ = invocation.of(ctx).app
    to = app_.audiences.find(audience, exclude=exclude)
    order = _order(app_, issue, to, provider=provider, rate=rate, only_missing=only_missing)
    found = app_.planner.preview(order, now=app_.now())
    output.show(found, as_json=as_json, text=lambda: _show_plan(app_, order, found))


@app.command(
    epilog=nouns.example(
        "newsletter mailing send next",
        "newsletter mailing send 2.23 --yes --rate 20",
        "newsletter mailing send next --dry-run",
    )
)
def send(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    issue: Issue,
    *,
    yes: output.Yes = False,
    audience: AudienceName = "",
    exclude: Exclude = "",
    provider: Provider = "",
    rate: Rate = None,
    only_missing: OnlyMissing = False,
    wait: Annotated[
        bool, typer.Option("--wait", help="Stay until what was put off has been tried again.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Write the messages to the outbox folder; mail and record nothing."),
    ] = False,
) -> None:
    """Send an issue, or go on with a mailing that was interrupted. Shows the plan and asks."""
    app_ = invocation.of(ctx).app
    to = app_.audiences.find(audience, exclude=exclude)
    order = _order(app_, issue, to, provider=provider, rate=rate, only_missing=only_missing)
    if dry_run:
        sending.try_out(app_, order)
        return
    mailing = app_.planner.resumable(order.proof, only_missing=only_missing, now=app_.now())
    if mailing is None:
        mailing = _plan(app_, order, yes=yes)
    else:
        _go_on(app_, mailing, yes=yes)
    sending.carry_out(app_, mailing, rate=rate, provider=provider, wait=wait)


@app.command(
    epilog=nouns.example('newsletter mailing schedule 2.24 --at "2026-12-04 09:00" --tz America/New_York')
)
def schedule(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    issue: Issue,
    *,
    at: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M"], help="When; default: the issue's own date and hour."
        ),
    ] = None,
    zone: Annotated[
        str, typer.Option("--tz", help="The zone of that time; default: schedule.timezone.")
    ] = "",
    audience: AudienceName = "",
    exclude: Exclude = "",
    provider: Provider = "",
    rate: Rate = None,
    yes: output.Yes = False,
) -> None:
    """Have an issue sent at a time by `newsletter serve`; its audience is frozen then, its content now."""
    app_ = invocation.of(ctx).app
    to, due_at = app_.audiences.find(audience, exclude=exclude), _moment(app_, issue, at, zone)
    order = _order(app_, issue, to, provider=provider, rate=rate, due_at=due_at)
    mailing = _plan(app_, order, yes=yes)
    app_.call_senders(mailing.id, at=mailing.due_at)
    output.line(
        f"Issue {mailing.number} goes out on {local(app_, mailing.due_at)} while `newsletter serve` runs."
    )
    output.line(f"To take it back: newsletter mailing cancel {mailing.number}")


def _order(  # noqa: PLR0913 - one parameter an option
    app: wiring.App,
    issue: str,
    audience: ports.Audience,
    *,
    provider: str,
    rate: float | None,
    only_missing: bool = False,
    due_at: datetime | None = None,
) -> planning.Order:
    from newsletter.sending import plan as planning

    delivery = app.settings.delivery
    app.require_provider(provider or delivery.provider)
    return planning.Order(
        proof=app.press.proof(app.issue_path(issue)),
        audience=audience,
        provider=provider or delivery.provider,
        rate=delivery.rate if rate is None else rate,
        due_at=due_at,
        only_missing=only_missing,
    )


def _plan(app: wiring.App, order: planning.Order, *, yes: bool) -> deliveries.Mailing:
    """Show an order, ask, and freeze it."""
    app.planner.require_clearance(order.proof)
    found = app.planner.preview(order, now=app.now())
    _show(app, order, found)
    if not found.included:
        raise _nobody(order, found)
    verb = "Schedule" if order.due_at else "Send"
    output.confirm(
        f"{verb} issue {order.proof.number} to {output.counted(found.included, 'subscriber')}?", yes=yes
    )
    return app.planner.plan(order, now=app.now())


def _nobody(order: planning.Order, found: deliveries.Plan) -> errors.MailingError:
    number, left_out = order.proof.number, reasons(found.left_out)
    if order.only_missing and "has the issue" in found.left_out:
        return errors.MailingError(
            f"nobody in the audience “{found.audience}” is without issue {number}: {left_out}",
            hint=f"`newsletter mailing who {number}` lists who got it, and who did not and why",
        )
    return errors.MailingError(
        f"nobody is in the audience “{found.audience}”: {left_out}",
        hint="`newsletter subscriber list` shows who is on the list, and how they stand",
    )


def _go_on(app: wiring.App, mailing: deliveries.Mailing, *, yes: bool) -> None:
    tally = app.ledger.tally(mailing.id)
    if mailing.status == "scheduled":
        output.line(f"Issue {mailing.number} is scheduled for {local(app, mailing.due_at)}.")
        question = "Send it now, and not then?"
    else:
        why = f" ({mailing.reason})" if mailing.reason else ""
        output.line(f"The mailing of issue {mailing.number} is {mailing.status}{why}: {states(tally)}.")
        question = f"Go on with the {output.counted(tally.open, 'that is', 'that are')} open?"
    output.confirm(question, yes=yes)


def _show_plan(app: wiring.App, order: planning.Order, found: deliveries.Plan) -> None:
    """Show a plan, and what stands in its way: a mailing that there is already."""
    _show(app, order, found)
    number = order.proof.number
    mailing = app.ledger.mailing(number)
    if mailing is None or (mailing.status == "done" and order.only_missing):
        return
    output.line()
    if mailing.status == "done":
        output.line(f"Issue {number} was sent on {local(app, mailing.finished_at)}, and is not sent again.")
        output.line(f"Whom that did not reach: newsletter mailing plan {number} --only-missing")
    else:
        output.line(f"Issue {number} has a mailing already, which `send` would go on with instead.")
        output.line(f"How it stands: newsletter mailing status {number}")


def _show(app: wiring.App, order: planning.Order, found: deliveries.Plan) -> None:
    proof, options = order.proof, app.settings.provider(order.provider)
    rows = [
        ("Issue", f"{proof.number.label} of {proof.issue.date}: {proof.issue.subject}"),
        ("Languages", ", ".join(proof.templates)),
        ("Audience", f"{found.audience}: {output.counted(found.included, 'subscriber')}"),
        ("Left out", reasons(found.left_out)),
        ("Provider", f"{order.provider} ({options.kind})"),
        ("Rate", f"{order.rate:g} a second" if order.rate else "as fast as the provider takes them"),
        ("When", local(app, order.due_at) if order.due_at else "now"),
    ]
    echo_rows(rows)


def _moment(app: wiring.App, issue: str, at: datetime | None, zone: str) -> datetime:
    """Return the time that was typed, in its zone, or the one at which the issue comes out."""
    if at is None:
        return app.press.moment(app.press.read(app.issue_path(issue)))
    try:
        place = ZoneInfo(zone) if zone else app.settings.schedule.timezone
    except (ZoneInfoNotFoundError, ValueError):
        raise errors.UsageError(
            f"“{zone}” is not a time zone", hint="write it as America/New_York or Asia/Tokyo"
        ) from None
    return at.replace(tzinfo=place)
