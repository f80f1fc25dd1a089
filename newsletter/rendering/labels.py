"""The words that the theme itself says, in the language of the edition."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from newsletter.domain import errors

_FILE = "labels.toml"
_FALLBACK = "en"


def read(folders: tuple[Path, ...], language: str) -> Mapping[str, str]:
    """Return the labels of a language; what it lacks is said in English.

    Raises:
        RenderError: a ``labels.toml`` cannot be read.
    """
    found: dict[str, str] = {}
    tables = [_tables(folder / _FILE) for folder in reversed(folders)]
    for name in (_FALLBACK, language.partition("-")[0].lower(), language.lower()):
        for table in tables:
            found |= {key: str(text) for key, text in table.get(name, {}).items()}
    return found


def written_date(day: date, labels: Mapping[str, str]) -> str:
    """Return a date as readers of the language write it."""
    months = labels["months"].split(",")
    return labels["date"].format(year=day.year, month=months[day.month - 1].strip(), day=day.day)


def _tables(path: Path) -> Mapping[str, Mapping[str, object]]:
    try:
        return _read(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise errors.RenderError(f"{path}: {error}") from error


@functools.lru_cache(maxsize=16)
def _read(path: Path, _modified: int) -> Mapping[str, Mapping[str, object]]:
    """Read a file once, as long as it does not change."""
    return tomllib.loads(path.read_text("utf-8"))
