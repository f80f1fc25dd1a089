"""One letter as different programs show it: by night, inverted, without pictures, without styles."""

from __future__ import annotations

import enum
import html
import re
from collections.abc import Iterable
from dataclasses import dataclass

from newsletter.domain import issues

_SCHEME_META = re.compile(
    r"<meta\b[^>]*\bname=[\"']?(?:supported-)?color-schemes?[\"'\s>][^>]*>", re.IGNORECASE
)
_DARK = re.compile(r"\(\s*prefers-color-scheme\s*:\s*dark\s*\)", re.IGNORECASE)
_LIGHT = re.compile(r"\(\s*prefers-color-scheme\s*:\s*light\s*\)", re.IGNORECASE)
_SCHEME_RULE = re.compile(r"(?<![\w-])color-scheme\s*:[^;}]*", re.IGNORECASE)
_STYLE = re.compile(r"<style\b.*?</style\s*>", re.IGNORECASE | re.DOTALL)
_SOURCE = re.compile(r"(<img\b[^>]*?)\s(?:src|srcset)=(?:\"[^\"]*\"|'[^']*'|[^\s>]+)", re.IGNORECASE)
_HEADING = re.compile(r"<(h[1-6])\b([^>]*)>(.*?)</\1>", re.IGNORECASE | re.DOTALL)
_TAGS = re.compile(r"<[^>]+>")
_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)

#: A width that never is: what asks for it, never holds.
_NEVER, _ALWAYS = "(min-width:99999px)", "(min-width:0px)"
#: What Gmail and Outlook do to letters that bring no dark palette, near enough to see what breaks.
_TURN = "{filter:invert(1) hue-rotate(180deg)}"
_INVERTED = f"html{{background:#ffffff}}html{_TURN}img[src]{_TURN}"


class Palette(enum.StrEnum):
    """In which light a letter is read."""

    LIGHT = "light"
    #: The reader prefers the dark, and the program asks the letter for its own dark palette.
    DARK = "dark"
    #: The program turns the colours round by itself.
    INVERTED = "inverted"


@dataclass(frozen=True, kw_only=True)
class View:
    """How a letter is looked at."""

    palette: Palette = Palette.LIGHT
    pictures: bool = True
    #: False: as Gmail shows it to readers of other accounts, every ``<style>`` taken out.
    styles: bool = True


def show(letter: str, view: View, entries: Iterable[issues.Entry] = ()) -> str:
    """Return a letter as a view shows it, each entry's headline an anchor ``entry-ID``."""
    letter = _anchored(letter, entries)
    if not view.styles:
        letter = _STYLE.sub("", letter)
    if not view.pictures:
        letter = _SOURCE.sub(r"\1", letter)
    return _lit(letter, view.palette)


def _lit(letter: str, palette: Palette) -> str:
    dark = palette is Palette.DARK
    follows = "dark" in "".join(_SCHEME_META.findall(letter)).lower()
    letter = _DARK.sub(_ALWAYS if dark else _NEVER, letter)
    letter = _LIGHT.sub(_NEVER if dark else _ALWAYS, letter)
    # The editor's own machine may be set to dark: what the letter says of schemes must not ask it.
    letter = _SCHEME_RULE.sub("color-scheme:inherit", _SCHEME_META.sub("", letter))
    style = f"html{{color-scheme:{'dark' if dark and follows else 'only light'}}}"
    if palette is Palette.INVERTED:
        style += _INVERTED
    addition = f"<style>{style}</style>"
    return (
        _HEAD_END.sub(lambda end: addition + end[0], letter, count=1)
        if _HEAD_END.search(letter)
        else addition + letter
    )


def _anchored(letter: str, entries: Iterable[issues.Entry]) -> str:
    """Give the heading of each entry an id; the letter itself goes out without."""
    ids = {_words(html.escape(entry.headline)): entry.id for entry in entries}

    def anchor(match: re.Match[str]) -> str:
        name = ids.pop(_words(match[3]), "")
        attributes = (
            match[2] if " id=" in match[2] or not name else f'{match[2]} id="entry-{html.escape(name)}"'
        )
        return f"<{match[1]}{attributes}>{match[3]}</{match[1]}>"

    return _HEADING.sub(anchor, letter)


def _words(markup: str) -> str:
    """Return letters and digits only: typographers change the rest."""
    return "".join(char for char in html.unescape(_TAGS.sub("", markup)) if char.isalnum()).casefold()
