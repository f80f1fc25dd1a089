"""`mailing status`, `report`, `who`, `verify` and `message`: what the ledger knows."""

from __future__ import annotations

import csv
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from newsletter import wiring
from newsletter.cli import invocation, nouns, output
from newsletter.cli.mailing.group import (
    Issue,
    app,
    echo_rows,
    is_idle,
    leave_troubled,
    local,
    mailing_of,
    states,
)
from newsletter.domain import errors
from newsletter.domain.deliveries import State
from newsletter.sending import owners

if TYPE_CHECKING:
    from newsletter.domain import deliveries

#: Lines of refusals and of domains that a screen shows.
_TOP = 10


@app.command(epilog=nouns.example("newsletter mailing report 2.23"))
def report(ctx: typer.Context, issue: Issue, as_json: output.Json = False) -> None:
    """Account for a mailing: how many in each state, by domain, and why it failed where it did."""
    app_ = invocation.of(ctx).app
    found = mailing_of(app_, issue)
    output.show(plain(app_, found), as_json=as_json, text=lambda: show(app_, found))


def plain(app: wiring.App, mailing: deliveries.Mailing) -> dict[str, Any]:
    """Return everything about a mailing, for programs."""
    tally = app.ledger.tally(mailing.id)
    return {
        "issue": str(mailing.number),
        "status": mailing.status,
        "reason": mailing.reason,
        "provider": mailing.provider,
        "created_at": mailing.created_at,
        "due_at": mailing.due_at,
        "finished_at": mailing.finished_at,
        "planned": mailing.planned,
        "states": {state.value: tally.states.get(state, 0) for state in State},
        "unsubscribed": tally.unsubscribed,
        "next_try": tally.next_try,
        "senders": [
            {"machine": owners.machine(one.owner), "process": owners.process(one.owner), "until": one.until}
            for one in app.at_work(mailing.id)
        ],
        "errors": [{"reply": reply, "count": count} for reply, count in app.ledger.errors(mailing.id)],
        "domains": [
            {"domain": domain, "state": state, "count": count}
            for domain, state, count in app.ledger.domains(mailing.id)
        ],
    }


def show(app: wiring.App, mailing: deliveries.Mailing) -> None:
    """Print everything about a mailing, for people."""
    tally = app.ledger.tally(mailing.id)
    rows = [
        ("Issue", mailing.number.label),
        ("Status", f"{mailing.status}{f': {mailing.reason}' if mailing.reason else ''}"),
        ("Provider", mailing.provider),
        (
            "Planned",
            f"for {output.counted(mailing.planned, 'subscriber')} on {local(app, mailing.created_at)}",
        ),
        ("Due", local(app, mailing.due_at) if mailing.due_at else "at once"),
        ("Finished", local(app, mailing.finished_at)),
        ("States", states(tally)),
    ]
    if tally.unsubscribed:
        rows.append(("Left by it", f"{tally.unsubscribed:,}"))
    if tally.next_try:
        rows.append(("Next try", local(app, tally.next_try)))
    if at_work := app.at_work(mailing.id):
        rows.append(("Sent by", ", ".join(owners.plainly(one.owner) for one in at_work)))
    elif is_idle(app, tally):
        rows.append(
            ("Sent by", f"nobody: newsletter serve does it, or newsletter mailing send {mailing.number}")
        )
    echo_rows(rows)
    _show_domains(app, mailing)
    if replies := list(app.ledger.errors(mailing.id))[:_TOP]:
        output.line()
        output.table(("Count", "Refusal"), [(f"{count:,}", reply) for reply, count in replies])


def _show_domains(app: wiring.App, mailing: deliveries.Mailing) -> None:
    """Print the domains with trouble, and nothing where there is none."""
    trouble = (State.REJECTED, State.FAILED, State.UNKNOWN, State.BOUNCED, State.COMPLAINED)
    found = [row for row in app.ledger.domains(mailing.id) if row[1] in trouble][:_TOP]
    if found:
        output.line()
        output.table(
            ("Domain", "State", "Count"), [(domain, state, f"{count:,}") for domain, state, count in found]
        )


