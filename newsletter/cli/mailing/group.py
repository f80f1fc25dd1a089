"""The group that the commands of the noun belong to, and what they have in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter import wiring
from newsletter.cli import nouns, output
from newsletter.domain import errors, numbering

if TYPE_CHECKING:
    from newsletter.domain import deliveries

app = nouns.group("mailing")

#: Exit code of a mailing that is finished, or as far as it goes for now, and did not reach everybody.
TROUBLED = 3

#: The argument of every command that is about one issue's mailing.
Issue = Annotated[
    str, typer.Argument(metavar="ISSUE", help="2.23, vol-2-23, a file, “latest” or “next” (to go out).")
]


def mailing_of(app: wiring.App, name: str) -> deliveries.Mailing:
    """Return the mailing of the issue that a name means, whether or not its file is still there.

    Raises:
        MailingError: it has none.
    """
    number = number_of(app, name)
    found = app.ledger.mailing(number)
    if found is None:
        cancelled = next((one for one in app.ledger.mailings() if one.number == number), None)
        raise errors.MailingError(
            f"issue {number} has no mailing{_and_had(cancelled)}",
            hint=f"`newsletter mailing plan {number}` shows who would get it",
        )
    return found


def _and_had(cancelled: deliveries.Mailing | None) -> str:
    """Return what became of the mailing that an issue had, which was cancelled."""
    return f": its last one was cancelled ({cancelled.reason})" if cancelled else ""


def number_of(app: wiring.App, name: str) -> numbering.IssueNumber:
    """Return the number of the issue that a name means."""
    try:
        return numbering.parse(name)
    except errors.NewsletterError:
        return app.press.read(app.issue_path(name)).number


def local(app: wiring.App, moment: datetime | None) -> str:
    """Return a moment as the publication's clock shows it."""
    if moment is None:
        return "–"
    return f"{moment.astimezone(app.settings.schedule.timezone):%Y-%m-%d %H:%M %Z}"


def reasons(left_out: Mapping[str, int]) -> str:
    """Return why people are left out, most frequent reason first."""
    ranked = sorted(left_out.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{number:,} {_agreeing(why, number)}" for why, number in ranked) or "nobody"


def _agreeing(why: str, number: int) -> str:
    """Return “have the issue” for more than one who “has the issue”."""
    return why if number == 1 or not why.startswith("has ") else f"have {why.removeprefix('has ')}"


def is_idle(app: wiring.App, tally: deliveries.Tally) -> bool:
    """Say whether a mailing that is being sent has something due, and nobody who sends it this moment."""
    waits = tally.next_try is not None and tally.next_try > app.now()
    is_open = tally.mailing.status == "sending" and tally.open > 0
    return is_open and not waits and not app.at_work(tally.mailing.id)


def states(tally: deliveries.Tally) -> str:
    """Return the states that occur, in the order in which a delivery goes through them."""
    return ", ".join(
        f"{tally.states[state]:,} {state}" for state in type_of(tally) if tally.states.get(state)
    )


def type_of(tally: deliveries.Tally) -> list[deliveries.State]:
    """Return every state in its order."""
    from newsletter.domain.deliveries import State

    return list(State)


def is_trouble(tally: deliveries.Tally, state: deliveries.State) -> bool:
    """Say whether somebody was not reached for this state."""
    from newsletter.domain.deliveries import TROUBLED

    return state in TROUBLED and tally.states.get(state, 0) > 0


def leave_troubled(tally: deliveries.Tally) -> None:
    """Leave with exit code 3 where somebody was not reached."""
    if tally.troubled or tally.open:
        raise typer.Exit(TROUBLED)


def echo_rows(rows: list[tuple[str, str]]) -> None:
    """Print labels and values in two columns."""
    width = max(len(label) for label, _ in rows)
    for label, value in rows:
        output.line(f"{label.ljust(width)}  {value}")
