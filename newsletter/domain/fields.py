"""Personal fields in editors' text: ``{{ subscriber.first_name | default("reader") }}``.

A handful of names and one filter, read by a parser of our own: editors' text never reaches a
template engine. ``\\{{`` stands for two literal braces, ``{{ snippet "name" }}`` for a stretch of
Markdown that is kept elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from newsletter.domain import errors, messages

_BRACES = re.compile(r"\\\{\{|\{\{(?P<inside>(?:[^{}\"]|\"[^\"\n]*\")*)\}\}|(?P<loose>\{\{)")
_FIELD = re.compile(
    r"\s*(?P<name>[\w.]+)\s*(?:\|\s*default\(\s*\"(?P<default>[^\"\n]*)\"\s*\)\s*)?", re.ASCII
)
_SNIPPET = re.compile(r"\s*snippet\s+\"(?P<name>[\w-]+)\"\s*")
#: What to write instead of a field that is refused.
HINT = (
    f"fields are {', '.join(messages.FIELDS)}; write {{{{ subscriber.first_name | "
    'default("reader") }}, or \\{{ for two braces'
)


@dataclass(frozen=True, kw_only=True)
class Found:
    """One pair of braces in a text."""

    #: As it stands in the text, braces and all.
    text: str
    #: 1-based line and column within the text that was searched.
    line: int
    column: int
    #: What it asks for; None when it asks for nothing we know.
    field: messages.Field | None
    #: Why it cannot be filled; empty when it can.
    problem: str = ""
    #: Name of the snippet that it stands for.
    snippet: str = ""
    #: Offset within the text.
    at: int = 0


def find(text: str) -> tuple[Found, ...]:
    """Return every personal field of a text, good or bad, in reading order."""
    found = []
    for match in _BRACES.finditer(text):
        if match[0].startswith("\\"):
            continue
        snippet = _SNIPPET.fullmatch(match["inside"] or "")
        field, problem = (None, "") if snippet else _read(match)
        line = text.count("\n", 0, match.start()) + 1
        column = match.start() - text.rfind("\n", 0, match.start())
        found.append(
            Found(
                text=match[0],
                line=line,
                column=column,
                field=field,
                problem=problem,
                snippet=snippet["name"] if snippet else "",
                at=match.start(),
            )
        )
    return tuple(found)


def parse(text: str) -> messages.Pieces:
    """Split a text into literal text and open fields.

    Raises:
        RenderError: a field is unknown or badly written; the message names it.
    """
    pieces: list[str | messages.Field] = []
    literal, end = "", 0
    for match in _BRACES.finditer(text):
        literal += text[end : match.start()]
        end = match.end()
        if match[0].startswith("\\"):
            literal += "{{"
            continue
        field, problem = _read(match)
        if field is None:
            raise errors.RenderError(problem, hint=HINT)
        pieces += [literal, field] if literal else [field]
        literal = ""
    literal += text[end:]
    return (*pieces, literal) if literal else tuple(pieces)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Write a text with its fields filled by plain values.

    Raises:
        RenderError: a field is unknown or badly written.
    """
    return join(parse(text), values)


def join(
    pieces: messages.Pieces, values: Mapping[str, str], *, escape: Callable[[str], str] | None = None
) -> str:
    """Put pieces together, each field filled with its value or its default."""
    write = escape or str
    return "".join(piece if isinstance(piece, str) else write(value(piece, values)) for piece in pieces)


def value(field: messages.Field, values: Mapping[str, str]) -> str:
    """Return what fills a field: the recipient's value, or the default where that is empty."""
    return values.get(field.name) or field.default


def _read(match: re.Match[str]) -> tuple[messages.Field | None, str]:
    written = match[0] if match["loose"] is None else "{{"
    if match["loose"] is not None:
        return None, "“{{” opens a personal field that is never closed by “}}”"
    inside = _FIELD.fullmatch(match["inside"])
    if _SNIPPET.fullmatch(match["inside"]):
        return None, f"“{written}” cannot stand here: snippets go into the body, the intro or the closing"
    if inside is None:
        return None, f"“{written}” is not written as a personal field"
    if inside["name"] not in messages.FIELDS:
        return None, f"“{inside['name']}” is not a personal field"
    return messages.Field(inside["name"], inside["default"] or ""), ""
