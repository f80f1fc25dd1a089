"""Colours as eyes tell them apart: WCAG's relative luminance and contrast."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from tinycss2 import color4


@dataclass(frozen=True)
class Colour:
    """A colour in sRGB, each part from 0 to 1."""

    red: float
    green: float
    blue: float
    alpha: float = 1.0

    def over(self, below: Colour) -> Colour:
        """Return what is seen when this colour lies on an opaque one."""
        parts = [
            self.alpha * own + (1 - self.alpha) * other
            for own, other in zip(
                (self.red, self.green, self.blue), (below.red, below.green, below.blue), strict=True
            )
        ]
        return Colour(*parts)

    @property
    def luminance(self) -> float:
        """Relative luminance, WCAG 2.2."""
        return 0.2126 * _linear(self.red) + 0.7152 * _linear(self.green) + 0.0722 * _linear(self.blue)

    def __str__(self) -> str:
        return "#" + "".join(f"{round(part * 255):02x}" for part in (self.red, self.green, self.blue))


WHITE = Colour(1, 1, 1)
BLACK = Colour(0, 0, 0)


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> Colour | None:
    """Read a CSS colour; None for what is none, or only known to the mail program (currentcolor)."""
    try:
        found = color4.parse_color(text.strip())
        if found is None or isinstance(found, str):
            return None
        srgb = found.to("srgb")
    except (ValueError, NotImplementedError):
        return None
    red, green, blue = (min(max(float(part or 0), 0), 1) for part in srgb.coordinates)
    return Colour(red, green, blue, float(srgb.alpha))


def contrast(one: Colour, other: Colour) -> float:
    """Return WCAG's contrast ratio of two opaque colours, from 1 to 21."""
    lighter, darker = sorted((one.luminance, other.luminance), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
