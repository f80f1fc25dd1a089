"""The house's words: preferred and forbidden forms, the order of names, acronyms that need no telling.

``glossary.toml`` in the workspace::

    [[term]]
    preferred = "Japan-US"
    forbidden = ["Japanese-American alliance"]
    note = "The order follows the publication's title."
    languages = ["en"]

    [[name]]
    family = "Kishida"
    given = "Fumio"
    order = "family-first"

    [acronyms]
    known = ["METI", "QUAD"]
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.domain import errors


@dataclass(frozen=True, kw_only=True)
class Term:
    """A form that the house prefers, and those that it does not print."""

    preferred: str
    forbidden: tuple[str, ...]
    note: str = ""
    #: Empty: every language.
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Glossary:
    """What the house calls things."""

    terms: tuple[Term, ...] = ()
    acronyms: frozenset[str] = frozenset()


EMPTY = Glossary()
_ORDERS = ("family-first", "given-first")


def read(path: Path) -> Glossary:
    """Read a glossary.

    Raises:
        SettingsError: the file is not TOML, or says something that a glossary cannot.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise errors.SettingsError([_problem(path, str(error))]) from error
    problems = [f"unknown key “{key}”" for key in data.keys() - {"term", "name", "acronyms"}]
    terms = tuple(_terms(data, problems))
    known = _tables(data.get("acronyms", {}))[0].get("known", [])
    if not _is_texts(known):
        problems.append("[acronyms] known is a list of texts")
    if problems:
        raise errors.SettingsError(
            [_problem(path, text) for text in problems],
            hint="a glossary has [[term]], [[name]] and [acronyms]",
        )
    return Glossary(terms=terms, acronyms=frozenset(known))


def _terms(data: Mapping[str, Any], problems: list[str]) -> list[Term]:
    terms = []
    for position, row in enumerate(_tables(data.get("term", [])), start=1):
        preferred, forbidden = row.get("preferred"), row.get("forbidden")
        if not isinstance(preferred, str) or not preferred or not _is_texts(forbidden) or not forbidden:
            problems.append(f"[[term]] {position} needs a text “preferred” and a list “forbidden”")
            continue
        languages = tuple(row.get("languages", ()))
        terms.append(
            Term(
                preferred=preferred,
                forbidden=tuple(forbidden),
                note=str(row.get("note", "")),
                languages=languages,
            )
        )
    return terms + _names(data, problems)


def _names(data: Mapping[str, Any], problems: list[str]) -> list[Term]:
    terms = []
    for position, row in enumerate(_tables(data.get("name", [])), start=1):
        parts = [text for key in ("family", "given") if isinstance(text := row.get(key), str) and text]
        order = row.get("order", _ORDERS[0])
        if len(parts) < 2 or order not in _ORDERS:
            problems.append(
                f"[[name]] {position} needs “family”, “given” and an order of {' or '.join(_ORDERS)}"
            )
            continue
        if order == _ORDERS[1]:
            parts.reverse()
        preferred, other = " ".join(parts), " ".join(reversed(parts))
        terms.append(Term(preferred=preferred, forbidden=(other,), note=f"names are written {order}"))
    return terms


def _tables(value: object) -> list[dict[str, Any]]:
    """Return what should be tables as tables; anything else becomes an empty one, which lacks every key."""
    rows = value if isinstance(value, list) else [value]
    return [row if isinstance(row, dict) else {} for row in rows]


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(text, str) for text in value)


def _problem(path: Path, message: str) -> errors.Problem:
    return errors.Problem(path=path.name, line=0, message=message)
