"""The Markdown below the front matter, cut into an intro and entries."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.authoring import entry_fields, flaws, markup
from newsletter.domain import issues, slugs


@dataclass(frozen=True, kw_only=True)
class Body:
    """The intro and the entries of an issue."""

    intro: str
    intro_line: int
    entries: tuple[issues.Entry, ...]


def read(text: str, first: int, found: flaws.Flaws) -> Body:
    """Cut Markdown, whose first line has number ``first``, at its ``##`` headings."""
    lines = text.split("\n")
    prose = markup.without_code(lines)
    cuts = [i for i, line in enumerate(prose) if markup.heading(line) is not None]
    intro, intro_line = _trimmed(lines[: cuts[0] if cuts else None], first)
    entries: list[issues.Entry] = []
    for position, cut in enumerate(cuts):
        end = cuts[position + 1] if position + 1 < len(cuts) else len(lines)
        entries.append(_entry(lines[cut:end], first + cut, position, found))
    _same_ids(entries, found)
    return Body(intro=intro, intro_line=intro_line, entries=tuple(entries))


def _entry(lines: list[str], line: int, position: int, found: flaws.Flaws) -> issues.Entry:
    headline = markup.heading(lines[0]) or ""
    if not headline:
        found.block(
            "headline", line, "a “##” without a headline", text=lines[0], fix="write the headline behind it"
        )
    size = entry_fields.count(lines[1:])
    fields = entry_fields.read(lines[1 : 1 + size], line + 1, found)
    body, body_line = _trimmed(lines[1 + size :], line + 1 + size)
    return issues.Entry(
        id=fields.id or slugs.slug(headline, default=f"entry-{position + 1}"),
        headline=headline,
        headline_short=fields.headline_short,
        body=body,
        topics=fields.topics,
        date=fields.date,
        sources=fields.sources,
        clippings=fields.clippings,
        line=line,
        body_line=body_line,
    )


def _same_ids(entries: list[issues.Entry], found: flaws.Flaws) -> None:
    first: dict[str, issues.Entry] = {}
    for entry in entries:
        other = first.setdefault(entry.id, entry)
        if other is not entry and entry.headline:
            found.block(
                "duplicate-id",
                entry.line,
                f"entry id “{entry.id}” is taken by the entry on line {other.line}",
                text=entry.headline,
                fix=f"write a line “id: {entry.id}-2” under the headline",
            )


def _trimmed(lines: list[str], first: int) -> tuple[str, int]:
    start = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    end = next((i for i in range(len(lines), start, -1) if lines[i - 1].strip()), start)
    return "\n".join(lines[start:end]), first + start if end > start else 0
