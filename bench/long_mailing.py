"""Long mailings: plan, first message, cost of a message in short and long ones, memory; distant servers."""

from __future__ import annotations

import argparse
import asyncio
import gc
import itertools
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
import mailing
import rivals
import smtp_client
from rivals import Run

from newsletter.store.ledger import StoredLedger

#: Seconds that the distant server takes for each reply.
LATENCY = 0.05


def at_length(count: int, *, connections: int, doubt: int) -> float:
    """Measure one mailing; return the CPU microseconds that each message took."""
    with rivals.smtp_sink() as port, mailing.workspace(count) as database:
        ledger = StoredLedger(database, mailing.SIGNER.keyed_hash)
        gc.collect()
        before = resident()
        began = time.perf_counter()
        number = mailing.plan(ledger, "10 KB")
        planned = time.perf_counter() - began
        watch = Watched(ledger, every=max(1, count // 10))
        wall, cpu = asyncio.run(mailing.carry_out(watch, number, port, connections=connections, doubt=doubt))
        seconds = [later - earlier for earlier, later in itertools.pairwise(watch.at)]
        print(
            f"{count:,} recipients: plan {planned:.1f} s, first message after {watch.first:.2f} s,"
            f" then {count / wall:,.0f}/s and {cpu / count * 1e6:.1f} us CPU a message,"
            f" {100 * watch.inside / wall:.0f} % of the time in the ledger,"
            f" last tenth at {seconds[0] / seconds[-1]:.2f} x the first's rate,"
            f" memory {max(watch.memory) - before:.0f} MB above start,"
            f" {watch.memory[-1] - watch.memory[0]:+.0f} MB from the first tenth to the last",
            flush=True,
        )
        found = ledger.tally(number).states
        if sum(found.values()) != count or len(found) != 1:
            raise SystemExit(f"not everybody was served: {found}")
        ledger.close()
    return cpu / count * 1e6


class Watched:
    """A ledger that notes time and memory at every tenth of its deliveries, and the time spent in it."""

    def __init__(self, ledger: StoredLedger, *, every: int) -> None:
        self._ledger, self._every, self._settled = ledger, every, 0
        self._began = time.perf_counter()
        self.first = self.inside = 0.0
        self.at, self.memory = [self._began], [resident()]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def turn(self, mailing: int, lease: Any, outcomes: Any, **words: Any) -> Any:
        """Have a turn, and look at the clock."""
        self.first = self.first or time.perf_counter() - self._began
        self._settled += len(outcomes)
        if self._settled >= self._every * len(self.at):
            self.at.append(time.perf_counter())
            self.memory.append(resident())
        began = time.perf_counter()
        found = self._ledger.turn(mailing, lease, outcomes, **words)
        self.inside += time.perf_counter() - began
        return found


def resident() -> float:
    """Return the megabytes that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def linear(lengths: list[int], *, connections: int, doubt: int) -> None:
    """Compare what a message costs in short and in long mailings."""
    with rivals.smtp_sink() as port:  # what a process loads for its first mailing is not counted
        mailing.ours(port, size="10 KB", count=1000, connections=connections, doubt=doubt)
    costs = {count: at_length(count, connections=connections, doubt=doubt) for count in lengths}
    shortest = costs[min(costs)]
    said = ", ".join(f"{count:,}: x{cost / shortest:.2f}" for count, cost in costs.items())
    print(f"CPU a message against the shortest mailing: {said}", flush=True)


def distant(*, rounds: int, count: int, connections: int = 64) -> None:
    """Measure whole mailings to a server that takes its time for every reply, by DATA and by BDAT."""
    if not rivals.has_compiler():
        print("no C compiler here: the sink with latency is left out")
        return
    trip = connections / LATENCY
    reply = f"{1000 * LATENCY:.0f} ms a reply, 10 KB"
    print(f"{reply}, {connections} connections: {trip:,.0f}/s is one a round trip")
    wait = str(round(1000 * LATENCY))
    _, _, raw = smtp_client.content("10 KB")

    def ours(port: int, *, doubt: int, times: int) -> Callable[[], Run]:
        return lambda: mailing.ours(
            port, size="10 KB", count=count * times, connections=connections, doubt=doubt
        )

    with rivals.csink("-l", wait) as plain, rivals.csink("-l", wait, "-c") as chunking:
        senders = {
            "aiosmtplib, prebuilt": lambda: rivals.aiosmtplib_prebuilt(
                plain, raw=raw, count=count // 4, connections=connections
            ),
            "newsletter, DATA": ours(plain, doubt=4 * connections, times=4),
            "newsletter, BDAT": ours(chunking, doubt=8 * connections, times=4),
        }
        smtp_client.paired(rounds, senders, against="aiosmtplib, prebuilt")


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--scale", type=float, default=1.0, help="messages of each run, as a factor")
    options.add_argument("--connections", type=int, default=16)
    options.add_argument("--window", type=int, default=64)
    chosen = options.parse_args()
    print(f"Long mailings: {rivals.machine()}")
    lengths = [int(count * chosen.scale) for count in (10_000, 100_000, 1_000_000)]
    linear(lengths, connections=chosen.connections, doubt=chosen.window)
    distant(rounds=chosen.rounds, count=int(10_000 * chosen.scale))


if __name__ == "__main__":
    main()
