"""`mailing status --watch`: look at a mailing every second until nothing more happens by itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from newsletter import wiring
from newsletter.cli import output
from newsletter.cli.mailing.group import is_idle, local, states

if TYPE_CHECKING:
    from newsletter.domain import deliveries

_SECOND = 1.0


def watch(app: wiring.App, mailing: deliveries.Mailing) -> None:
    """Print a line whenever something changed, with rate and time left."""
    from newsletter.domain.deliveries import MailingStatus

    before, since, last = None, time.monotonic(), ""
    while True:
        tally = app.ledger.tally(mailing.id)
        now = time.monotonic()
        line = _line(app, tally, before, now - since)
        if line != last:
            output.line(line)
        if tally.mailing.status is not MailingStatus.SENDING:
            return
        before, since, last = tally, now, line
        time.sleep(_SECOND)


def _line(app: wiring.App, tally: deliveries.Tally, before: deliveries.Tally | None, seconds: float) -> str:
    settled = tally.total - tally.open
    text = f"{tally.mailing.status}: {settled:,} of {tally.total:,}; {states(tally)}"
    if before is not None and seconds > 0 and (done := settled - (before.total - before.open)) > 0:
        rate = done / seconds
        text += f"; {rate:,.0f}/s, {tally.open / rate:,.0f} s left"
    elif tally.next_try:
        text += f"; next try {local(app, tally.next_try)}"
    if is_idle(app, tally):
        number = tally.mailing.number
        text += f"; nobody is sending it: newsletter serve does, or newsletter mailing send {number}"
    return text
