"""Headers, limits and methods that make a page safe to leave on the internet."""

from __future__ import annotations

import sys

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: RFC 8058 bodies have 26 bytes, forms a few hundred.
MAX_BODY = 16 * 1024

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "interest-cohort=()",
}
#: For a page that others may show in a frame; an empty value keeps a header away.
FRAMABLE = {
    "Content-Security-Policy": HEADERS["Content-Security-Policy"].replace(
        "frame-ancestors 'none'", "frame-ancestors *"
    ),
    "X-Frame-Options": "",
}


class SafeHeaders:
    """Puts the safe headers on every answer that does not bring its own."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        headers = dict(HEADERS)
        if https:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        self._headers = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = list(message["headers"])
                brought = {name for name, _ in own}
                safe = [each for each in self._headers if each[0] not in brought]
                message["headers"] = [each for each in own if each[1]] + safe
            await send(message)

        await self._app(scope, receive, sending if scope["type"] == "http" else send)


class BodyLimit:
    """Refuses bodies that no form of ours has, before they are read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "http" and _announced(scope) > MAX_BODY:
            await PlainTextResponse("This is more than we can read.\n", status_code=413)(scope, receive, send)
            return
        await self._app(scope, receive, send)


async def body(request: Request) -> bytes:
    """Read a request's body, at most `MAX_BODY` bytes of it, whatever it announced; none of one cut short."""
    whole = b""
    try:
        async for chunk in request.stream():
            whole += chunk
            if len(whole) > MAX_BODY:
                break
    except ClientDisconnect:
        return b""
    return whole[:MAX_BODY]


def _announced(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else sys.maxsize
    return 0
