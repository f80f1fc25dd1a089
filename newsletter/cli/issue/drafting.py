"""`issue draft`: from a fortnight's clippings to a draft."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import invocation, nouns, output
from newsletter.cli.issue.group import app

if TYPE_CHECKING:
    from newsletter.authoring import drafting

Since = Annotated[
    datetime | None,
    typer.Option(
        "--from", metavar="DATE", formats=["%Y-%m-%d"], help="First day; default: since the last issue."
    ),
]
Until = Annotated[
    datetime | None,
    typer.Option("--to", metavar="DATE", formats=["%Y-%m-%d"], help="Last day; default: today."),
]


@app.command(
    epilog=nouns.example("newsletter issue draft", "newsletter issue draft --topics security,economy --max 5")
)
def draft(
    ctx: typer.Context,
    since: Since = None,
    until: Until = None,
    topics: Annotated[
        str, typer.Option("--topics", metavar="A,B", help="Only these topics, in this order; default: all.")
    ] = "",
    most: Annotated[
        int, typer.Option("--max", metavar="N", min=1, help="Entries that the issue may have.")
    ] = 6,
    as_json: output.Json = False,
) -> None:
    """Draft the next issue from the inbox, one entry a story; add what is new to a draft there is."""
    from newsletter.authoring import drafting

    app_ = invocation.of(ctx).app
    wanted = tuple(word for one in topics.split(",") if (word := one.strip()))
    wishes = drafting.Wishes(
        since=_day(since),
        until=_day(until),
        topics=wanted,
        order=wanted or app_.settings.inbox.topics,
        most=most,
    )
    done = app_.drafter.draft(wishes)
    output.show(_plain(done), as_json=as_json, text=lambda: _print(done))


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None


def _plain(done: drafting.Drafted) -> dict[str, object]:
    return {
        "path": str(done.path),
        "number": str(done.number),
        "date": done.day,
        "new": done.is_new,
        "added": done.added,
        "joined": done.joined,
        "left": done.left,
        "broken": done.broken,
    }


def _print(done: drafting.Drafted) -> None:
    output.line(f"{done.path}: {done.number.label}, {done.day:%A, %d %B %Y}")
    for headline in done.added:
        output.line(f"  added: {headline}")
    for name, entry in done.joined.items():
        output.line(f"  one more source for {entry}: {name}")
    for title in done.left:
        output.line(f"  no room for: {title}")
    for reason in done.broken:
        output.warn(f"passed over: {reason}")
    if not (done.added or done.joined):
        output.line("Nothing in the inbox is new; the draft is as it was.")
    else:
        output.line(f"Write it, then: newsletter issue check {done.number}")
