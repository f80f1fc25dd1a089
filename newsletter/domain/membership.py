"""Who is in an audience: what a rule means for one subscriber, and what the databases are held to."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from newsletter.domain import addresses, audiences
from newsletter.domain.subscribers import Subscriber

COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def includes(rule: audiences.Rule, person: Subscriber) -> bool:
    """Say whether a rule holds for a subscriber."""
    match rule:
        case audiences.All(parts=parts):
            return all(includes(part, person) for part in parts)
        case audiences.Either(parts=parts):
            return any(includes(part, person) for part in parts)
        case audiences.Not(part=part):
            return not includes(part, person)
        case audiences.Test():
            return any(_fits(rule, value, person) for value in rule.values)


def left_out(rule: str, exclude: str) -> Callable[[Subscriber], str]:
    """Return what says why a subscriber is left out of an audience; an empty text for one who is in.

    Raises:
        AudienceError: the rule or the exclusion cannot be understood.
    """
    clauses = audiences.clauses(audiences.parse(rule)) if rule else {}
    excluded = audiences.parse(exclude) if exclude else None

    def why(person: Subscriber) -> str:
        failed = (reason for reason, clause in clauses.items() if not includes(clause, person))
        return next(failed, f"excluded by {exclude}" if excluded and includes(excluded, person) else "")

    return why


def _fits(test: audiences.Test, value: str, person: Subscriber) -> bool:
    if test.field == "attr":
        return _attribute_fits(test.operator, value, person.attributes.get(test.name))
    if test.field == "joined":
        since, until = period(test.operator, value)
        return (since is None or since <= person.joined_at) and (until is None or person.joined_at < until)
    return _PLAIN[test.field](person, value)


_PLAIN: Mapping[str, Callable[[Subscriber, str], bool]] = {
    "id": lambda person, value: person.id == int(value),
    "topic": lambda person, value: value in person.topics,
    "tag": lambda person, value: value in person.tags,
    "language": lambda person, value: person.language == value or person.language.startswith(f"{value}-"),
    "status": lambda person, value: person.status.value == value,
    "timezone": lambda person, value: person.timezone == value,
    "email": lambda person, value: bool(wildcard(value).fullmatch(addresses.key(person.email))),
    "domain": lambda person, value: bool(wildcard(value).fullmatch(addresses.domain(person.email))),
}


def wildcard(value: str) -> re.Pattern[str]:
    """Return the pattern of a value in which ``*`` stands for anything."""
    return re.compile(".*".join(re.escape(part) for part in value.split("*")), re.DOTALL)


def period(comparison: str, value: str) -> tuple[datetime | None, datetime | None]:
    """Return the first moment in, and the first moment after, what a comparison with a day means in UTC."""
    day = datetime.combine(date.fromisoformat(value), time(), UTC)
    after = day + timedelta(days=1)
    return {
        ":": (day, after),
        "<": (None, day),
        "<=": (None, after),
        ">": (after, None),
        ">=": (day, None),
    }[comparison]


def number(value: str) -> float | None:
    """Return the number that a value writes, or None."""
    return float(value) if re.fullmatch(r"-?\d{1,15}(\.\d{1,15})?", value) else None


def _attribute_fits(comparison: str, value: str, found: Any) -> bool:
    """Compare numbers with numbers, and everything else as text; an object or a list is like nothing."""
    if found is None or isinstance(found, dict | list):
        return False
    if comparison == ":":
        return _text(found) == value
    compare = COMPARISONS[comparison]
    if (wanted := number(value)) is not None:
        return isinstance(found, int | float) and not isinstance(found, bool) and compare(found, wanted)
    return isinstance(found, str) and compare(found, value)


def _text(found: Any) -> str:
    return str(found).lower() if isinstance(found, bool) else str(found)
