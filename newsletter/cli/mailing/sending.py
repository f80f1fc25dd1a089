"""Carry a mailing out in front of somebody: the bar, Ctrl-C, and the account at the end."""

from __future__ import annotations

import asyncio
import signal
from typing import TYPE_CHECKING

from newsletter import wiring
from newsletter.cli import output
from newsletter.cli.mailing.group import is_trouble, leave_troubled, local, states, type_of
from newsletter.domain import errors

if TYPE_CHECKING:
    from newsletter.domain import deliveries
    from newsletter.sending import plan as planning
    from newsletter.sending.sender import Result, Sender

#: Seconds between two strokes of the progress bar.
_STROKE = 0.1


def carry_out(
    app: wiring.App, mailing: deliveries.Mailing, *, rate: float | None, provider: str, wait: bool
) -> None:
    """Send what is due, with a progress bar, and say what came of it."""
    sender = app.sender(provider or mailing.provider, wait=wait)
    total = app.ledger.tally(mailing.id).open
    try:
        result = app.run(_watch(sender, mailing, rate, total))
    except errors.NewsletterError as error:
        error.hint = _and_then(error.hint, f"`newsletter mailing send {mailing.number}` goes on")
        _alarm(app, sender, mailing)
        raise
    _alarm(app, sender, mailing)
    _account(app, result)


def _and_then(hint: str, after: str) -> str:
    if not hint:
        return after
    return f"{hint} Then {after}" if hint.endswith("?") else f"{hint}; then {after}"


def _alarm(app: wiring.App, sender: Sender, mailing: deliveries.Mailing) -> None:
    """Tell the staff where the mailing paused by itself."""
    if sender.paused:
        app.alarm.ring(app.ledger.get(mailing.id))


def try_out(app: wiring.App, order: planning.Order) -> None:
    """Write every message of an order to the outbox folder; the ledger of record never hears of it."""
    sender, ledger, folder = app.rehearsal()
    planner = app.planner_of(ledger)
    mailing = planner.plan(order, now=app.now())
    result = app.run(_watch(sender, mailing, None, mailing.planned))
    output.line(f"Dry run: {states(result.tally)}. The messages are in {folder}; nobody was mailed.")


async def _watch(sender: Sender, mailing: deliveries.Mailing, rate: float | None, total: int) -> Result:
    """Run a sender; the first Ctrl-C lets it finish what is in the air, the second breaks it off."""
    from newsletter.sending import sender as senders

    sending = asyncio.create_task(sender.send(mailing.id, rate=rate))
    draining: list[asyncio.Task[None]] = []

    def stop(reason: str) -> None:
        if draining:
            sending.cancel()
        else:
            output.warn("stopping: waiting for the answers to what is in the air; once more to break off")
            sender.stop(reason)
            draining.append(asyncio.create_task(senders.drain(sending)))

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, stop, senders.BY_HAND)
    loop.add_signal_handler(signal.SIGTERM, stop, senders.BY_SYSTEM)
    with output.progress("Sending", total=total) as advance:
        done = 0
        while not sending.done():
            await asyncio.wait({sending}, timeout=_STROKE)
            now = sum(sender.counts.values())
            advance(now - done)
            done = now
    try:
        return await sending
    except asyncio.CancelledError:
        raise errors.MailingError("broken off: what was in the air is in doubt") from None


def _account(app: wiring.App, result: Result) -> None:
    """Say what came of it, and what to type next; leave with 3 where somebody was not reached."""
    number, tally = result.mailing.number, result.tally
    if result.recovered:
        lost = output.counted(result.recovered, "delivery was", "deliveries were")
        output.line(f"{lost} in the air when an earlier sender ended.")
    output.line(f"Issue {number} is {result.mailing.status}: {states(tally)}.")
    if result.resumes_at:
        going = output.counted(tally.open, "goes", "go")
        output.line(
            f"{result.stopped.capitalize()}; {going} from {local(app, result.resumes_at)}: "
            f"newsletter serve does it, or newsletter mailing send {number}"
        )
    elif result.stopped:
        open_ = output.counted(tally.open, "that is", "that are")
        raise errors.MailingError(
            f"stopped before the end: {result.stopped}",
            hint=f"`newsletter mailing send {number}` goes on with the {open_} open",
        )
    elif tally.open and app.at_work(result.mailing.id):
        output.line(f"Others are at it still: newsletter mailing status {number} --watch")
    elif tally.open:
        output.line(
            f"{tally.open:,} will be tried again, the next at {local(app, tally.next_try)}: "
            f"newsletter serve does it, or newsletter mailing send {number} --wait"
        )
    if tally.troubled:
        trouble = " ".join(f"--status {state}" for state in type_of(tally) if is_trouble(tally, state))
        output.line(f"Who was not reached, and why: newsletter mailing who {number} {trouble}")
    leave_troubled(tally)
