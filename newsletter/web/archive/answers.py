"""Answers that every reader gets alike: written once, marked, and not sent again to who has them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from email.utils import format_datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

HTML: Final = "text/html; charset=utf-8"


class _Ready(Response):
    """An answer whose bytes are written already; what others put on it, they put on a copy."""

    def __init__(self, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
        self.status_code, self.body, self.raw_headers, self.background = status, body, headers.copy(), None


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]


class Answer:
    """A body with its headers, ready to be sent many times."""

    def __init__(
        self,
        body: str,
        kind: str = HTML,
        *,
        seconds: int = 300,
        modified_at: datetime | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """``seconds`` is how long caches may keep it unasked."""
        self.text = body
        self._body = body.encode()
        # Of the body alone: the same bytes have the same mark on every machine.
        self._etag = f'"{hashlib.sha256(self._body).hexdigest()[:24]}"'
        self._modified = format_datetime(modified_at, usegmt=True) if modified_at else ""
        always = {"Cache-Control": f"public, max-age={seconds}", "ETag": self._etag, **(headers or {})}
        if self._modified:
            always["Last-Modified"] = self._modified
        self._same = _raw(always)
        self._whole = _raw({"Content-Type": kind, "Content-Length": str(len(self._body)), **always})

    def to(self, request: Request) -> Response:
        """Answer a request; 304 where the reader has these very bytes (RFC 9110 §13.2.2)."""
        if self._is_known(request.headers.get("if-none-match"), request.headers.get("if-modified-since")):
            return _Ready(304, b"", self._same)
        return _Ready(200, self._body, self._whole)

    def _is_known(self, marks: str | None, since: str | None) -> bool:
        if marks is not None:
            known = {mark.strip().removeprefix("W/") for mark in marks.split(",")}
            return self._etag in known or "*" in known
        # Exactly what we said: a list from which something was taken back is older, and yet new.
        return bool(self._modified) and since == self._modified
