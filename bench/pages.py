"""Requests a second over loopback, by wrk: archive pages and one-click leaving against a bare FastAPI route.

The service is `newsletter serve` as it stands, in a process of its own; the bare route is one word of plain
text under the same server with the same options. Every one-click POST names another reader and waits for its
writes: status, consent record, ledger and the letter of goodbye, which goes to an outbox by the same process.
"""

from __future__ import annotations

import contextlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from newsletter import wiring
from newsletter.domain import intake
from newsletter.domain.subscribers import Status
from newsletter.domain.tokens import Purpose

REPOSITORY = Path(__file__).parent.parent
CLICKS = Path(__file__).parent / "clicks.lua"
ROUNDS, CONNECTIONS, SECONDS = 5, 64, 2
#: Enough for every click of every round, each by somebody else.
READERS = 80_000
LETTERS = "goodbye"
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


class Rate(NamedTuple):
    """What a run of wrk counted."""

    requests: int
    a_second: float


def rate(port: int, path: str, *, seconds: int = SECONDS, clicks: tuple[Path, int] | None = None) -> Rate:
    """Return what wrk counted; ``clicks`` are a file of tokens and how many of them to leave out."""
    script = ["-s", str(CLICKS)] if clicks else []
    arguments = ["--", str(clicks[0]), str(clicks[1])] if clicks else []
    command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *script]
    url = f"http://127.0.0.1:{port}{path}"
    said = subprocess.run([*command, url, *arguments], capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        sys.exit(f"{path}: not every answer was 200\n{said}")
    counted, took = (
        re.search(r"(\d+) requests in ([\d.]+)s", said),
        re.search(r"Requests/sec: +([\d.]+)", said),
    )
    if counted is None or took is None:
        sys.exit(f"wrk said nothing that we know\n{said}")
    return Rate(requests=int(counted[1]), a_second=float(took[1]))


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
    """Make a workspace with two issues that went out, the second to so many readers."""
    (folder / "newsletter.toml").write_text(SETTINGS, encoding="utf-8")
    (folder / ".env").write_text(
        "NEWSLETTER_SIGNING_KEY=0123456789abcdef0123456789abcdef\n", encoding="utf-8"
    )
    (folder / "issues").mkdir()
    for path in (REPOSITORY / "issues").glob("vol-*"):
        (folder / "issues" / path.name).write_bytes(path.read_bytes())
    house = wiring.build(folder)
    house.database.upgrade()
    take_in(house, 1)
    send(folder, "1.1")
    take_in(house, readers)
    send(folder, "1.2")
    return house


def take_in(house: wiring.App, readers: int) -> None:
    """Put so many readers on the list, those who are there already among them."""
    source = intake.Source(name="bench.csv", wording="made for this measurement", now=house.now())
    rows = (
        intake.Row(line=number, email=f"r{number}@example.net", status=Status.ACTIVE)
        for number in range(1, readers + 1)
    )
    house.directory.take_in(rows, source, write=True)


def send(folder: Path, number: str) -> None:
    """Have an issue go out."""
    command = [sys.executable, "-m", "newsletter", "-C", str(folder), "mailing", "send", number, "--yes"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)


def tokens(house: wiring.App, file: Path) -> None:
    """Write the token of every reader's one click, by the second issue's mailing."""
    [mailing, *_] = house.ledger.mailings()
    lines = [house.signer.sign(Purpose.LEAVE, person.id, mailing.id) for person in house.directory.list()]
    file.write_text("\n".join(lines) + "\n", encoding="ascii")


def measure(house: wiring.App, bare: int, ours: int, file: Path) -> tuple[dict[str, list[float]], int]:
    """Return the rates of every round, and how many clicks were answered."""
    found: dict[str, list[float]] = {name: [] for name in ("bare route", *GOALS, LETTERS)}
    clicked = 0
    for path in ("/", "/issues/vol-1-1"):
        rate(ours, path, seconds=1)
    for _ in range(ROUNDS):
        found["bare route"].append(rate(bare, "/").a_second)
        found["archive page"].append(rate(ours, "/").a_second)
        found["issue page"].append(rate(ours, "/issues/vol-1-1").a_second)
        # The last requests of a round are on their way when wrk ends, and may be written all the same.
        click = rate(ours, "/u/", seconds=1, clicks=(file, clicked + len(found["one-click"]) * CONNECTIONS))
        found["one-click"].append(click.a_second)
        clicked += click.requests
        found[LETTERS].append(letters_of(house))
    return found, clicked


def letters_of(house: wiring.App) -> float:
    """Wait until the words of goodbye are out, and return how many went a second."""
    began, before = time.perf_counter(), house.letters.standing(since=house.now()).waiting
    while house.letters.standing(since=house.now()).waiting:
        time.sleep(0.1)
    return before / (time.perf_counter() - began)


def main() -> None:
    with tempfile.TemporaryDirectory() as place, contextlib.ExitStack() as running_now:
        house = workspace(Path(place), READERS)
        tokens(house, Path(place) / "tokens.txt")
        bare = running_now.enter_context(running("-c", BARE))
        ours = running_now.enter_context(running("-m", "newsletter", "-C", place, "serve", "--port"))
        found, clicked = measure(house, bare, ours, Path(place) / "tokens.txt")
        left = house.directory.counts()[Status.UNSUBSCRIBED]
    if not clicked <= left <= clicked + ROUNDS * CONNECTIONS:
        sys.exit(f"{clicked} clicks were answered, and {left} readers have left")
    goodbyes = statistics.median(found.pop(LETTERS))
    medians = {name: statistics.median(rates) for name, rates in found.items()}
    for name, rates in found.items():
        ratio = statistics.median(one / two for one, two in zip(rates, found["bare route"], strict=True))
        goal = f", goal {GOALS[name]:.0%}" if name in GOALS else ""
        print(f"{name:14} {medians[name]:8,.0f} requests a second  {ratio:5.0%} of the bare route{goal}")
    print(f"{LETTERS:14} {goodbyes:8,.0f} letters a second, once the clicks are over")


if __name__ == "__main__":
    main()
