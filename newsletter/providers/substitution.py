"""One body and many values: what APIs need that send a template to a list of people."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping

from newsletter.domain import messages


def body(pieces: messages.Pieces, tag: Callable[[str], str], *, prefix: str) -> str:
    """Write pieces with a tag for each open field; ``prefix`` keeps HTML and text values apart."""
    return "".join(
        piece if isinstance(piece, str) else tag(_name(prefix, index)) for index, piece in enumerate(pieces)
    )


def values(pieces: messages.Pieces, given: Mapping[str, str], *, prefix: str, escape: bool) -> dict[str, str]:
    """Return what each tag of `body` stands for, for one recipient."""
    filled = {
        _name(prefix, index): given.get(piece.name) or piece.default
        for index, piece in enumerate(pieces)
        if not isinstance(piece, str)
    }
    return {name: html.escape(value) for name, value in filled.items()} if escape else filled


def _name(prefix: str, index: int) -> str:
    return f"{prefix}{index}"
