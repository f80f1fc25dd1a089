"""Markdown to HTML that is safe in mail: no raw HTML, a second guard behind it, styles inline."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from newsletter.domain import errors
from newsletter.rendering import slots as slot_room

if TYPE_CHECKING:
    import nh3
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

#: Markdown larger than this is a mistake, and parsers have slow corners.
MAX_CHARACTERS = 400_000
_TAGS = (
    "p br hr a strong em s del code pre blockquote ul ol li h1 h2 h3 h4 h5 h6 img"
    " table thead tbody tr th td sub sup abbr span"
)
_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "a": frozenset({"href", "title"}),
    "img": frozenset({"src", "alt", "title", "width", "height"}),
    "ol": frozenset({"start"}),
    "th": frozenset({"align", "scope"}),
    "td": frozenset({"align"}),
}
_OPEN_TAG = re.compile(r"<([a-z][a-z0-9]*)((?: [a-z-]+=\"[^\"]*\")*)>")

_ALIGN = re.compile(r" align=\"(left|center|right)\"")


def parse(text: str) -> list[Token]:
    """Read Markdown into tokens.

    Raises:
        RenderError: it is too long to be anything but a mistake.
    """
    if len(text) > MAX_CHARACTERS:
        raise errors.RenderError(f"a text of {len(text):,} characters is too long for a letter")
    return _parser().parse(text, {})


def prepare(
    tokens: Sequence[Token], *, level: int, address: Callable[[str, bool], str], slots: slot_room.Slots
) -> None:
    """Shift headings below ``level``, make addresses absolute and tables accessible, in place.

    Args:
        level: the level of the heading that stands above the text.
        address: makes an address absolute; its second argument says whether it is an image.
        slots: knows the personal fields, which may stand for a whole address but never inside one.
    """
    for token in _walk(tokens):
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, int(token.tag[1]) + level)}"
        elif token.type == "th_open":
            token.attrSet("scope", "col")
        for name in ("href", "src"):
            if name in token.attrs:
                token.attrSet(name, _absolute(str(token.attrs[name]), address, slots, image=name == "src"))
        if str(token.attrs.get("style", "")).startswith("text-align:"):
            token.attrSet("align", str(token.attrs.pop("style")).removeprefix("text-align:"))


def to_html(tokens: Sequence[Token], styles: Mapping[str, str]) -> str:
    """Write tokens as clean HTML whose every element carries its style inline."""
    parser = _parser()
    clean = _cleaner().clean(parser.renderer.render(tokens, parser.options, {}))
    return _OPEN_TAG.sub(lambda match: _styled(match, styles), clean).strip()


def typeset(line: str) -> str:
    """Return a line of plain text with typographic quotes, dashes and ellipses."""
    parser = _typesetter()
    return "".join(child.content for token in parser.parseInline(line) for child in token.children or ())


def _styled(match: re.Match[str], styles: Mapping[str, str]) -> str:
    style = styles.get(match[1], "")
    aligned = _ALIGN.search(match[2])
    if aligned:
        # Outlook reads the attribute, everybody else the style.
        style = f"{style};text-align:{aligned[1]}"
    return f'<{match[1]}{match[2]} style="{style}">' if style else match[0]


def _walk(tokens: Iterable[Token]) -> Iterable[Token]:
    for token in tokens:
        yield token
        yield from _walk(token.children or ())


def _absolute(url: str, address: Callable[[str, bool], str], slots: slot_room.Slots, *, image: bool) -> str:
    field = slots.field_in(url)
    if field is None:
        return address(url, image)
    if image or not field.name.endswith("_url") or slots.field(field) != url:
        raise errors.RenderError(
            f"the personal field “{field.name}” cannot stand inside an address",
            hint="addresses travel to other servers; use unsubscribe_url, preferences_url or view_url whole",
        )
    return url


@functools.cache
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "typographer": True})
    parser.enable(["table", "strikethrough", "replacements", "smartquotes"])
    # Mail programs wrap by themselves, and a line end between words is one blank.
    parser.add_render_rule("softbreak", lambda self, tokens, index, options, env: " ")
    return parser


@functools.cache
def _typesetter() -> MarkdownIt:
    from markdown_it import MarkdownIt

    return MarkdownIt("zero", {"typographer": True}).enable(["replacements", "smartquotes"])


@functools.cache
def _cleaner() -> nh3.Cleaner:
    import nh3

    return nh3.Cleaner(
        tags=set(_TAGS.split()),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes={"http", "https", "mailto", "tel"},
        link_rel=None,
        url_relative="pass_through",
    )
