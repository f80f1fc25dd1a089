"""HTTP/1.1 without detours, for APIs that take one message a call: httpx would cost more than the message.

A lane is one connection with one call under way, its answers read by httptools (llhttp, the parser of Node).
There are no redirects, cookies, proxies, encodings or pipelines: an API for machines needs none of them.
"""

from __future__ import annotations

import asyncio
import urllib.parse
import urllib.request
from functools import lru_cache
from ssl import SSLContext
from types import TracebackType
from typing import Any, Self

import httptools

from newsletter.domain.verdicts import Verdict
from newsletter.providers import carriers
from newsletter.providers.answers import Answer, Call

_PORTS = {"http": 80, "https": 443}
#: Seconds that closing waits for connections which nobody wants any more.
_LAST_WAIT = 2.0


def suits(url: str) -> bool:
    """Say whether an API can be reached without a proxy."""
    parsed = urllib.parse.urlsplit(url)
    proxies = urllib.request.getproxies()
    behind = {parsed.scheme, "all"} & proxies.keys()
    return not behind or bool(urllib.request.proxy_bypass(parsed.netloc))


class LaneCarrier:
    """As many connections as calls are under way; one that is free is used again."""

    def __init__(self, *, timeout: float, verify: Any) -> None:
        self._timeout = timeout
        self._verify = verify
        self._trust: SSLContext | None = None
        self._free: list[_Lane] = []
        #: Connections on their way for calls that were cancelled.
        self._unwanted: set[asyncio.Task[_Lane]] = set()

    async def __aenter__(self) -> Self:
        """Open the block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        while self._free:
            self._free.pop().close()
        if self._unwanted:
            _, late = await asyncio.wait(self._unwanted, timeout=_LAST_WAIT)
            for one in late:
                one.cancel()
        # The loop closes them in its next turn.
        await asyncio.sleep(0)

    async def ask(self, call: Call) -> Answer | Verdict:
        """Make a call once; a verdict instead of an answer where none came."""
        try:
            target, host, path = _address(call.url)
            head = _head(call, host, path)
        except ValueError:
            return carriers.unwritable()
        try:
            lane = self._waiting(target) or await self._open(target)
        except (OSError, TimeoutError) as error:
            return carriers.unreached(error)
        try:
            async with asyncio.timeout(self._timeout):
                answer = await lane.ask(head, call.content)
        except (OSError, TimeoutError, httptools.HttpParserError) as error:
            return carriers.unanswered(error)
        finally:
            self._put_away(lane)
        return answer

    def _waiting(self, target: _Target) -> _Lane | None:
        while self._free:
            lane = self._free.pop()
            if lane.target == target and lane.fit:
                return lane
            lane.close()
        return None

    async def _open(self, target: _Target) -> _Lane:
        """Connect in a task of its own: cancelled in mid-race, asyncio loses a socket that just connected."""
        opening = asyncio.ensure_future(self._connect(target))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            self._unwanted.add(opening)
            opening.add_done_callback(self._turn_away)
            raise

    def _turn_away(self, opened: asyncio.Task[_Lane]) -> None:
        self._unwanted.discard(opened)
        if not opened.cancelled() and opened.exception() is None:
            opened.result().close()

    async def _connect(self, target: _Target) -> _Lane:
        scheme, host, port = target
        trust = self._trusted() if scheme == "https" else None
        async with asyncio.timeout(self._timeout):
            _, lane = await asyncio.get_running_loop().create_connection(
                lambda: _Lane(target), host, port, ssl=trust, happy_eyeballs_delay=0.25
            )
        return lane

    def _trusted(self) -> SSLContext:
        """Return the certificates that httpx believes, so that both carriers agree."""
        if self._trust is None:
            import httpx

            self._trust = httpx.create_ssl_context(verify=self._verify)
        return self._trust

    def _put_away(self, lane: _Lane) -> None:
        if lane.fit:
            self._free.append(lane)
        else:
            lane.close()


_Target = tuple[str, str, int]


class _Lane(asyncio.Protocol):
    """One connection; the callbacks are asyncio's and httptools' own."""

    def __init__(self, target: _Target) -> None:
        self.target = target
        self._loop = asyncio.get_running_loop()
        self._transport: Any = None
        self._parser: Any = None
        self._answer: asyncio.Future[Answer] | None = None
        self._headers: dict[str, str] = {}
        self._headed = False
        self._body = b""
        self._keeps = True
        self._since = 0.0

    @property
    def fit(self) -> bool:
        """Whether another call may go out here."""
        if not self._keeps or self._answer is not None or self._transport.is_closing():
            return False
        # A body that is still on its way after its answer came would run into the next call.
        idle = self._loop.time() - self._since
        return idle < carriers.IDLE and not self._transport.get_write_buffer_size()

    def close(self) -> None:
        """Drop the connection."""
        self._transport.abort()

    async def ask(self, head: bytes, content: bytes) -> Answer:
        """Write a call and wait for its answer.

        Raises:
            ConnectionError: the connection ended first.
            HttpParserError: what came is not HTTP.
        """
        self._answer = self._loop.create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._headers, self._headed, self._body = {}, False, b""
        self._transport.write(head)
        self._transport.write(content)
        answer = await self._answer
        self._answer, self._since = None, self._loop.time()
        return answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._since = self._loop.time()

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            # Nobody asked: whatever this is, it must not be taken for the next answer.
            self._keeps = False
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(error)

    def eof_received(self) -> None:
        self._keeps = False

    def connection_lost(self, error: Exception | None) -> None:
        self._keeps = False
        if self._ends_with_connection():
            self.on_message_complete()
        self._fail(error or ConnectionResetError("the connection was closed"))

    def on_message_begin(self) -> None:
        self._headers, self._headed, self._body = {}, False, b""
        if self._answer is None or self._answer.done():
            # One more answer than there were calls.
            self._keeps = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self._headed = True

    def on_body(self, body: bytes) -> None:
        self._body += body
        if len(self._body) > carriers.MAX_ANSWER:
            self._body = self._body[: carriers.MAX_ANSWER]
            self._keeps = False
            self._finish()

    def on_message_complete(self) -> None:
        # RFC 9110 §15.2: interim answers come before the one that counts.
        if self._parser.get_status_code() >= 200:
            self._keeps = self._keeps and self._parser.should_keep_alive()
            self._finish()

    def _ends_with_connection(self) -> bool:
        """Say whether the end of the connection is the end of the body (RFC 9112 §6.3)."""
        return self._headed and not self._headers.keys() & {"content-length", "transfer-encoding"}

    def _finish(self) -> None:
        if self._answer is not None and not self._answer.done():
            status = self._parser.get_status_code()
            self._answer.set_result(Answer(status=status, headers=self._headers, body=self._body))

    def _fail(self, error: BaseException) -> None:
        self._keeps = False
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


@lru_cache(maxsize=16)
def _address(url: str) -> tuple[_Target, str, str]:
    """Return what to connect to, the Host and the path; ValueError where the URL has none."""
    parsed = urllib.parse.urlsplit(url)
    if parsed.scheme not in _PORTS or not parsed.hostname:
        raise ValueError("not a web address")
    path = f"{parsed.path or '/'}?{parsed.query}" if parsed.query else parsed.path or "/"
    target = parsed.scheme, parsed.hostname, parsed.port or _PORTS[parsed.scheme]
    return target, parsed.netloc, path


def _head(call: Call, host: str, path: str) -> bytes:
    """Write the request line and headers; ValueError where something in them would end a line."""
    named = {"Host": host, "User-Agent": "newsletter", "Content-Length": str(len(call.content))}
    lines = [f"{name}: {value}" for name, value in {**named, **call.headers}.items()]
    if any(not line.isprintable() for line in lines) or " " in path:
        raise ValueError("a line ends early")
    return "\r\n".join((f"{call.method} {path} HTTP/1.1", *lines, "", "")).encode("ascii")
