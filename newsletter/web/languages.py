"""The languages of the public pages: one catalogue a language, chosen by the reader's own wish."""

from __future__ import annotations

import importlib.resources
import re
from collections.abc import Mapping
from functools import cache, lru_cache

from starlette.requests import Request

#: The language that the pages are written in; it has no catalogue.
SOURCE = "en"
_RANGE = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?))?\s*")


@cache
def known() -> tuple[str, ...]:
    """Return the languages that there are pages in."""
    folder = importlib.resources.files("newsletter.web").joinpath("locales")
    found = sorted(each.name.removesuffix(".po") for each in folder.iterdir() if each.name.endswith(".po"))
    return (SOURCE, *found)


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """Return the translations of a language by their English words; none where there is no catalogue."""
    if language == SOURCE or language not in known():
        return {}
    from babel.messages import pofile

    folder = importlib.resources.files("newsletter.web").joinpath("locales")
    with folder.joinpath(f"{language}.po").open("rb") as file:
        read = pofile.read_po(file, locale=language, charset="utf-8")
    return {str(each.id): str(each.string) for each in read if each.id and each.string}


def chosen(request: Request, default: str) -> str:
    """Return the language of an answer: as the address asks, as the browser prefers, or the default."""
    asked = request.query_params.get("lang", "") if request.scope["query_string"] else ""
    return _chosen(asked[:20], request.headers.get("accept-language", "")[:500], default)


def base(tag: str) -> str:
    """Return the language that a tag begins with: ``pt`` of ``pt-BR``."""
    return tag.partition("-")[0].lower()


def of(tag: str) -> str:
    """Return the language that there are pages in for a tag."""
    return base(tag) if base(tag) in known() else SOURCE


@lru_cache(maxsize=512)
def _chosen(asked: str, wished: str, default: str) -> str:
    for tag in (asked, *_preferred(wished), default):
        if base(tag) in known():
            return base(tag)
    return SOURCE


def _preferred(header: str) -> list[str]:
    """Return the language ranges of Accept-Language (RFC 9110 §12.5.4), most wanted first."""
    found = [match for part in header[:500].split(",") if (match := _RANGE.fullmatch(part))]
    weighed = [(float(match[2] or 1), match[1]) for match in found if match[1] != "*"]
    return [tag for weight, tag in sorted(weighed, key=lambda each: -each[0]) if weight > 0]
