"""What Markdown has no syntax for, read out of how editors write: captions, credits, speakers, buttons."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from newsletter.domain import issues

if TYPE_CHECKING:
    from markdown_it.token import Token

#: A dash before a name, as the typographer leaves it.
_SPEAKER = re.compile(r"[—–―]")


def walk(tokens: Iterable[Token]) -> Iterator[Token]:
    """Yield tokens and the tokens inside them."""
    for token in tokens:
        yield token
        if token.children:
            yield from walk(token.children)


def shape(tokens: Sequence[Token], *, credit_label: str) -> list[Token]:
    """Return tokens with pictures, buttons and speakers of quotes as elements of their own.

    Args:
        tokens: a whole text.
        credit_label: the word before the name of whose picture it is.
    """
    shaped: list[Token] = []
    for index, token in enumerate(tokens):
        shaped.append(token)
        if token.type != "inline" or tokens[index - 1].type != "paragraph_open":
            continue
        _name_addresses(token)
        following = [after.type for after in tokens[index + 1 : index + 4]]
        if _is_picture(token):
            _as_element("figure", tokens[index - 1], tokens[index + 1])
            token.children = [*_caption(token, credit_label=credit_label)]
        elif not tokens[index - 1].hidden and (link := _button(token)):
            link.attrs.pop("title")
            link.meta[issues.BUTTON] = True
            tokens[index - 1].attrSet("class", issues.BUTTON)
        elif following[:2] == ["paragraph_close", "blockquote_close"]:
            shaped[-2:] = _with_speaker(shaped[-2], token, tokens[index + 1])
        elif following == ["footnote_anchor", "paragraph_close", "footnote_close"]:
            # A footnote of one paragraph is a line of a list, as in a tight one.
            tokens[index - 1].hidden = tokens[index + 2].hidden = tokens[index - 2].type == "footnote_open"
    return shaped


def outline(tokens: Sequence[Token], *, below: int) -> None:
    """Put headings under the one above the text, in place, each at most one level deeper than the last."""
    depths: list[int] = []
    for token in tokens:
        if token.type == "heading_open":
            depth = int(token.tag[1])
            while depths and depths[-1] >= depth:
                depths.pop()
            depths.append(depth)
        if token.type in {"heading_open", "heading_close"}:
            token.tag = f"h{min(6, below + len(depths))}"


def sentence(text: str) -> str:
    """Return a caption as a sentence that another may follow at once, the blank between them included."""
    if not text:
        return ""
    is_wide = unicodedata.east_asian_width(text[-1]) in "WF"
    stop = ("。" if is_wide else ".") if text[-1].isalnum() else ""
    return f"{text}{stop}" if is_wide else f"{text}{stop} "


def _name_addresses(inline: Token) -> None:
    """Show an address between angle brackets without its scheme."""
    children = inline.children or []
    for opening, label in itertools.pairwise(children):
        if opening.type == "link_open" and opening.markup == "autolink":
            label.content = label.content.removeprefix("mailto:")


def _is_picture(inline: Token) -> bool:
    """Say whether a paragraph holds one image, linked or not, and nothing else."""
    children = [
        child for child in inline.children or () if child.content.strip() or child.nesting or child.tag
    ]
    kinds = [child.type for child in children]
    return kinds in (["image"], ["link_open", "image", "link_close"])


def _button(inline: Token) -> Token | None:
    """Return the link that is a whole paragraph and asks to be a button, or None."""
    children = inline.children or []
    if (
        len(children) < 3
        or children[0].type != "link_open"
        or children[0].attrs.get("title") != issues.BUTTON
    ):
        return None
    kinds = [child.type for child in children[1:]]
    is_alone = kinds.count("link_close") == 1 and kinds[-1] == "link_close" and "image" not in kinds
    return children[0] if is_alone else None


def _caption(inline: Token, *, credit_label: str) -> Iterator[Token]:
    """Yield an image and, from its title, “caption | whose picture”, the line under it."""
    title = ""
    for child in inline.children or ():
        if child.type == "image":
            title = str(child.attrs.pop("title", ""))
        yield child
    caption, bar, credit = (part.strip() for part in title.rpartition("|"))
    if not bar:
        caption, credit = credit, ""
    words = f"{sentence(caption)}{credit_label}: {credit}" if credit else caption
    if words:
        yield _token("figcaption_open", "figcaption", 1)
        yield _token("text", "", 0, words)
        yield _token("figcaption_close", "figcaption", -1)


def _with_speaker(opening: Token, inline: Token, closing: Token) -> list[Token]:
    """Return a quote's paragraph, its last line set apart where it begins with a dash."""
    children = list(inline.children or ())
    starts = [0, *(i + 1 for i, child in enumerate(children) if child.type in {"softbreak", "hardbreak"})]
    last = starts[-1]
    if last >= len(children) or not _SPEAKER.match(children[last].content):
        return [opening, inline]
    speaker = _token("inline", "", 0)
    speaker.children = children[last:]
    if last == 0:
        _as_element("cite", opening, closing)
        return [opening, inline]
    inline.children = children[: last - 1]
    middle = [_token("paragraph_close", "p", -1), _token("paragraph_open", "cite", 1)]
    for token in (*middle, speaker):
        token.block = True
    closing.tag = "cite"
    return [opening, inline, *middle, speaker]


def _as_element(name: str, *tokens: Token) -> None:
    for token in tokens:
        token.tag = name


def _token(kind: str, tag: str, nesting: int, content: str = "") -> Token:
    from markdown_it.token import Token

    return Token(kind, tag, nesting, content=content)  # type: ignore[arg-type]
