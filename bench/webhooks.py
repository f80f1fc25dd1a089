"""Webhooks: events a second that `newsletter serve` accepts on SQLite, and how many a kill -9 costs."""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_SECRET = "newsletter:a-secret-of-the-bench"
_SETTINGS = """
[publication]
title = "Bench"
url = "https://digest.example.org"
[sender]
email = "news@example.org"
[providers.smtp]
kind = "smtp"
[providers.mail]
kind = "postmark"
"""
_AUTH = base64.b64encode(_SECRET.encode()).decode()


def _workspace(folder: Path) -> Path:
    (folder / "newsletter.toml").write_text(_SETTINGS)
    (folder / ".env").write_text(
        "NEWSLETTER_SIGNING_KEY=0123456789abcdef0123456789abcdef\n"
        f"NEWSLETTER_PROVIDERS__MAIL__TOKEN=x\nNEWSLETTER_PROVIDERS__MAIL__WEBHOOK_SECRET={_SECRET}\n"
    )
    (folder / "issues").mkdir()
    subprocess.run(
        [sys.executable, "-m", "newsletter", "-C", folder, "upgrade"], check=True, capture_output=True
    )
    return folder


def _request(number: int) -> bytes:
    event = {
        "RecordType": "Delivery",
        "MessageID": f"m-{number}",
        "Recipient": f"reader{number}@example.net",
        "DeliveredAt": "2026-11-20T09:00:00Z",
        "Metadata": {"delivery": str(number)},
    }
    body = json.dumps(event).encode()
    head = (
        "POST /webhooks/mail HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Authorization: Basic {_AUTH}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _client(port: int, numbers: range, accepted: list[int]) -> None:
    """Post events one after the other on one connection; those that are answered 2xx are noted."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in numbers:
            writer.write(_request(number))
            head = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            await reader.readexactly(int(length[1]) if length else 0)
            if head.startswith(b"HTTP/1.1 2"):
                accepted.append(number)
        writer.close()
    except (OSError, asyncio.IncompleteReadError):
        return


async def _post(port: int, count: int, clients: int, accepted: list[int]) -> float:
    start = time.perf_counter()
    share = count // clients
    await asyncio.gather(
        *(_client(port, range(n * share, (n + 1) * share), accepted) for n in range(clients))
    )
    return time.perf_counter() - start


def _kept(folder: Path) -> set[int]:
    with sqlite3.connect(folder / "subscribers.db") as connection:
        bodies = connection.execute("SELECT body FROM report").fetchall()
    return {int(json.loads(body)["Metadata"]["delivery"]) for (body,) in bodies}


def _unapplied(folder: Path) -> int:
    with sqlite3.connect(folder / "subscribers.db") as connection:
        return int(connection.execute("SELECT count(*) FROM report WHERE applied_at IS NULL").fetchone()[0])


def _cpu(process: int) -> float:
    """Return the CPU seconds of a process, as Linux counts them."""
    # proc(5): the name, which may hold spaces, ends with the last parenthesis; 14 and 15 are utime, stime.
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _serve(folder: Path) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-m", "newsletter", "-C", str(folder), "serve", "--port", "0"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    for line in process.stdout:
        if found := re.search(r"http://[^/]+:(\d+)/", line):
            return process, int(found[1])
    raise SystemExit("the service did not start")


async def _killed(process: subprocess.Popen[str], port: int, count: int, accepted: list[int]) -> None:
    posting = asyncio.create_task(_post(port, count, 64, accepted))
    while len(accepted) < count // 2 and not posting.done():
        await asyncio.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    await posting


def main() -> None:
    """Measure the rate, then kill the service in the middle and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=12_800)
    parser.add_argument("--clients", type=int, default=64)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = _workspace(Path(name))
        process, port = _serve(folder)
        idle = _cpu(process.pid)
        accepted: list[int] = []
        seconds = asyncio.run(_post(port, given.events, given.clients, accepted))
        print(f"{len(accepted):,} events in {seconds:.1f} s: {len(accepted) / seconds:,.0f} a second")
        answered = _cpu(process.pid) - idle
        print(f"{1e6 * answered / len(accepted):,.0f} µs of the service's CPU an event until the last answer")
        while _unapplied(folder):
            time.sleep(0.2)
        applied = _cpu(process.pid) - idle - answered
        print(f"{1e6 * applied / len(accepted):,.0f} µs more until the last was applied")
        process.send_signal(signal.SIGTERM)
        process.wait()
    with tempfile.TemporaryDirectory() as name:
        folder = _workspace(Path(name))
        process, port = _serve(folder)
        accepted = []
        asyncio.run(_killed(process, port, given.events, accepted))
        process.wait()
        lost = set(accepted) - _kept(folder)
        print(f"killed after {len(accepted):,} were accepted: {len(lost)} lost")
        raise SystemExit(bool(lost))


if __name__ == "__main__":
    main()
