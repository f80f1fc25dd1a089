"""How each element that Markdown makes is written in mail: inline, as style sheets may be dropped."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from newsletter.rendering import tokens as token_room

#: Room left and right of text on the sheet, in pixels.
MARGIN = 32


class Element(NamedTuple):
    """How one element is written."""

    style: str
    #: Another element in its place: mail programs know few.
    name: str = ""
    #: Attributes that it always has; classes are for dark colours alone.
    attributes: str = ""


def elements(
    tokens: token_room.Tokens, *, language: str = "en", direction: str = "ltr"
) -> Mapping[str, Element]:
    """Return how the elements of a text are written in a theme, language and direction."""
    start = "right" if direction == "rtl" else "left"
    small = f"font-size:14px;line-height:1.5;color:{tokens.muted.light}"
    muted = 'class="muted"'
    return {
        **_plain(tokens, language=language),
        **_headings(tokens),
        **_tables(tokens, direction=direction),
        **_button(tokens),
        "ul": Element(f"margin:0 0 16px 0;padding:0;padding-{start}:24px"),
        "ol": Element(f"margin:0 0 16px 0;padding:0;padding-{start}:24px"),
        "blockquote": Element(
            f"margin:0 0 16px 0;padding:0;padding-{start}:16px;border-{start}:3px solid {tokens.accent.light}"
        ),
        "cite": Element(f"margin:0 0 16px 0;font-style:normal;{small}", "p", muted),
        "figure": Element("margin:0 0 16px 0", "div"),
        "figcaption": Element(f"margin:8px 0 0 0;{small}", "p", muted),
        "img": Element(
            f"display:block;width:100%;height:auto;border:0{_rounded(tokens)}",
            attributes=f'width="{tokens.width - 2 * MARGIN}"',
        ),
        "section": Element(
            f"margin:0;padding:12px 0 0 0;border-top:1px solid {tokens.rule.light};{small}", "div", muted
        ),
    }


def _plain(tokens: token_room.Tokens, *, language: str) -> Mapping[str, Element]:
    code = f"font-family:{tokens.mono_font};font-size:14px"
    return {
        "p": Element("margin:0 0 16px 0"),
        "a": Element(f"color:{tokens.link.light};text-decoration:underline"),
        "li": Element("margin:0 0 8px 0"),
        "strong": Element("font-weight:bold"),
        # Slanted kana and kanji are hard to read; Japanese marks stress by weight.
        "em": Element("font-style:normal;font-weight:bold" if language == "ja" else "font-style:italic"),
        "code": Element(code),
        "pre": Element(
            f"margin:0 0 16px 0;padding:12px 16px;background-color:{tokens.tint.light};{code};"
            f"line-height:1.5;white-space:pre-wrap;word-wrap:break-word{_rounded(tokens)}"
        ),
        "hr": Element(f"border:0;border-top:1px solid {tokens.rule.light};margin:24px 0"),
        "sup": Element("font-size:12px;line-height:1"),
    }


def _rounded(tokens: token_room.Tokens) -> str:
    return f";border-radius:{tokens.corner}px" if tokens.corner else ""


def _headings(tokens: token_room.Tokens) -> Mapping[str, Element]:
    sizes = {"h2": 22, "h3": 20, "h4": 18, "h5": 16, "h6": 16}
    style = f"margin:24px 0 8px 0;font-family:{tokens.heading_font};font-weight:bold;line-height:1.3"
    return {name: Element(f"{style};font-size:{size}px") for name, size in sizes.items()}


def _tables(tokens: token_room.Tokens, *, direction: str) -> Mapping[str, Element]:
    start, gap = ("right", "8px 0 8px 12px") if direction == "rtl" else ("left", "8px 12px 8px 0")
    cell = f"padding:{gap};border-bottom:1px solid {tokens.rule.light};vertical-align:top"
    return {
        "table": Element(
            "width:100%;border-collapse:collapse;margin:0 0 16px 0;font-size:15px;line-height:1.4"
        ),
        "th": Element(f"{cell};font-weight:bold;text-align:{start}"),
        "td": Element(cell),
    }


def _button(tokens: token_room.Tokens) -> Mapping[str, Element]:
    """Return the table, the cell and the link of a button, 48 pixels high.

    Cell and link are both painted and padded: Outlook pads cells only, and takes the padding of
    ``mso-padding-alt``; elsewhere the whole button can be pressed.
    """
    ground, corner = tokens.accent.light, _rounded(tokens)
    layout = 'role="presentation" border="0" cellpadding="0" cellspacing="0"'
    return {
        "button": Element(
            "border-collapse:separate;margin:4px 0 20px 0", "table", f'class="button" {layout}'
        ),
        "cell": Element(
            f"background-color:{ground};mso-padding-alt:12px 24px{corner}",
            "td",
            f'align="center" bgcolor="{ground}"',
        ),
        "press": Element(
            f"display:inline-block;padding:12px 24px;mso-padding-alt:0px;background-color:{ground};"
            f"color:{tokens.paper.light};font-weight:bold;line-height:24px;text-decoration:none{corner}",
            "a",
        ),
    }
