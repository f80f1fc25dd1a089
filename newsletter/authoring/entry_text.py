"""Entries as text: one made of clippings, and one more source for an entry that an editor has written."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from newsletter.authoring import entry_fields, markup, sentences
from newsletter.authoring.clippings import Clipping
from newsletter.domain import issues, slugs

_POINT = re.compile(r"[ \t]*-[ \t]+")
#: Sentences that are quoted from the first source, and from each other one.
_FIRST, _OTHER = 3, 1


class EntryText(NamedTuple):
    """An entry as it stands in the file."""

    headline: str
    text: str


def of(sources: Sequence[Clipping]) -> EntryText:
    """Return an entry made of the clippings of one story, the best first."""
    own = next((one.headline for one in sources if one.headline), "")
    # TK keeps the issue from going out under a headline that another paper wrote.
    headline = own or f"TK {sources[0].title}"
    day = max((one.published for one in sources if one.published), default=None)
    topics = dict.fromkeys(topic for one in sources for topic in one.topics)
    links = [line for one in sources if (line := _source(one))]
    fields = [
        f"id: {slugs.slug(own or sources[0].title, default=sources[0].name)}",
        f"topics: {', '.join(topics)}" if topics else "",
        f"date: {day}" if day else "",
        f"clippings: {', '.join(one.name for one in sources)}",
        "\n".join(["sources:", *links]) if links else "",
    ]
    head = "\n".join(field for field in fields if field)
    return EntryText(headline, f"## {_line(headline)}\n{head}\n\n{_body(sources)}\n")


def with_source(text: str, entry: issues.Entry, clipping: Clipping) -> str:
    """Return the text of an issue file with one more source in an entry's fields; words stay as they are."""
    lines = text.split("\n")
    found = (i for i in range(len(lines)) if _named(lines, i) & set(entry.clippings))
    if (start := next(found, None)) is None:
        return text
    _name(lines, start, clipping.name)
    end = next((i for i in range(start, len(lines)) if not lines[i].strip()), len(lines))
    first = max(i for i in range(start + 1) if lines[i].startswith("##")) + 1
    if not (source := _source(clipping)):
        return "\n".join(lines)
    keys = [i for i in range(first, end) if re.match(r"sources:", lines[i])]
    if keys:
        at = keys[0] + 1
        while at < end and re.match(r"\s+|-\s", lines[at]):
            at += 1
        lines.insert(at, source)
    else:
        lines[end:end] = ["sources:", source]
    return "\n".join(lines)


def renamed(text: str, taken: set[str]) -> str:
    """Return an entry with an id that no other has, and remember it as taken."""
    match = re.search(r"^id: (\S+)$", text, re.MULTILINE)
    if match is None:
        return text
    name, count = match[1], 1
    while name in taken:
        count += 1
        name = f"{match[1]}-{count}"
    taken.add(name)
    return text.replace(match[0], f"id: {name}", 1)


def _body(sources: Sequence[Clipping]) -> str:
    parts = [_below(one.words) for one in sources if one.words]
    if not parts:
        quotes = [_quote(one, _FIRST if i == 0 else _OTHER) for i, one in enumerate(sources) if one.excerpt]
        parts = (
            ["TK Raw material, to be told in our own words:", *quotes] if quotes else ["TK What happened."]
        )
    parts += [f"TK address of the source: [{_label(one)}](#)" for one in sources if not one.address]
    return "\n\n".join(part for part in parts if part)


def _below(words: str) -> str:
    """Return an editor's words with headings that begin no entry of their own."""
    lines = words.split("\n")
    prose = markup.without_code(lines)
    return "\n".join(
        line.replace("##", "###", 1) if markup.heading(seen) is not None else line
        for line, seen in zip(lines, prose, strict=True)
    )


def _quote(clipping: Clipping, count: int) -> str:
    told = sentences.telling(clipping.excerpt, clipping.title, count=count)
    origin = ", ".join(
        str(part) for part in (clipping.publisher or clipping.file, clipping.published) if part
    )
    lines = [f"> {_line(one)}" for one in told]
    return "\n>\n".join([*lines, f"> — {origin}"] if origin else lines)


def _source(clipping: Clipping) -> str:
    url = clipping.address
    if not entry_fields.is_web(url):
        return ""
    safe = (
        url.replace("(", "%28")
        .replace(")", "%29")
        .replace(" ", "%20")
        .replace("<", "%3C")
        .replace(">", "%3E")
    )
    publisher = f", {_line(clipping.publisher)}" if clipping.publisher else ""
    return f"  - [{_label(clipping)}]({safe}){publisher}"


def _label(clipping: Clipping) -> str:
    return _line(clipping.title).replace("[", "(").replace("]", ")")


def _line(text: str) -> str:
    return " ".join(text.split())


def _named(lines: Sequence[str], at: int) -> set[str]:
    """Return the clippings that the field which begins on a line names; none where it is another field."""
    key, _, value = lines[at].partition(":")
    if key != "clippings":
        return set()
    points = [line.lstrip(" \t-") for line in lines[at + 1 : _last(lines, at) + 1]]
    return {name.strip("[] \t\r\"'") for name in (*value.split(","), *points)} - {""}


def _last(lines: Sequence[str], at: int) -> int:
    """Return the last line of a field that may be a list of points."""
    while at + 1 < len(lines) and _POINT.match(lines[at + 1]):
        at += 1
    return at


def _name(lines: list[str], at: int, name: str) -> None:
    """Add a clipping to the field which begins on a line, in the way in which it is written."""
    last = _last(lines, at)
    if last > at and (point := _POINT.match(lines[last])):
        lines.insert(last + 1, f"{point[0]}{name}")
    elif (line := lines[at].rstrip()).endswith("]"):
        lines[at] = f"{line[:-1]}, {name}]"
    else:
        lines[at] = f"{line}, {name}"
