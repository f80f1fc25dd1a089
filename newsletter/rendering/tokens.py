"""Design tokens: the few values that make a theme look like one publication and not another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Pair:
    """One colour on light and on dark ground, each ``#rrggbb``."""

    light: str
    dark: str


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Colours, type and measures of a theme."""

    #: Running text.
    ink: Pair = Pair("#1f2023", "#e9e7e3")
    #: Captions, credits, dates, the footer.
    muted: Pair = Pair("#5b6067", "#a8adb4")
    link: Pair = Pair("#17498a", "#9dc2f2")
    #: The publication's own colour: numerals, small headings, the rule on top.
    accent: Pair = Pair("#9c2b2e", "#f09a94")
    #: The sheet that text stands on, and the ground around it.
    paper: Pair = Pair("#ffffff", "#17191c")
    ground: Pair = Pair("#f2f0eb", "#0e0f11")
    #: Behind quotes and code.
    tint: Pair = Pair("#f6f4f0", "#212429")
    rule: Pair = Pair("#d8d4cb", "#3c4046")
    #: Font stacks of fonts that readers' systems have.
    heading_font: str = (
        "Georgia, 'Times New Roman', 'Hiragino Mincho ProN', 'Yu Mincho', 'Noto Serif CJK JP', serif"
    )
    text_font: str = (
        "-apple-system, 'Segoe UI', 'Helvetica Neue', Arial, "
        "'Hiragino Sans', 'Yu Gothic', 'Noto Sans CJK JP', sans-serif"
    )
    mono_font: str = "Menlo, Consolas, 'Courier New', monospace"
    #: Pixels of the sheet at its widest.
    width: int = 600

    @property
    def colours(self) -> Mapping[str, Pair]:
        """Every colour by its name."""
        pairs = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: pair for name, pair in pairs if isinstance(pair, Pair)}
