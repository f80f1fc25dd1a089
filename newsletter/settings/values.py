"""The types of single settings, each with an error that says what was expected."""

from __future__ import annotations

import difflib
import re
import unicodedata
import zoneinfo
from datetime import time
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr

# BCP 47, as far as a publication needs it: language, script, region.
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?")


def _url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("expected the base of the public pages, such as https://digest.example.org")
    return value.rstrip("/")


def _address(value: str) -> str:
    import email_validator

    try:
        # Syntax only: settings are read without a network.
        checked = email_validator.validate_email(value, check_deliverability=False, test_environment=True)
    except email_validator.EmailNotValidError as error:
        raise ValueError("expected a mail address such as news@example.org") from error
    return checked.normalized


def _database(value: SecretStr) -> SecretStr:
    if not re.match(r"(sqlite|postgres|postgresql)(\+\w+)?://", value.get_secret_value()):
        raise ValueError("expected sqlite:///subscribers.db or postgresql://user@host/name")
    return value


def _line(value: str) -> str:
    # It goes into headers, where a line break would begin another header.
    if any(unicodedata.category(character) in {"Cc", "Zl", "Zp"} for character in value):
        raise ValueError("expected one line, without control characters")
    return value


def _language(value: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        raise ValueError("expected a language tag such as en, ja or pt-BR")
    return value


def _hour(value: object) -> time:
    if isinstance(value, time):
        return value
    match = re.fullmatch(r"(\d{1,2}):(\d\d)", str(value).strip())
    if not match or int(match[1]) > 23 or int(match[2]) > 59:
        raise ValueError('expected a time of day such as "09:00"')
    return time(int(match[1]), int(match[2]))


def _zone(value: object) -> zoneinfo.ZoneInfo:
    if isinstance(value, zoneinfo.ZoneInfo):
        return value
    try:
        return zoneinfo.ZoneInfo(str(value))
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        near = difflib.get_close_matches(str(value), zoneinfo.available_timezones(), n=1, cutoff=0.5)
        example = near[0] if near else "America/New_York"
        raise ValueError(f"expected a time zone by its IANA name, such as {example}") from error


Url = Annotated[str, AfterValidator(_url)]
Address = Annotated[str, AfterValidator(_address)]
OptionalAddress = Annotated[str, AfterValidator(lambda value: _address(value) if value else "")]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database)]
Line = Annotated[str, AfterValidator(_line)]
Language = Annotated[str, AfterValidator(_language)]
Hour = Annotated[time, BeforeValidator(_hour)]
Zone = Annotated[zoneinfo.ZoneInfo, BeforeValidator(_zone)]
