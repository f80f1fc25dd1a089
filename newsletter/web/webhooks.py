"""The door for what providers report: checked, written down, answered; understood afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from newsletter.domain import errors, hooks
from newsletter.web import desk

_log = logging.getLogger(__name__)
#: SendGrid sends batches of some thousand events.
MAX_BODY = 5 * 1024 * 1024
#: Reports written in one transaction.
_GROUP = 500
_PATH = "/webhooks/"
#: Seconds without a webhook after which those that came are applied, and the longest that they wait for it.
_QUIET, _LONGEST = 0.3, 5.0


class Door:
    """Lets webhooks in past everything that only pages need: they come by the thousand."""

    def __init__(self, app: ASGIApp, *, counter: Counter) -> None:
        self._app = app
        self._counter = counter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(_PATH):
            await self._app(scope, receive, send)
            return
        try:
            response = await self._counter.receive(scope["path"].removeprefix(_PATH), Request(scope, receive))
        except errors.StoreError as error:
            _log.error("a webhook could not be kept: %s", error, extra={"action": "webhook"})
            response = PlainTextResponse("Try again.\n", status_code=503, headers={"Retry-After": "60"})
        await response(scope, receive, send)


class Counter:
    """Takes reports in: many in one transaction, each answered only when it is on the disk."""

    def __init__(self, reception: desk.Reception) -> None:
        self._reception = reception
        self._waiting: list[tuple[tuple[str, bytes], asyncio.Future[None]]] = []
        self._arrived = asyncio.Event()
        self._kept = asyncio.Event()

    def router(self) -> APIRouter:
        """Return the pages under /webhooks."""
        routes = APIRouter()
        routes.add_api_route("/webhooks/{name}", self.receive, methods=["POST"])
        return routes

    async def receive(self, name: str, request: Request) -> Response:
        """Take one webhook in."""
        gate = self._reception.gates.get(name)
        if gate is None:
            return PlainTextResponse("There is no such webhook.\n", status_code=404)
        body = await _read(request)
        if body is None:
            return PlainTextResponse("This is more than we can read.\n", status_code=413)
        hook = hooks.Hook(body=body, headers={key.lower(): value for key, value in request.headers.items()})
        try:
            asked = await self._checked(gate, hook)
        except errors.ProviderError as error:
            _log.warning("a webhook for %s was refused: %s", name, error, extra={"action": "webhook"})
            # At 403 or 406 Postmark and Mailgun stop for good: a mistyped secret would lose events.
            return PlainTextResponse("The signature is not valid.\n", status_code=401)
        if asked:
            return PlainTextResponse("Confirmed.\n")
        await self._keep(name, body)
        return PlainTextResponse("Kept.\n")

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


async def _read(request: Request) -> bytes | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)
