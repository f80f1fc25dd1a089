"""How people, their history and their number look on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from newsletter import ports
from newsletter.cli import output
from newsletter.domain.subscribers import Subscriber

if TYPE_CHECKING:
    from newsletter.domain import rolls


def print_list(people: Iterable[Subscriber]) -> None:
    """Print one line each, as they come."""
    output.table(
        ["address", "status", "name", "tags", "since"],
        (
            (person.email, person.status.value, person.name, ", ".join(person.tags), _day(person.joined_at))
            for person in people
        ),
    )


def with_reasons(
    people: Iterable[Subscriber], reasons: Mapping[int, str], directory: ports.Directory
) -> Iterator[dict[str, str]]:
    """Yield what each status rests on: the world's report, the suppression, or the last consent record."""
    for person in people:
        last = directory.history(person.id)[-1:]
        recorded = f"{last[0].how.value} {last[0].source}".strip() if last else ""
        yield {
            "email": person.email,
            "status": person.status.value,
            "since": _day(last[0].at if last else person.joined_at),
            "why": reasons.get(person.id, "") or directory.is_suppressed(person.email) or recorded,
        }


def print_reasons(rows: Iterable[Mapping[str, str]]) -> None:
    """Print what each status rests on."""
    output.table(["address", "status", "since", "why"], (tuple(row.values()) for row in rows))


def print_person(result: Mapping[str, Any]) -> None:
    """Print everything about one subscriber."""
    person: Subscriber = result["subscriber"]
    facts = {
        "address": person.email,
        "status": person.status.value,
        "name": person.name,
        "language": person.language,
        "time zone": person.timezone,
        "topics": ", ".join(person.topics),
        "tags": ", ".join(person.tags),
        "paused until": _day(person.paused_until) if person.paused_until else "",
        "suppressed": result["suppressed"],
        **{str(key): value for key, value in person.attributes.items()},
    }
    for name, value in facts.items():
        if value not in ("", None):
            output.line(f"{name + ':':14}{value}")
    output.line()
    rows = [
        (_minute(kept.at), kept.status.value, kept.how.value, kept.source, kept.wording)
        for kept in result["history"]
    ]
    output.table(["when", "became", "how", "where", "in these words"], rows)
    if result["deliveries"]:
        output.line()
        sent = [
            (each["issue"], each["state"].value, _minute(each["at"]), each["reply"])
            for each in result["deliveries"]
        ]
        output.table(["issue", "delivery", "when", "reply"], sent)

    if result["letters"]:
        output.line()
        put = [
            (each["letter"].value, _minute(each["asked_at"]), each["state"].value, each["reply"])
            for each in result["letters"]
        ]
        output.table(["letter", "called for", "state", "reply"], put)


def print_statistics(found: rolls.Statistics) -> None:
    """Print the list in numbers."""
    rows = [(status, f"{number:,}") for status, number in found.statuses.items()]
    output.table(["status", "subscribers"], [*rows, ("all", f"{sum(found.statuses.values()):,}")])
    output.line()
    _print_growth(found)
    for title, counts in {
        "came by": found.sources,
        "left because": found.reasons,
        "topic": found.topics,
        "tag": found.tags,
        "language": found.languages,
        "domain": found.domains,
    }.items():
        if counts:
            output.line()
            _print_bars(title, counts)


#: Months of the chart.
_MONTHS = 24
_WIDTH = 40
_EIGHTHS = " ▏▎▍▌▋▊▉█"


def _print_growth(found: rolls.Statistics) -> None:
    months = sorted({*found.joined, *found.left})[-_MONTHS:]
    most = max([*(found.joined.get(month, 0) for month in months), 1])
    rows = []
    for month in months:
        joined, left = found.joined.get(month, 0), found.left.get(month, 0)
        rows.append((month, f"+{joined:,}", f"−{left:,}", _bar(joined, most)))
    output.table(["month", "joined", "left", ""], rows)


def _print_bars(title: str, counts: Mapping[str, int]) -> None:
    most = max(counts.values())
    rows = [(name or "(none)", f"{number:,}", _bar(number, most)) for name, number in counts.items()]
    output.table([title, "subscribers", ""], rows)


def _bar(number: int, most: int) -> str:
    eighths = round(number / most * _WIDTH * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).strip()


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC" if moment else ""
