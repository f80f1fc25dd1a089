"""Email APIs: CPU of a message through Postmark's batches and SES's calls beside its payload's, and memory.

The vendors answer from a process of their own. Memory is the peak of the sending process, each time a fresh
one, which does nothing else; it is to be the same for ten times the messages.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import mailing

from newsletter.domain import deliveries, messages
from newsletter.domain.deliveries import Claimed
from newsletter.providers import postmark, ses
from newsletter.providers.http_api import HttpProvider
from newsletter.sending.merging import Merging

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)


async def _vendor(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer as Postmark or SES does when everything is taken."""
    while head := await _head(reader):
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        body = await reader.readexactly(int(length[1]) if length else 0)
        if b"/email/batch" in head[:60]:
            count = body.count(b'"MessageStream"')
            plain: Any = [{"ErrorCode": 0, "Message": "OK", "MessageID": f"m{n}"} for n in range(count)]
        elif b"outbound-emails" in head[:60]:
            plain = {"MessageId": "0100019a-ses"}
        else:
            plain = {"SendQuota": {"MaxSendRate": 0, "Max24HourSend": 1e9, "SentLast24Hours": 0}}
        content = json.dumps(plain).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content)
    writer.close()


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""


async def _serve() -> None:
    server = await asyncio.start_server(_vendor, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Feed:
    """Merges each message when it is taken, as a mailing does, and counts the answers."""

    def __init__(self, letters: Iterator[messages.Message]) -> None:
        self._letters = letters
        self._back: deque[messages.Message] = deque()
        self._dry = False
        self.accepted = 0

    def take(self) -> messages.Message | None:
        if self._back:
            return self._back.popleft()
        message = next(self._letters, None)
        self._dry = message is None
        return message

    def give(self, receipt: deliveries.Receipt) -> None:
        self.accepted += receipt.verdict.kind == "accepted"

    def put_back(self, message: messages.Message) -> None:
        self._back.append(message)

    async def ready(self) -> bool:
        return bool(self._back) or not self._dry


def _letters(count: int, *, raw: bool) -> Iterator[messages.Message]:
    merging = Merging(
        {"en": mailing.template("70 KB")}, mailing.PUBLICATION, mailing.SIGNER, mailing=1, raw=raw
    )
    for number in range(1, count + 1):
        claimed = Claimed(number, number, f"reader{number}@example.net", f"Reader {number}", "en", 0)
        yield merging.merge(claimed, NOW).message


def _payload(api: Any, count: int) -> float:
    """Return the CPU seconds of merging and writing every call, and nothing else."""
    start = time.process_time()
    batch: list[messages.Message] = []
    for letter in _letters(count, raw=api.limits.raw):
        batch.append(letter)
        if len(batch) == api.batch:
            api.call(batch, now=NOW)
            batch = []
    return time.process_time() - start


async def _sent(api: Any, count: int) -> float:
    """Return the CPU seconds of handing everything over."""
    feed = Feed(_letters(count, raw=api.limits.raw))
    start = time.process_time()
    await HttpProvider(api, clock=lambda: NOW).send(feed)
    assert feed.accepted == count, feed.accepted
    return time.process_time() - start


def _measure(name: str, api: Any, count: int) -> None:
    sample = max(count // 10, 2 * api.batch) // api.batch * api.batch
    alone = min(_payload(api, sample) for _ in range(3)) * count / sample
    spent = asyncio.run(_sent(api, count))
    each = 1e6 / count
    print(f"{name}, {count:,} messages: {alone * each:,.0f} µs of CPU for the payload alone,")
    print(f"  {spent * each:,.0f} µs handed over and answered: {spent / alone:.2f} times")


def _peak() -> float:
    """Return the most memory that this process ever had, in MiB; `ru_maxrss` would count its parent's too."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) / 1024


def _weigh(api: Any, count: int) -> None:
    """Tell the peak with one call written, and with everything handed over."""
    letters = list(_letters(api.batch, raw=api.limits.raw))
    call = len(api.call(letters, now=NOW).content)
    del letters
    first = _peak()
    asyncio.run(_sent(api, count))
    print(
        f"  {count:,} messages: peak {_peak():,.0f} MiB; {first:,.0f} with one call written,"
        f" of {call / 2**20:,.1f} MiB; {api.options.connections} at a time",
        flush=True,
    )


def _api(name: str, url: str) -> Any:
    if name == "Postmark":
        return postmark.Api(postmark.Account(token="key", url=url))
    return ses.Api(ses.Account(access_key="key", secret_key="secret", region="us-east-1", url=url))


def main() -> None:
    """Measure both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--weigh", nargs=2, metavar=("VENDOR", "URL"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        asyncio.run(_serve())
        return
    if given.weigh:
        _weigh(_api(*given.weigh), given.messages)
        return
    vendor = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert vendor.stdout is not None
        url = f"http://127.0.0.1:{int(vendor.stdout.readline())}"
        for name in ("Postmark", "SES"):
            _measure(name, _api(name, url), given.messages)
            for count in (given.messages // 10, given.messages):
                words = ["--messages", str(count), "--weigh", name, url]
                subprocess.run([sys.executable, __file__, *words], check=True)
    finally:
        vendor.kill()
        vendor.wait()


if __name__ == "__main__":
    main()
