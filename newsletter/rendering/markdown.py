"""Markdown to HTML that is safe in mail: no raw HTML, a second guard behind it, styles inline."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from newsletter.domain import errors, issues
from newsletter.rendering import shaping, styles
from newsletter.rendering import slots as slot_room

if TYPE_CHECKING:
    import nh3
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

    from newsletter.rendering import prose

#: Gmail cuts a whole mail at 102,000 bytes, and parsers have slow corners.
MAX_CHARACTERS = 100_000
#: Brackets that never close are looked for to the end, each: a text of 100,000 would take half a minute.
MAX_BRACKETS = 5_000
#: markdown-it loses what stands deeper than 20 levels; lists and quotes take one or two each.
_MAX_DEPTH = 18
#: No headline, title or caption is longer.
MAX_LINE = 2_000
_TAGS = (
    "p br hr a strong em s del code pre blockquote ul ol li h1 h2 h3 h4 h5 h6 img"
    " table thead tbody tr th td sub sup cite figure figcaption section"
)
_ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "a": frozenset({"href", "title"}),
    "img": frozenset({"src", "alt", "title", "width", "height"}),
    "ol": frozenset({"start"}),
    "th": frozenset({"align", "scope"}),
    "td": frozenset({"align"}),
}
_SCHEMES = ("http", "https", "mailto", "tel")
#: RFC 3986 §3.1; browsers drop control characters and blanks before they look.
_SCHEME = re.compile(r"[\x00-\x20]*([^/?#:\[\]]*):")
_TAG = re.compile(r"<(/?)([a-z][a-z0-9]*)((?: [a-z-]+=\"[^\"]*\")*)>")

#: Footnotes keep to the foot of their text: links inside a mail lead nowhere in many programs.
_RULES = {
    # Mail programs wrap by themselves, and a line end between words is one blank.
    "softbreak": " ",
    # The word joiner keeps the number on the line of its word.
    "footnote_ref": "\u2060<sup>{number}</sup>",
    "footnote_block_open": "<section><ol>",
    "footnote_block_close": "</ol></section>",
    "footnote_open": "<li>",
    "footnote_close": "</li>",
    "footnote_anchor": "",
}
#: What the typographer changes something about.
_TYPED = ('"', "'", "--", "..", ",,", "+-", "!!", "!?", "?!", "??")
_SCOPED = re.compile(r"\((?:c|r|tm)\)", re.IGNORECASE)
#: Between letters it is always one, whatever stands around.
_APOSTROPHE = re.compile(r"(?<=[^\W_])'(?=[^\W_])")
#: Words alone between two marks, of which the first can only open and the second only close.
_QUOTED = re.compile(
    r"(?<![^ \n(])\"(?=[^\W_])((?:[^\"'*_`\[\]\\<\n]|\n(?!\n))*+)"
    r"(?:(?<=[^\W_])\"(?=[ \n.,;:!?)]|\Z)|(?<=[.,!?])\"(?=[ \n]|\Z))"
)
_PLAIN_URL = re.compile(
    r"https?://[a-z0-9.-]+(?::\d+)?(?:/[A-Za-z0-9._~/-]*)?(?:\?[A-Za-z0-9._~=&-]*)?"
).fullmatch
#: A button as the web version has it; mail writes it as a cell, which Outlook pads.
_BUTTON = re.compile(rf'<p class="{issues.BUTTON}"><a( href="[^"]*")>(.*?)</a></p>', re.DOTALL)
_CELL = r"<button><tbody><tr><cell><press\1>\2</press></cell></tr></tbody></button>"
_ALIGN = re.compile(r" align=\"(left|center|right)\"")


def parse(text: str) -> list[Token]:
    """Read Markdown into tokens.

    Raises:
        RenderError: it is too long, or nested too deeply, to be anything but a mistake.
    """
    _measure(text)
    tokens = _parser().parse(text, {})
    if any(token.level > _MAX_DEPTH for token in tokens):
        raise errors.RenderError(
            "lists or quotes stand so deep in one another that their text would be lost",
            hint="eight lists in one another are the most; set some of them side by side",
        )
    return tokens


def prose_of(text: str) -> list[prose.Paragraph] | None:
    """Read Markdown that is nothing but plain prose; None where it may be anything else.

    Raises:
        RenderError: it is too long.
    """
    from newsletter.rendering import prose

    _measure(text)
    set_well = _APOSTROPHE.sub("’", text) if "'" in text else text
    set_well = _QUOTED.sub(r"“\1”", set_well) if '"' in set_well else set_well
    return None if _is_typed(set_well) else prose.read(set_well)


def _measure(text: str) -> None:
    if len(text) > MAX_CHARACTERS:
        raise errors.RenderError(f"a text of {len(text):,} characters is too long for a letter")
    if text.count("[") > MAX_BRACKETS:
        raise errors.RenderError(f"a text with {text.count('['):,} opening brackets is no letter")


def _is_typed(text: str) -> bool:
    """Say whether there may be anything for the typographer to do."""
    return any(sign in text for sign in _TYPED) or ("(" in text and _SCOPED.search(text) is not None)


def prepare(
    tokens: Sequence[Token],
    *,
    level: int,
    address: Callable[[str, bool], str],
    slots: slot_room.Slots | None = None,
    credit_label: str = "Credit",
) -> list[Token]:
    """Shape pictures and quotes, put headings below ``level``, make addresses absolute.

    Args:
        tokens: a whole text; its tokens are changed in place.
        level: the level of the heading that stands above the text.
        address: makes an address absolute; its second argument says whether it is an image.
        slots: knows the personal fields, which may stand for a whole address but never inside one.
        credit_label: the word before the name of whose picture it is.

    Raises:
        RenderError: a personal field stands inside an address.
    """
    shaped = shaping.shape(tokens, credit_label=credit_label)
    shaping.outline(shaped, below=level)
    for token in shaping.walk(shaped):
        if token.type == "th_open":
            token.attrSet("scope", "col")
        if not token.attrs:
            continue
        for name in ("href", "src"):
            if name in token.attrs:
                token.attrSet(name, _absolute(str(token.attrs[name]), address, slots, image=name == "src"))
        if str(token.attrs.get("style", "")).startswith("text-align:"):
            token.attrSet("align", str(token.attrs.pop("style")).removeprefix("text-align:"))
    return shaped


def to_html(tokens: Sequence[Token], elements: Mapping[str, styles.Element]) -> str:
    """Write tokens as clean HTML whose every element carries its style inline."""
    from newsletter.rendering import prose

    plain = prose.of_tokens(tokens)
    return cleaned(tokens, elements) if plain is None else prose_to_html(plain, elements)


def prose_to_html(paragraphs: Sequence[prose.Paragraph], elements: Mapping[str, styles.Element]) -> str:
    """Write plain prose, which needs no cleaning, as HTML whose every element carries its style inline."""
    from newsletter.rendering import prose

    return prose.to_html(paragraphs, functools.partial(_opening, elements))


def cleaned(tokens: Sequence[Token], elements: Mapping[str, styles.Element]) -> str:
    """Write any tokens, cleaned as if they had come from elsewhere."""
    parser = _parser()
    clean = _cleaner().clean(parser.renderer.render(tokens, parser.options, {}))
    if issues.BUTTON in elements and 'class="' in clean:
        clean = _BUTTON.sub(_CELL, clean)
    return _TAG.sub(lambda match: _styled(match, elements), clean).strip()


@functools.lru_cache(maxsize=512)
def typeset(line: str) -> str:
    """Return a line of plain text with typographic quotes, dashes and ellipses.

    Raises:
        RenderError: it is too long to be a line.
    """
    if len(line) > MAX_LINE:
        raise errors.RenderError(f"a line of {len(line):,} characters is too long for a letter: {line[:60]}…")
    if not _is_typed(line):
        return line
    parser = _typesetter()
    return "".join(child.content for token in parser.parseInline(line) for child in token.children or ())


def _styled(match: re.Match[str], elements: Mapping[str, styles.Element]) -> str:
    """Write one tag of clean HTML, which nests and quotes as it should, the way mail wants it."""
    closing, name, attributes = match.groups()
    element = elements.get(name)
    if closing and element and element.name:
        return f"</{element.name}>"
    return match[0] if closing else _opening(elements, name, attributes)


def _opening(elements: Mapping[str, styles.Element], name: str, attributes: str) -> str:
    """Write an opening tag the way mail wants it."""
    element = elements.get(name)
    if element is None:
        return f"<{name}{attributes}>"
    # Outlook reads the attribute, everybody else the style.
    style = element.style
    if aligned := _ALIGN.search(attributes):
        style = f"{style.partition(';text-align:')[0]};text-align:{aligned[1]}"
    own = f" {element.attributes}" if element.attributes else ""
    return f'<{element.name or name}{attributes}{own} style="{style}">'


def _absolute(
    url: str, address: Callable[[str, bool], str], slots: slot_room.Slots | None, *, image: bool
) -> str:
    field = slots.field_in(url) if slots else None
    if slots is None or field is None:
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
    from mdit_py_plugins import footnote

    from newsletter.rendering import prose

    parser = MarkdownIt("commonmark", {"html": False, "typographer": True})
    parser.enable(["table", "strikethrough", "replacements", "smartquotes"])
    # What would lose its address below is no link to begin with, and stays as it was typed.
    parser.validateLink = may_lead  # type: ignore[method-assign]
    normalise = parser.normalizeLink
    # Most addresses need nothing, and looking at each of their parts costs more than all the rest of a link.
    parser.normalizeLink = lambda url: url if _PLAIN_URL(url) else normalise(url)  # type: ignore[method-assign]
    parser.use(footnote.footnote_plugin, inline=False)
    parser.use(prose.plugin)
    for name, written in _RULES.items():
        parser.renderer.rules[name] = functools.partial(_write, written)  # type: ignore[attr-defined]
    return parser


def may_lead(url: str) -> bool:
    """Say whether a link may have this address: none that runs code, and none that mail drops."""
    scheme = _SCHEME.match(url.strip())
    return scheme is None or scheme[1].lower() in _SCHEMES


def _write(written: str, tokens: Sequence[Token], index: int, *_: object) -> str:
    return written.format(number=int(tokens[index].meta.get("id", 0)) + 1) if "{" in written else written


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
        allowed_classes={"p": {issues.BUTTON}},
        url_schemes=set(_SCHEMES),
        link_rel=None,
        url_relative="pass_through",
    )
