"""Contrast of colours by WCAG 2: the ratio, and the nearest colour that has enough of it."""

from __future__ import annotations

import colorsys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from newsletter.rendering import tokens as token_room

#: WCAG 2.2, success criterion 1.4.3, for text of any size.
ENOUGH = 4.5
#: Which colours text has, and what it stands on.
ON = {
    "ink": ("paper", "tint"),
    "muted": ("paper", "ground"),
    "link": ("paper", "ground"),
    "accent": ("paper",),
}


class Contrast(NamedTuple):
    """One colour of text on one of its grounds."""

    name: str
    ground: str
    #: “light” or “dark”.
    scheme: str
    colour: str
    on: str
    ratio: float

    @property
    def is_enough(self) -> bool:
        """Whether readers with moderately low vision can read it."""
        return self.ratio >= ENOUGH

    def __str__(self) -> str:
        return f"{self.name} {self.colour} on {self.ground} {self.on} ({self.scheme}) is {self.ratio:.2f}:1"


def of(tokens: token_room.Tokens) -> Iterator[Contrast]:
    """Yield the contrast of every colour of text on every ground that it stands on."""
    pairs = tokens.colours
    for name in ON:
        yield from _of_text(name, pairs)


def faint(name: str, pairs: Mapping[str, token_room.Pair]) -> str:
    """Say what is wrong with a colour of text, and which would be right; nothing where it is.

    Args:
        name: one of `ON`.
        pairs: the colours known so far, by name.
    """
    said = []
    found = list(_of_text(name, pairs))
    for scheme in ("light", "dark"):
        on = [one for one in found if one.scheme == scheme]
        worst = min(on, key=lambda one: one.ratio, default=None)
        if worst and not worst.is_enough:
            better = nearest(worst.colour, *(one.on for one in on))
            said.append(f"{worst}; the nearest that passes is {better}")
    return "; ".join(said)


def _of_text(name: str, pairs: Mapping[str, token_room.Pair]) -> Iterator[Contrast]:
    colour = pairs[name]
    for ground in ON[name]:
        if ground in pairs:
            on = pairs[ground]
            yield Contrast(name, ground, "light", colour.light, on.light, ratio(colour.light, on.light))
            yield Contrast(name, ground, "dark", colour.dark, on.dark, ratio(colour.dark, on.dark))


def ratio(one: str, other: str) -> float:
    """Return the contrast ratio of two ``#rrggbb`` colours, 1 to 21."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def nearest(colour: str, *grounds: str) -> str:
    """Return the colour of the same hue, nearest in lightness, that can be read on every ground."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_parts(colour))
    for step in range(256):
        for towards in (lightness - step / 255, lightness + step / 255):
            if not 0 <= towards <= 1:
                continue
            found = _written(colorsys.hls_to_rgb(hue, towards, saturation))
            if all(ratio(found, ground) >= ENOUGH for ground in grounds):
                return found
    return max(("#000000", "#ffffff"), key=lambda end: min(ratio(end, ground) for ground in grounds))


def _luminance(colour: str) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in _parts(colour)
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parts(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return red, green, blue


def _written(parts: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(part * 255):02x}" for part in parts)
