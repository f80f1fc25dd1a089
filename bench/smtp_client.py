"""The SMTP client alone, without ledger and merge, against the usual senders: rounds in turn, medians."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import rivals
from rivals import Run

from newsletter.domain import deliveries, messages
from newsletter.domain.verdicts import Kind
from newsletter.providers.smtp.options import Security, SmtpOptions
from newsletter.providers.smtp.provider import Smtp

#: Characters of HTML and of text: about 70 KB and 10 KB on the wire.
SIZES = {"70 KB": (47_500, 6_700), "10 KB": (6_000, 1_300)}
_SENTENCE = "The committee met on Thursday – and, after a long debate, agreed on “most” of what was asked. "


class Same:
    """Feeds one message under many numbers, so that nothing but the client is measured."""

    def __init__(self, raw: bytes, count: int) -> None:
        self._pieces, self._left = (raw,), count
        self.accepted = 0

    def take(self) -> messages.Message | None:
        if not self._left:
            return None
        self._left -= 1
        n = self._left
        message_id = f"v2n23.key{n}@news.example.org"
        return messages.Message(
            n, rivals.SENDER, f"reader{n}@example.org", message_id, self._pieces, None, True, True
        )

    def give(self, receipt: deliveries.Receipt) -> None:
        self.accepted += receipt.verdict.kind is Kind.ACCEPTED

    def put_back(self, message: messages.Message) -> None:
        self._left += 1

    async def ready(self) -> bool:
        return self._left > 0


def ours(port: int, *, raw: bytes, count: int, connections: int) -> Run:
    """Run our own client."""

    async def send() -> Run:
        feed = Same(raw, count)
        options = SmtpOptions(host="127.0.0.1", port=port, security=Security.NONE, connections=connections)
        began, cpu = time.perf_counter(), time.process_time()
        await Smtp(options).send(feed)
        if feed.accepted != count:
            raise SystemExit(f"only {feed.accepted} of {count} were accepted")
        return Run(count, time.perf_counter() - began, time.process_time() - cpu)

    return asyncio.run(send())


def content(size: str) -> tuple[str, str, bytes]:
    """Return HTML, text and the finished bytes of a message of a size."""
    html_size, text_size = SIZES[size]
    text = "\n".join(_SENTENCE for _ in range(text_size // len(_SENTENCE)))
    html = "".join(f"<p>{_SENTENCE}</p>\n" for _ in range(html_size // (len(_SENTENCE) + 8)))
    raw = rivals.built(1, html, text).as_bytes()
    return html, text, raw


def paired(rounds: int, senders: dict[str, Callable[[], Run]], *, against: str) -> dict[str, list[Run]]:
    """Run the senders in turn, round after round; print medians, and the median of each round's ratio.

    Return every sender's runs.
    """
    runs: dict[str, list[Run]] = {name: [] for name in senders}
    for _ in range(rounds):
        for name, sender in senders.items():
            runs[name].append(sender())
    for name, made in runs.items():
        ratios = [run.rate / other.rate for run, other in zip(made, runs[against], strict=True)]
        print(
            f"  {name:<24} {statistics.median(run.rate for run in made):>8,.0f}/s"
            f"  x{statistics.median(ratios):.2f} {against}"
            f"  {statistics.median(run.micros for run in made):>7.1f} us CPU a message",
            flush=True,
        )
    return runs


def against_smtp_sink(size: str, *, rounds: int, scale: float, connections: int) -> None:
    """Measure all senders against smtp-sink."""
    html, text, raw = content(size)
    small = 5 if size == "10 KB" else 1
    with rivals.smtp_sink() as port:
        print(f"{size} ({len(raw):,} bytes), {connections} connections, smtp-sink, {rounds} rounds")
        there = {"connections": connections}
        many, few = int(4000 * small * scale), int(400 * small * scale)
        senders: dict[str, Callable[[], Run]] = {
            "smtp-source": lambda: rivals.smtp_source(port, size=len(raw), count=many, **there),
            "newsletter": lambda: ours(port, raw=raw, count=many, **there),
            "aiosmtplib, prebuilt": lambda: rivals.aiosmtplib_prebuilt(port, raw=raw, count=few * 2, **there),
            "aiosmtplib, built": lambda: rivals.aiosmtplib_built(
                port, html=html, text=text, count=few // 2, **there
            ),
        }
        if rivals.has_node():
            senders["nodemailer"] = lambda: rivals.nodemailer(port, html=html, text=text, count=few, **there)
        else:
            print("  no Node here: nodemailer is left out")
        paired(rounds, senders, against="smtp-source")


def against_latency(*, rounds: int, scale: float) -> None:
    """Measure what a reply time of 50 ms leaves, with and without BDAT."""
    if not rivals.has_compiler():
        print("no C compiler here: the sink with latency is left out")
        return
    _, _, raw = content("10 KB")
    connections, count = 64, int(20_000 * scale)
    print(f"50 ms a reply, 10 KB, {connections} connections: {connections / 0.05:,.0f}/s is one a round trip")
    with rivals.csink("-l", "50") as plain, rivals.csink("-l", "50", "-c") as chunking:
        few = count // 4
        paired(
            rounds,
            {
                "aiosmtplib, prebuilt": lambda: rivals.aiosmtplib_prebuilt(
                    plain, raw=raw, count=few, connections=connections
                ),
                "newsletter, DATA": lambda: ours(plain, raw=raw, count=count, connections=connections),
                "newsletter, BDAT": lambda: ours(chunking, raw=raw, count=3 * count, connections=connections),
            },
            against="aiosmtplib, prebuilt",
        )


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--scale", type=float, default=1.0, help="messages of each run, as a factor")
    options.add_argument("--connections", type=int, default=16)
    chosen = options.parse_args()
    print(f"SMTP client: {rivals.machine()}")
    for size in SIZES:
        against_smtp_sink(size, rounds=chosen.rounds, scale=chosen.scale, connections=chosen.connections)
    against_latency(rounds=chosen.rounds, scale=chosen.scale)


if __name__ == "__main__":
    main()
