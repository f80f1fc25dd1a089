"""Inline styles of Markdown's elements: mail programs that drop style sheets still see them."""

from __future__ import annotations

from collections.abc import Mapping

from newsletter.rendering import tokens as token_room


def inline(tokens: token_room.Tokens, *, language: str = "en") -> Mapping[str, str]:
    """Return the style of each element that Markdown makes."""
    heading = f"margin:28px 0 8px 0;font-family:{tokens.heading_font};font-weight:bold;line-height:1.3"
    cell = f"padding:8px 12px 8px 0;border-bottom:1px solid {tokens.rule.light};vertical-align:top"
    return {
        "p": "margin:0 0 16px 0",
        "a": f"color:{tokens.link.light};text-decoration:underline",
        "ul": "margin:0 0 16px 0;padding:0 0 0 24px",
        "ol": "margin:0 0 16px 0;padding:0 0 0 24px",
        "li": "margin:0 0 8px 0",
        "strong": "font-weight:bold",
        # Slanted kana and kanji are hard to read; Japanese marks stress by weight.
        "em": "font-style:normal;font-weight:bold" if language == "ja" else "font-style:italic",
        "blockquote": f"margin:0 0 16px 0;padding:4px 0 4px 16px;border-left:3px solid {tokens.accent.light}",
        "h2": f"{heading};font-size:22px",
        "h3": f"{heading};font-size:20px",
        "h4": f"{heading};font-size:18px",
        "h5": f"{heading};font-size:16px",
        "h6": f"{heading};font-size:16px",
        "img": "display:block;width:100%;max-width:100%;height:auto;border:0;margin:0 0 16px 0",
        "table": "width:100%;border-collapse:collapse;margin:0 0 16px 0;font-size:15px;line-height:1.4",
        "th": f"{cell};font-weight:bold",
        "td": cell,
        "code": f"font-family:{tokens.mono_font};font-size:14px",
        "pre": (
            f"margin:0 0 16px 0;padding:12px 16px;background-color:{tokens.tint.light};"
            f"font-family:{tokens.mono_font};font-size:14px;line-height:1.5;white-space:pre-wrap;word-wrap:break-word"
        ),
        "hr": f"border:0;border-top:1px solid {tokens.rule.light};margin:24px 0",
    }
