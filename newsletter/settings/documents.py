"""Read newsletter.toml and .env, and remember on which line each key stands."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.domain import errors

_BARE = r"(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')"
_DOTTED = rf"{_BARE}(?:\s*\.\s*{_BARE})*"
_TABLE = re.compile(rf"\s*\[\[?\s*({_DOTTED})\s*\]")
_KEY = re.compile(rf"\s*({_DOTTED})\s*=(.*)")
_INLINE_KEY = re.compile(rf"[{{,]\s*({_BARE})\s*=")
_VARIABLE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")


@dataclass(frozen=True, kw_only=True)
class Document:
    """One settings file: what it says, and where."""

    #: As a person would type it from where they stand.
    path: str
    data: dict[str, Any]
    lines: dict[tuple[str, ...], int]

    def line(self, path: tuple[str, ...]) -> int:
        """Return the line of a key, or of the nearest table around it; 0 when there is none."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)


def shown(path: Path) -> str:
    """Return a path as a person would type it from where they stand."""
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


def read_toml(path: Path) -> Document:
    """Return newsletter.toml.

    Raises:
        SettingsError: it is not TOML, not UTF-8, or cannot be read.
    """
    text = _read(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        twice = "write its lines below the table of that name that is there" if "twice" in str(error) else ""
        raise errors.SettingsError([_problem(path, line, f"not TOML: {error}")], hint=twice) from error
    return Document(path=shown(path), data=data, lines=_toml_lines(text))


def read_env(path: Path) -> Document:
    """Return `.env`, empty where there is none; names in capitals.

    Raises:
        SettingsError: it is not UTF-8, or cannot be read.
    """
    if not path.exists():
        return Document(path=shown(path), data={}, lines={})
    text = _read(path)
    lines: dict[tuple[str, ...], int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if match := _VARIABLE.match(line):
            lines[(match[1].upper(),)] = number
    return Document(path=shown(path), data={name: True for (name,) in lines}, lines=lines)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise errors.SettingsError([_problem(path, line, "not UTF-8")]) from error
    except OSError as error:
        raise errors.SettingsError([_problem(path, 0, str(error.strerror))]) from error


def _problem(path: Path, line: int, message: str) -> errors.Problem:
    return errors.Problem(path=shown(path), line=line, message=message)


def _toml_lines(text: str) -> dict[tuple[str, ...], int]:
    """Map every key of a TOML text to its line; tomllib says what stands there, not where."""
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    fence = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if fence:
            fence = "" if fence in line else fence
        elif match := _TABLE.match(line):
            table = _parts(match[1])
            lines.setdefault(table, number)
        elif match := _KEY.match(line):
            path = table + _parts(match[1])
            lines[path] = number
            if match[2].lstrip().startswith("{"):
                lines |= {(*path, *_parts(key)): number for key in _INLINE_KEY.findall(match[2])}
            fence = next((mark for mark in ('"""', "'''") if match[2].count(mark) % 2), "")
    return lines


def _parts(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in re.findall(_BARE, dotted))
