"""Message templates as canonical JSON: what a mailing freezes and an approval signs."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from newsletter.domain import messages, numbering


def dumps(template: messages.MessageTemplate) -> str:
    """Write a message template; equal templates give equal text."""
    plain = dataclasses.asdict(template)
    plain["rendered"]["html"] = _pieces_out(template.rendered.html)
    plain["rendered"]["text"] = _pieces_out(template.rendered.text)
    return json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def loads(text: str) -> messages.MessageTemplate:
    """Read a message template back."""
    plain = json.loads(text)
    rendered = plain.pop("rendered")
    number = numbering.IssueNumber(**plain.pop("number"))
    html, text_part = _pieces_in(rendered.pop("html")), _pieces_in(rendered.pop("text"))
    return messages.MessageTemplate(
        number=number, rendered=messages.Rendered(html=html, text=text_part, **rendered), **plain
    )


def digest(templates: Mapping[str, messages.MessageTemplate]) -> str:
    """Return the sha-256, in hex, over everything that a mailing of these editions would send."""
    whole = hashlib.sha256()
    for language in sorted(templates):
        whole.update(f"{language}\0{dumps(templates[language])}\0".encode())
    return whole.hexdigest()


def _pieces_out(pieces: messages.Pieces) -> list[Any]:
    return [piece if isinstance(piece, str) else [piece.name, piece.default] for piece in pieces]


def _pieces_in(plain: list[Any]) -> messages.Pieces:
    return tuple(piece if isinstance(piece, str) else messages.Field(*piece) for piece in plain)
