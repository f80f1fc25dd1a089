"""Requests a second over loopback: archive pages and one-click leaving against a bare FastAPI route.

The service is `newsletter serve` as it stands, in a process of its own; the bare route is one word of plain
text under the same server with the same options. Every one-click POST names another reader and waits for its
writes: status, consent record and ledger. The words of goodbye go to an outbox, by the same process.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from newsletter import wiring
from newsletter.domain import intake
from newsletter.domain.subscribers import Status
from newsletter.domain.tokens import Purpose

REPOSITORY = Path(__file__).parent.parent
ROUNDS, CONNECTIONS = 5, 16
#: Requests of a round.
PAGES, CLICKS = 2000, 300
GOALS = {"archive page": 0.6, "issue page": 0.6, "one-click": 0.3}
BARE = """
import socket, sys, uvicorn
from fastapi import FastAPI
from starlette.responses import PlainTextResponse
app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
@app.get("/")
async def bare():
    return PlainTextResponse("bare")
config = uvicorn.Config(app, access_log=False, server_header=False, log_level="warning")
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=256)
listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
print("Pages at", flush=True)
uvicorn.Server(config).run(sockets=[listener])
"""
SETTINGS = """
[publication]
title = "Harbour Digest"
url = "https://digest.example.org"
postal_address = "12 Quay Street, Harbourtown"
[sender]
email = "news@example.org"
[delivery]
skip_approval = true
provider = "outbox"
[providers.outbox]
kind = "outbox"
path = "outbox"
"""


class Caller(asyncio.Protocol):
    """One connection that asks, waits for the whole answer, and asks again."""

    def __init__(self, requests: Iterator[bytes], done: asyncio.Future[None]) -> None:
        self._requests, self._done = requests, done
        self._got, self._wanted = bytearray(), 0
        self.bad = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._got += data
        if not self._wanted:
            head = self._got.find(b"\r\n\r\n")
            if head < 0:
                return
            start = bytes(self._got[:head]).lower()
            self._wanted = head + 4 + int(start.partition(b"content-length: ")[2].split(b"\r\n")[0])
            self.bad += not start.startswith(b"http/1.1 200")
        if len(self._got) >= self._wanted:
            self._got.clear()
            self._wanted = 0
            self._ask()

    def connection_lost(self, error: Exception | None) -> None:
        if not self._done.done():
            self._done.set_result(None)

    def _ask(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
        else:
            self._transport.write(request)


async def _call(port: int, requests: Sequence[bytes]) -> float:
    waiting, loop, callers = iter(requests), asyncio.get_running_loop(), []
    began = time.perf_counter()
    for _ in range(CONNECTIONS):
        done = loop.create_future()
        _, caller = await loop.create_connection(lambda done=done: Caller(waiting, done), "127.0.0.1", port)
        callers.append((caller, done))
    await asyncio.gather(*(done for _, done in callers))
    took = time.perf_counter() - began
    if any(caller.bad for caller, _ in callers):
        sys.exit("an answer was not 200")
    return len(requests) / took


def rate(port: int, requests: Sequence[bytes]) -> float:
    """Return requests a second."""
    return asyncio.run(_call(port, requests))


@contextlib.contextmanager
def running(*command: str) -> Iterator[int]:
    """Run a server on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen([sys.executable, *command, str(port)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        while "Pages at" not in process.stdout.readline():
            if process.poll() is not None:
                sys.exit("a server did not start")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def workspace(folder: Path, readers: int) -> wiring.App:
    """Make a workspace with two issues that went out and so many readers."""
    (folder / "newsletter.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / ".env").write_text(
        "NEWSLETTER_SIGNING_KEY=0123456789abcdef0123456789abcdef\n", encoding="utf-8"
    )
    (folder / "issues").mkdir()
    for path in (REPOSITORY / "issues").glob("vol-*"):
        (folder / "issues" / path.name).write_bytes(path.read_bytes())
    house = wiring.build(folder)
    house.database.upgrade()
    source = intake.Source(name="bench.csv", wording="made for this measurement", now=house.now())
    rows = (
        intake.Row(line=number, email=f"r{number}@example.net", status=Status.ACTIVE)
        for number in range(1, readers + 1)
    )
    house.directory.take_in(rows, source, write=True)
    for number in ("1.1", "1.2"):
        command = [sys.executable, "-m", "newsletter", "-C", str(folder), "mailing", "send", number, "--yes"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(done.stderr)
    return house


def clicks(house: wiring.App) -> list[bytes]:
    """Return the one click of every reader (RFC 8058 §3.2)."""
    [mailing, *_] = house.ledger.mailings()
    body = "List-Unsubscribe=One-Click"
    head = f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    return [
        asked("POST", f"/u/{house.signer.sign(Purpose.LEAVE, person.id, mailing.id)}", head)
        for person in house.directory.list()
    ]


def asked(method: str, path: str, rest: str = "\r\n") -> bytes:
    """Return the bytes of a request."""
    return f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{rest}".encode()


def main() -> None:
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as running_now:
        house = workspace(Path(place), ROUNDS * CLICKS)
        presses = clicks(house)
        bare = running_now.enter_context(running("-c", BARE))
        ours = running_now.enter_context(running("-m", "newsletter", "-C", place, "serve", "--port"))
        found: dict[str, list[float]] = {name: [] for name in ("bare route", *GOALS)}
        for each in ("/", "/issues/vol-1-1"):
            rate(ours, [asked("GET", each)] * 50)
        for turn in range(ROUNDS):
            found["bare route"].append(rate(bare, [asked("GET", "/")] * PAGES))
            found["archive page"].append(rate(ours, [asked("GET", "/")] * PAGES))
            found["issue page"].append(rate(ours, [asked("GET", "/issues/vol-1-1")] * PAGES))
            found["one-click"].append(rate(ours, presses[turn * CLICKS : (turn + 1) * CLICKS]))
        left = house.directory.counts()[Status.UNSUBSCRIBED]
    if left != ROUNDS * CLICKS:
        sys.exit(f"{left} of {ROUNDS * CLICKS} clicks were written")
    medians = {name: statistics.median(rates) for name, rates in found.items()}
    for name, rates in found.items():
        ratio = statistics.median(one / two for one, two in zip(rates, found["bare route"], strict=True))
        goal = f", goal {GOALS[name]:.0%}" if name in GOALS else ""
        print(f"{name:14} {medians[name]:8,.0f} requests a second  {ratio:5.0%} of the bare route{goal}")


if __name__ == "__main__":
    main()
