"""`newsletter calendar`: issue numbers, deadlines, sends and clashes to come."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import invocation, nouns, output

if TYPE_CHECKING:
    from newsletter.authoring import almanac

app = nouns.command()


@app.command(epilog=nouns.example("newsletter calendar --months 6", "newsletter calendar --ics digest.ics"))
def calendar(
    ctx: typer.Context,
    months: Annotated[int, typer.Option(metavar="N", min=1, max=60, help="How far to look ahead.")] = 3,
    ics: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it as an iCalendar file, too.")
    ] = None,
    as_json: output.Json = False,
) -> None:
    """Show the issues and deadlines to come.

    Numbers, deadlines, when each goes out, and what speaks against a day.
    """
    app_ = invocation.of(ctx).app
    days = app_.newsroom.calendar(until=_later(app_.today(), months))
    if ics:
        from newsletter.authoring import icalendar, saving

        publication = app_.publication
        data = icalendar.dumps(
            days, title=publication.title, domain=publication.sender.domain, now=app_.now()
        )
        saving.save(ics, data)
    output.show(
        [{"number": str(day.number)} | _plain(day) for day in days],
        as_json=as_json,
        text=lambda: _tell(days, ics),
    )


def _tell(days: list[almanac.IssueDay], ics: Path | None) -> None:
    _print(days)
    if ics:
        output.line(f"Written to {ics}.")


def _later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, 1) - timedelta(days=1) if day.day > 28 else date(year, month + 1, day.day)


def _plain(day: almanac.IssueDay) -> dict[str, object]:
    return {
        "date": day.day,
        "status": day.status or None,
        "collect_until": day.collect_until,
        "draft_by": day.draft_by,
        "approve_by": day.approve_by,
        "goes_out": day.goes_out,
        "clashes": day.clashes,
    }


def _print(days: list[almanac.IssueDay]) -> None:
    if not days:
        output.line("No issue is due in that time.")
        return
    rows = [
        (
            day.number,
            day.status or None,
            _when(day.collect_until),
            _when(day.draft_by),
            _when(day.approve_by),
            f"{day.goes_out:%a %d %b %Y %H:%M %Z}",
            "; ".join(day.clashes),
        )
        for day in days
    ]
    output.table(("Vol", "Status", "Collect until", "Draft by", "Approve by", "Goes out", ""), rows)


def _when(moment: datetime) -> str:
    return f"{moment:%a %d %b %H:%M}"
