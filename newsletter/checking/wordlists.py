"""Words that rules know by heart, from ``data/words.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources


@cache
def read(name: str) -> frozenset[str]:
    """Return the words of one list."""
    return frozenset(_lists()[name])


@cache
def _lists() -> dict[str, list[str]]:
    path = resources.files("newsletter.checking").joinpath("data/words.toml")
    lists: dict[str, list[str]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return lists