@app.command(
    epilog=nouns.example(
        "newsletter mailing who 2.23 --status failed", "newsletter mailing who 2.23 --format csv"
    )
)
def who(
    ctx: typer.Context,
    issue: Issue,
    status: Annotated[
        list[State] | None, typer.Option(help="Only deliveries in this state; may be given more than once.")
    ] = None,
    domain: Annotated[str, typer.Option(help="Only recipients at this domain.")] = "",
    form: Annotated[str, typer.Option("--format", help="table, csv or json (one object a line).")] = "table",
) -> None:
    """List who got a mailing and who did not, with the reply that says why."""
    writers = {"table": _write_table, "csv": _write_csv, "json": _write_json}
    if form not in writers:
        raise errors.UsageError(f"there is no format “{form}”", hint="write table, csv or json")
    app_ = invocation.of(ctx).app
    found = mailing_of(app_, issue)
    writers[form](app_, app_.ledger.deliveries(found.id, states=status or (), domain=domain))


def _write_table(app: wiring.App, found: Any) -> None:
    rows = [(one.email, one.state, one.attempts, local(app, one.settled_at), one.reply) for one in found]
    if rows:
        output.table(("Address", "State", "Tries", "Last", "Reply"), rows)
    else:
        output.line("Nobody.")


_COLUMNS = ("email", "name", "state", "attempts", "settled_at", "not_before", "provider_id", "reply")


def _write_csv(_app: wiring.App, found: Any) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(_COLUMNS)
    for one in found:
        writer.writerow([_cell(getattr(one, column)) for column in _COLUMNS])


def _write_json(_app: wiring.App, found: Any) -> None:
    for one in found:
        output.line(
            json.dumps({column: _cell(getattr(one, column)) for column in _COLUMNS}, ensure_ascii=False)
        )


def _cell(value: object) -> str | int:
    if value is None:
        return ""
    return value if isinstance(value, int) else str(value)


@app.command(epilog=nouns.example("newsletter mailing verify 2.23"))
def verify(ctx: typer.Context, issue: Issue) -> None:
    """Check that the ledger of a mailing adds up: one row for everybody, nobody lost, nothing changed."""
    app_ = invocation.of(ctx).app
    found = mailing_of(app_, issue)
    problems = list(app_.audit.problems(found))
    if problems:
        raise errors.MailingError(
            f"the ledger of issue {found.number} does not add up: {'; '.join(problems)}"
        )
    tally = app_.ledger.tally(found.id)
    deliveries = output.counted(tally.total, "delivery", "deliveries")
    output.line(f"The ledger of issue {found.number} adds up: {deliveries}, {states(tally)}.")


@app.command(epilog=nouns.example("newsletter mailing message 2.23 ada@example.org"))
def message(
    ctx: typer.Context,
    issue: Issue,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="Who got it.")],
) -> None:
    """Write the exact message again that somebody was sent, checked against its recorded hash."""
    app_ = invocation.of(ctx).app
    found = app_.audit.message(mailing_of(app_, issue), address)
    if found.parts is None:
        sys.stdout.buffer.write(found.raw)
    else:
        output.show(found.parts._asdict(), as_json=True, text=lambda: None)


@app.command(epilog=nouns.example("newsletter mailing status", "newsletter mailing status 2.23 --watch"))
def status(
    ctx: typer.Context,
    issue: Annotated[str, typer.Argument(metavar="[ISSUE]", help="All mailings when none is named.")] = "",
    watch: Annotated[bool, typer.Option("--watch", help="Look again every second until it is over.")] = False,
    as_json: output.Json = False,
) -> None:
    """Show how mailings stand; exit code 3 when the one that is named did not reach everybody."""
    app_ = invocation.of(ctx).app
    if not issue:
        _list(app_, as_json=as_json)
        return
    found = mailing_of(app_, issue)
    if watch:
        from newsletter.cli.mailing import watching

        watching.watch(app_, found)
    output.show(plain(app_, found), as_json=as_json, text=lambda: show(app_, found))
    leave_troubled(app_.ledger.tally(found.id))


def _list(app: wiring.App, *, as_json: bool) -> None:
    found = app.ledger.mailings()

    def text() -> None:
        rows = [
            (one.number, one.status, f"{one.planned:,}", local(app, one.due_at or one.created_at), one.reason)
            for one in found
        ]
        if rows:
            output.table(("Issue", "Status", "Planned", "When", "Reason"), rows)
        else:
            output.line("No mailing yet. To begin: newsletter mailing plan next")

    output.show(found, as_json=as_json, text=text)
