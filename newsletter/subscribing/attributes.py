"""What else is known of subscribers: values of the kinds that newsletter.toml declares."""

from __future__ import annotations

import difflib
import re
import zoneinfo
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from newsletter.domain import errors

_YES, _NO = frozenset({"yes", "true", "1", "y", "on"}), frozenset({"no", "false", "0", "n", "off"})
_FIELDS = ("name", "language", "timezone")


def typed(kind: str, text: str) -> Any:
    """Return the value that a text writes, of one of the kinds of ``[attributes]``.

    Raises:
        ValueError: it writes none of that kind; the message says what was expected.
    """
    text = text.strip()
    if kind == "number":
        if not re.fullmatch(r"[+-]?\d+(\.\d+)?", text):
            raise ValueError("expected a number")
        return float(text) if "." in text else int(text)
    if kind == "date":
        try:
            return date.fromisoformat(text[:10]).isoformat()
        except ValueError:
            raise ValueError("expected a date such as 2026-01-31") from None
    if kind == "yes/no":
        if text.lower() not in _YES | _NO:
            raise ValueError("expected yes or no")
        return text.lower() in _YES
    return text


def assignments(texts: Sequence[str], kinds: Mapping[str, str]) -> dict[str, Any]:
    """Return the changes that ``name=Ada`` and ``attr.seats=3`` ask for; ``attr.seats=`` takes away.

    Raises:
        UsageError: a field or value that is not known, or not declared in newsletter.toml.
    """
    return dict(_assignment(text, kinds) for text in texts)


def _assignment(text: str, kinds: Mapping[str, str]) -> tuple[str, Any]:
    field, mark, value = text.partition("=")
    field, attribute = field.strip(), field.strip().removeprefix("attr.")
    if not mark:
        raise errors.UsageError(f"“{text}” sets nothing", hint="write it as language=ja or attr.country=US")
    if field in _FIELDS:
        return field, _plain(field, value.strip())
    if field == attribute or attribute not in kinds:
        known = [*_FIELDS, *(f"attr.{name}" for name in kinds)]
        near = difflib.get_close_matches(field, known, n=1)
        hint = (
            f"did you mean {near[0]}?"
            if near
            else f"known are: {', '.join(known)}; [attributes] declares more"
        )
        raise errors.UsageError(f"there is no field “{field}”", hint=hint)
    if not value.strip():
        return field, None
    try:
        return field, typed(kinds[attribute], value)
    except ValueError as error:
        raise errors.UsageError(f"{field}: {error}, not “{value}”") from None


def _plain(field: str, value: str) -> str:
    if field == "timezone" and value:
        try:
            zoneinfo.ZoneInfo(value)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            raise errors.UsageError(
                f"“{value}” is not a time zone", hint="write it as America/New_York or Asia/Tokyo"
            ) from None
    if field == "language" and value and not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", value):
        raise errors.UsageError(f"“{value}” is not a language", hint="write it as en, ja or pt-BR")
    return " ".join(value.split())
