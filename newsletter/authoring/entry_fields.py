"""The ``key: value`` lines between a headline and the first blank line below it.

They are read by hand rather than as YAML, so that ``headline_short: Japan: a new cabinet`` needs no quotes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from newsletter.authoring import flaws, markup
from newsletter.domain import issues, slugs

KEYS = ("id", "topics", "date", "headline_short", "sources", "clippings")

_FIELD = re.compile(r"([a-z][a-z_]*):(?:[ \t]+(.*))?$")
_ITEM = re.compile(r"[ \t]*-[ \t]+(.*)$")
_CONTINUED = re.compile(r"[ \t]{2,}(url|title|publisher):[ \t]*(.*)$")
_LINKED = re.compile(
    r"\[(?P<title>(?:[^\[\]]|\[[^\]]*\])*)\]\(<?(?P<url>[^\s>]*?)>?\)(?:,\s*(?P<publisher>.+))?$"
)
_TITLED = re.compile(r"(?P<title>.*?)\s*<(?P<url>[a-z]+:[^>\s]+)>(?:,\s*(?P<publisher>.+))?$")
_KEYED = re.compile(r"(url|title|publisher):[ \t]*(.*)$")


@dataclass(kw_only=True)
class Fields:
    """What the field lines of one entry say."""

    id: str = ""
    topics: tuple[str, ...] = ()
    date: date | None = None
    headline_short: str = ""
    sources: tuple[issues.Source, ...] = ()
    clippings: tuple[str, ...] = ()
    lines: dict[str, int] = field(default_factory=dict)


def count(lines: Sequence[str]) -> int:
    """Return how many lines below a headline are field lines."""
    if not lines or not _FIELD.match(lines[0].rstrip()):
        return 0
    return next((i for i, line in enumerate(lines) if not line.strip()), len(lines))


def read(lines: Sequence[str], first: int, found: flaws.Flaws) -> Fields:
    """Read field lines, the first of which has number ``first``."""
    fields = Fields()
    raw: dict[str, tuple[str, list[tuple[int, str]]]] = {}
    key = ""
    for number, line in enumerate(lines, first):
        match = _FIELD.match(line.rstrip())
        if match:
            key = _open(match, number, raw, found)
            fields.lines.setdefault(key, number)
        elif key and (_ITEM.match(line) or _CONTINUED.match(line)):
            raw[key][1].append((number, line))
        else:
            found.block(
                "entry-field",
                number,
                "neither “key: value” nor an item of a list",
                text=line.strip(),
                fix="leave a blank line between the fields of an entry and its text",
            )
    for name, (value, items) in raw.items():
        _SETTERS.get(name, _ignore)(fields, value, items, fields.lines.get(name, first), found)
    return fields


def _open(
    match: re.Match[str], number: int, raw: dict[str, tuple[str, list[tuple[int, str]]]], found: flaws.Flaws
) -> str:
    key, value = match[1], (match[2] or "").strip()
    if key not in KEYS:
        found.block(
            "unknown-key",
            number,
            f"an entry has no field “{key}”",
            text=match[0],
            fix=flaws.nearest(key, KEYS)
            or f"the fields are {', '.join(KEYS)}; text comes after a blank line",
        )
    elif key in raw:
        found.block("duplicate-key", number, f"“{key}” stands twice in one entry", text=match[0])
    raw[key] = (_unquoted(value), [])
    return key


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
        return value[1:-1]
    return value


def _words(value: str, items: list[tuple[int, str]]) -> list[str]:
    parts = value.strip("[]").split(",")
    parts += [match[1] for _, line in items if (match := _ITEM.match(line))]
    return [word for part in parts if (word := _unquoted(part.strip()))]


def _set_id(fields: Fields, value: str, items: list[tuple[int, str]], line: int, found: flaws.Flaws) -> None:
    if not slugs.is_slug(value):
        proposal = slugs.slug(value)
        fix = f"write “{proposal}”" if proposal else "use lower-case letters, digits and hyphens"
        found.block("entry-id", line, f"“{value}” is no entry id", text=value, fix=fix)
    fields.id = value


def _set_topics(
    fields: Fields, value: str, items: list[tuple[int, str]], line: int, found: flaws.Flaws
) -> None:
    fields.topics = tuple(dict.fromkeys(_words(value, items)))


def _set_clippings(
    fields: Fields, value: str, items: list[tuple[int, str]], line: int, found: flaws.Flaws
) -> None:
    fields.clippings = tuple(dict.fromkeys(_words(value, items)))


def _set_date(
    fields: Fields, value: str, items: list[tuple[int, str]], line: int, found: flaws.Flaws
) -> None:
    try:
        fields.date = date.fromisoformat(value)
    except ValueError:
        found.block("date", line, f"“{value}” is not a date", text=value, fix="write it as 2026-11-20")


def _set_short(
    fields: Fields, value: str, items: list[tuple[int, str]], line: int, found: flaws.Flaws
) -> None:
    fields.headline_short = value


def _set_sources(
    fields: Fields, value: str, items: list[tuple[int, str]], line: int, found: flaws.Flaws
) -> None:
    sources = [source(text, line) for text in _words(value, [])]
    for number, text in items:
        if match := _ITEM.match(text):
            sources.append(source(match[1].strip(), number))
        elif (more := _CONTINUED.match(text)) and sources:
            sources[-1] = _with(sources[-1], more[1], _unquoted(more[2].strip()))
    for one in sources:
        if not is_web(one.url) and not markup.is_unsafe(one.url):
            found.block(
                "source",
                one.line,
                f"“{one.url or one.title}” is not a link",
                text=one.url or one.title,
                fix="write a source as “- https://…” or “- [Title](https://…), Publisher”",
            )
    fields.sources = tuple(sources)


def is_web(url: str) -> bool:
    """Whether an address can stand among the sources."""
    return re.match(r"https?://[^\s/]", url) is not None


def source(text: str, line: int) -> issues.Source:
    """Read one source: an address, ``[Title](address), Publisher`` or ``Title <address>``."""
    text = _unquoted(text)
    match = _LINKED.match(text) or _TITLED.match(text)
    if match:
        return issues.Source(
            url=match["url"], title=match["title"], publisher=(match["publisher"] or "").strip(), line=line
        )
    if keyed := _KEYED.match(text):
        return _with(issues.Source(url="", line=line), keyed[1], _unquoted(keyed[2].strip()))
    return issues.Source(url=text, line=line)


def _with(one: issues.Source, key: str, value: str) -> issues.Source:
    values = {"url": one.url, "title": one.title, "publisher": one.publisher, key: value}
    return issues.Source(line=one.line, **values)


def _ignore(fields: Fields, value: str, items: list[tuple[int, str]], line: int, found: flaws.Flaws) -> None:
    """Leave an unknown field, which was reported already."""


_SETTERS = {
    "id": _set_id,
    "topics": _set_topics,
    "date": _set_date,
    "headline_short": _set_short,
    "sources": _set_sources,
    "clippings": _set_clippings,
}
