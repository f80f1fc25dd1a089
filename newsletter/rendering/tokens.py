"""Design tokens: the few values that make a theme look like one publication and not another."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace


class Density(enum.StrEnum):
    """How much air stands between things."""

    COMPACT = "compact"
    REGULAR = "regular"
    AIRY = "airy"


_GAPS = {Density.COMPACT: 14, Density.REGULAR: 20, Density.AIRY: 28}


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
    #: Behind code.
    tint: Pair = Pair("#f6f4f0", "#212429")
    rule: Pair = Pair("#d8d4cb", "#3c4046")
    #: Stacks of fonts that readers' systems have: mail fetches none.
    heading_font: str = "Georgia, 'Times New Roman', serif"
    text_font: str = "-apple-system, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
    mono_font: str = "Menlo, Consolas, 'Courier New', monospace"
    #: Pixels of the sheet at its widest.
    width: int = 600
    #: Pixels by which the corners of boxes are rounded.
    corner: int = 0
    density: Density = Density.REGULAR
    #: Pictures in place of the title at the head, for light and for dark ground; the title is their text.
    logo: str = ""
    logo_dark: str = ""
    #: Pixels that the logo is wide.
    logo_width: int = 240

    @property
    def colours(self) -> Mapping[str, Pair]:
        """Every colour by its name."""
        pairs = ((field.name, getattr(self, field.name)) for field in fields(self))
        return {name: pair for name, pair in pairs if isinstance(pair, Pair)}

    @property
    def gap(self) -> int:
        """Pixels between entries."""
        return _GAPS[self.density]


#: Stacks that know the letters of a language, put before those of the theme.
FONTS: Mapping[str, Mapping[str, str]] = {
    "ja": {
        "heading_font": "'Hiragino Mincho ProN', 'Yu Mincho', 'Noto Serif CJK JP', ",
        "text_font": "'Hiragino Sans', 'Yu Gothic', Meiryo, 'Noto Sans CJK JP', ",
    },
    "zh": {"text_font": "'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', "},
    "ko": {"text_font": "'Apple SD Gothic Neo', 'Malgun Gothic', 'Noto Sans CJK KR', "},
}
#: The tokens that a language has a part in.
SPOKEN = frozenset(name for stacks in FONTS.values() for name in stacks)


def for_language(tokens: Tokens, language: str) -> Tokens:
    """Return tokens whose font stacks begin with fonts for a language's letters."""
    before = FONTS.get(language.partition("-")[0].lower())
    if before is None:
        return tokens
    return replace(tokens, **{name: stack + getattr(tokens, name) for name, stack in before.items()})
