"""Clients: what the readers' mail programs make of a page, after caniemail."""

from __future__ import annotations

import difflib
import functools
import gzip
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any

from newsletter.checking import features, reading, rulebook
from newsletter.domain import errors, findings

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("clients", needs=("html",))

#: Below this share of the readers a gap is left unsaid.
_BREAKING_FROM, _COSMETIC_FROM = 0.01, 0.10
_NAMED = 6


@dataclass(frozen=True)
class Support:
    """Who supports a feature: shares of the readers whose program has been tested."""

    title: str
    none: float
    partly: float
    #: Names of the programs without it, largest share first.
    without: tuple[str, ...]


@functools.cache
def data() -> Mapping[str, Any]:
    """Return caniemail's data as shipped: ``date``, ``clients`` by key, ``features`` by slug."""
    packed = resources.files("newsletter.checking").joinpath("data/caniemail.json.gz").read_bytes()
    loaded: Mapping[str, Any] = json.loads(gzip.decompress(packed))
    return loaded


@functools.cache
def baseline() -> frozenset[str]:
    """Return the features that the packaged theme uses, each with a fall-back where it is missing."""
    text = (
        resources.files("newsletter.checking").joinpath("data/theme-features.txt").read_text(encoding="utf-8")
    )
    return frozenset(line for line in text.split("\n") if line and not line.startswith("#"))


def weights(shares: Mapping[str, float]) -> dict[str, float]:
    """Spread shares over clients: ``gmail`` over all of Gmail, ``outlook.windows`` as it is; none: evenly.

    Raises:
        SettingsError: a share names no mail program that is known.
    """
    known = list(data()["clients"])
    if not shares:
        return dict.fromkeys(known, 1 / len(known))
    spread: dict[str, float] = {}
    for name, share in shares.items():
        members = [key for key in known if name in {key, key.partition(".")[0]}]
        if not members:
            raise _unknown(name, known)
        for key in members:
            spread[key] = spread.get(key, 0) + share / len(members)
    return spread


def _unknown(name: str, known: list[str]) -> errors.SettingsError:
    families = {key.partition(".")[0] for key in known}
    near = difflib.get_close_matches(name, [*families, *known], n=1)
    problem = errors.Problem(
        path="[audience.clients]",
        line=0,
        message=f"“{name}” is no mail program we know",
    )
    return errors.SettingsError([problem], hint=f"did you mean {near[0]}?" if near else "see docs/checks.md")


def support(slug: str, weighed: Mapping[str, float]) -> Support:
    """Return how many readers see a feature, by the newest version of each program."""
    title, letters = data()["features"].get(slug, [slug, ""])
    rows = [
        (weighed.get(key, 0.0), letter, name)
        for (key, name), letter in zip(sorted(data()["clients"].items()), letters, strict=False)
        if letter in "ynp"
    ]
    tested = sum(weight for weight, _, _ in rows) or 1.0
    lacking = sorted((row for row in rows if row[1] == "n" and row[0] > 0), key=lambda row: (-row[0], row[2]))
    return Support(
        title=title,
        none=sum(row[0] for row in lacking) / tested,
        partly=sum(weight for weight, letter, _ in rows if letter == "p") / tested,
        without=tuple(name for _, _, name in lacking),
    )


def _gaps(page: reading.Reading, wanted: Iterable[str], least: float) -> Hits:
    weighed = weights(page.subject.shares)
    whose = "your readers" if page.subject.shares else "mail programs"
    slugs = frozenset(wanted)
    for slug, use in page.features.items():
        if slug not in slugs or slug in baseline() or slug not in data()["features"]:
            continue
        who = support(slug, weighed)
        if who.none < least:
            continue
        more = f" and {len(who.without) - _NAMED} more" if len(who.without) > _NAMED else ""
        partly = f", partly by {who.partly:.0%} more" if who.partly >= 0.01 else ""
        message = f"{who.title} is not supported by {who.none:.0%} of {whose}{partly}: " + (
            ", ".join(who.without[:_NAMED]) + more
        )
        fix = f"see https://www.caniemail.com/features/{slug}/"
        yield (
            page.hit(use.element, message, fix=fix)
            if use.element is not None
            else rulebook.Hit(message=message, fix=fix)
        )


@rule("client-breaking", findings.Severity.WARNING, source="caniemail.com, newest version of each client")
def client_breaking(page: reading.Reading) -> Hits:
    """Some features leave a letter broken where they are not known: columns fall apart, text lies on text,
    pictures are missing. What the packaged theme uses has a fall-back and is not counted."""
    return _gaps(page, features.BREAKING, _BREAKING_FROM)


@rule("client-cosmetic", findings.Severity.ADVICE, source="caniemail.com, newest version of each client")
def client_cosmetic(page: reading.Reading) -> Hits:
    """Some features are only missed: corners are square, a shadow is gone. Said when it concerns one reader
    in ten."""
    return _gaps(page, data()["features"].keys() - features.BREAKING - features.HARMLESS, _COSMETIC_FROM)
