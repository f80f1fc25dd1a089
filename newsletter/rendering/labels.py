"""The words that the theme itself says, in the language of the edition."""

from __future__ import annotations

import functools
import os
import tomllib
import types
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
    return _chosen(language, tuple(_changed(f"{folder}/{_FILE}") for folder in reversed(folders)))


def written_date(day: date, labels: Mapping[str, str]) -> str:
    """Return a date as readers of the language write it."""
    months = labels["months"].split(",")
    return labels["date"].format(year=day.year, month=months[day.month - 1].strip(), day=day.day)


def _changed(path: str) -> tuple[str, int]:
    """Return a file with the time of its last change, 0 where there is none."""
    try:
        return path, os.stat(path).st_mtime_ns  # noqa: PTH116  (asked at each render, and a Path is slow)
    except FileNotFoundError:
        return path, 0
    except OSError as error:
        raise errors.RenderError(f"{path}: {error}") from error


@functools.lru_cache(maxsize=16)
def _chosen(language: str, files: tuple[tuple[str, int], ...]) -> Mapping[str, str]:
    """Return the labels of a language from files in rising order, read once as long as none changes."""
    tables = [_read(path) for path, modified in files if modified]
    found: dict[str, str] = {}
    for name in (_FALLBACK, language.partition("-")[0].lower(), language.lower()):
        for table in tables:
            found |= {key: str(text) for key, text in table.get(name, {}).items()}
    return types.MappingProxyType(found)


def _read(path: str) -> Mapping[str, Mapping[str, object]]:
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise errors.RenderError(f"{path}: {error}") from error
