"""The door for what providers report: checked, written down, answered; understood afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from newsletter.domain import errors, hooks
from newsletter.web import desk, security

_log = logging.getLogger(__name__)
#: SendGrid sends batches of some thousand events.
MAX_BODY = 5 * 1024 * 1024
#: Reports written in one transaction.
_GROUP = 500
_PATH = "/webhooks/"
#: Seconds without a webhook after which those that came are applied, and the longest that they wait for it.
_QUIET, _LONGEST = 0.3, 5.0


_Answer = tuple[int, bytes]
_KEPT: _Answer = (200, b"Kept.\n")
_CONFIRMED: _Answer = (200, b"Confirmed.\n")
# At 403 or 406 Postmark and Mailgun stop for good: a mistyped secret would lose events.
_UNSIGNED: _Answer = (401, b"The signature is not valid.\n")
_NOBODY: _Answer = (404, b"There is no such webhook.\n")
_ONLY_POST: _Answer = (405, b"Webhooks are posted.\n")
_TOO_LONG: _Answer = (413, b"This is more than we can read.\n")
_LATER: _Answer = (503, b"Try again.\n")
_SAFE = [
    (name.lower().encode(), security.HEADERS[name].encode())
    for name in ("Content-Security-Policy", "X-Content-Type-Options")
]
_OWN_HEADERS = {405: [(b"allow", b"POST")], 503: [(b"retry-after", b"60")]}


class Door:
    """Lets webhooks in past everything that only pages need: they come by the thousand."""

    def __init__(self, pages: FastAPI, *, counter: Counter) -> None:
        #: What answers everything else.
        self.pages = pages
        self._counter = counter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not scope["path"].startswith(_PATH):
            await self.pages(scope, receive, send)
            return
        status, words = await self._counter.receive(scope, receive)
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", b"%d" % len(words)),
            *_SAFE,
            *_OWN_HEADERS.get(status, ()),
        ]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else words})


class Counter:
    """Takes reports in: many in one transaction, each answered only when it is on the disk."""

    def __init__(self, reception: desk.Reception) -> None:
        self._reception = reception
        self._waiting: list[tuple[tuple[str, bytes], asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()
        self._kept = asyncio.Event()

    async def receive(self, scope: Scope, receive: Receive) -> _Answer:
        """Take one webhook in, and say with which status and words to answer it."""
        if scope["method"] != "POST":
            return _ONLY_POST
        name = scope["path"].removeprefix(_PATH)
        gate = self._reception.gates.get(name)
        if gate is None:
            return _NOBODY
        headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
        try:
            body = await _read(receive, headers.get("content-length", ""))
            if body is None:
                return _TOO_LONG
            return await self._take(name, gate, hooks.Hook(body=body, headers=headers))
        except errors.ProviderError as error:
            _log.warning("a webhook for %s was refused: %s", name, error, extra={"action": "webhook"})
            return _UNSIGNED
        except errors.StoreError as error:
            _log.error("a webhook could not be kept: %s", error, extra={"action": "webhook"})
            return _LATER

    async def _take(self, name: str, gate: desk.Gate, hook: hooks.Hook) -> _Answer:
        if await self._checked(gate, hook):
            return _CONFIRMED
        await self._keep(name, hook.body)
        return _KEPT

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Write and apply reports while the block runs."""
        tasks = [asyncio.create_task(self._write()), asyncio.create_task(self._apply())]
        # What an earlier process left.
        self._kept.set()
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)

    async def _checked(self, gate: desk.Gate, hook: hooks.Hook) -> bool:
        """Check a webhook; True when it only asked to be confirmed, and was."""
        now = self._reception.clock()
        if not gate.asks:
            gate.check(hook, now=now)
            return False
        await run_in_threadpool(gate.check, hook, now=now)
        return await run_in_threadpool(gate.confirm, hook.body)

    async def _keep(self, name: str, body: bytes) -> None:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(((name, body), done))
        self._arrived.set()
        await done

    async def _write(self) -> None:
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            while self._waiting:
                group, self._waiting = self._waiting[:_GROUP], self._waiting[_GROUP:]
                await self._write_group(group)
            self._kept.set()

    async def _write_group(self, group: list[tuple[tuple[str, bytes], asyncio.Future[None]]]) -> None:
        try:
            await run_in_threadpool(self._reception.keep, [report for report, _ in group])
        except errors.StoreError as error:
            for _, done in group:
                if not done.cancelled():
                    done.set_exception(error)
            return
        for _, done in group:
            if not done.cancelled():
                done.set_result(None)

    async def _lull(self) -> None:
        """Wait until the rush is over: applying beside it would take the machine from whoever answers."""
        waited = 0.0
        while waited < _LONGEST and self._kept.is_set():
            self._kept.clear()
            await asyncio.sleep(_QUIET)
            waited += _QUIET
        self._kept.clear()

    async def _apply(self) -> None:
        while True:
            await self._kept.wait()
            await self._lull()
            try:
                await run_in_threadpool(self._reception.work_off)
            except errors.NewsletterError as error:
                _log.error("reports wait to be applied: %s", error, extra={"action": "feedback"})


async def _read(receive: Receive, announced: str) -> bytes | None:
    """Read a body; None where it is longer than we take."""
    if announced.isdigit() and int(announced) > MAX_BODY:
        return None
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise errors.ProviderError("the sender left before the end of the body")
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            return None
        if not message.get("more_body", False):
            return bytes(body)
