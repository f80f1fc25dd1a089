"""One process against two on one database and one provider: not slower, nobody missed, nobody twice."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import functools
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))
import mailing
import rivals
import smtp_client
from rivals import Run

from newsletter.domain.deliveries import State
from newsletter.store.database import Database
from newsletter.store.ledger import StoredLedger

#: Of each process.
CONNECTIONS, DOUBT = 8, 64
SIZE = "10 KB"


def together(count: int, port: int, *, processes: int, url: str = "") -> Run:
    """Send a whole mailing by so many processes that begin at the same moment."""
    with mailing.workspace(count, url) as database:
        ledger = StoredLedger(database, mailing.SIGNER.keyed_hash)
        number = mailing.plan(ledger, SIZE)
        address = url or f"sqlite:///{database.path}"
        with contextlib.ExitStack() as stack:
            running = [stack.enter_context(_process(address, number, port)) for _ in range(processes)]
            for one in running:
                assert one.stdout is not None
                assert one.stdout.readline() == "ready\n"
            began = time.perf_counter()
            for one in running:
                assert one.stdin is not None
                one.stdin.write("go\n")
                one.stdin.flush()
            cpu = sum(float(one.communicate()[0]) for one in running)
            wall = time.perf_counter() - began
        found = {state: times for state, times in ledger.tally(number).states.items() if times}
        if found != {State.SENT: count}:
            raise SystemExit(f"not everybody was served: {found}")
        ledger.close()
    return Run(count, wall, cpu)


def _process(url: str, number: int, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--take-part", url, str(number), str(port)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def take_part(url: str, number: int, port: int) -> None:
    """Be one of the processes: wait for the word, send, and say how much CPU that was."""
    database = Database(url)
    ledger = StoredLedger(database, mailing.SIGNER.keyed_hash)
    print("ready", flush=True)
    sys.stdin.readline()
    _, cpu = asyncio.run(mailing.carry_out(ledger, number, port, connections=CONNECTIONS, doubt=DOUBT))
    print(cpu)
    ledger.close()
    database.close()


@contextlib.contextmanager
def _cluster() -> Iterator[object]:
    """Give a PostgreSQL server of our own; None where there is none."""
    from tests import postgres

    if postgres._tools() is None:
        yield None
        return
    with postgres.running() as cluster:
        yield cluster


#: The sink, messages, and words for it. What a process needs to begin must not weigh.
_SINKS = (((), 60_000, "a sink at once"), (("-l", "50"), 2_000, "50 ms a reply"))


def compare(name: str, scale: float, *, rounds: int, cluster: object = None) -> None:
    """Measure in turn, against a fast sink and against one that takes 50 ms for a reply."""
    for options, count, words in _SINKS:
        with rivals.csink(*options) as port:
            print(f"{name}, {words}, {SIZE}, {CONNECTIONS} connections a process, {rounds} rounds")
            many = int(count * scale)

            def run(processes: int, port: int = port, many: int = many) -> Run:
                url = cluster.create() if cluster else ""  # type: ignore[attr-defined]  # a test's own class
                return together(many, port, processes=processes, url=url)

            senders = {"one": functools.partial(run, 1), "two": functools.partial(run, 2)}
            smtp_client.paired(rounds, senders, against="one")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--take-part", nargs=3, metavar=("URL", "MAILING", "PORT"))
    # What the other measurements of delivery take besides means nothing here.
    wanted, _ = parser.parse_known_args()
    if wanted.take_part:
        url, number, port = wanted.take_part
        take_part(url, int(number), int(port))
        return
    with _cluster() as cluster:
        compare("SQLite", wanted.scale, rounds=wanted.rounds)
        if cluster is None:
            print("no PostgreSQL here: it is left out")
        else:
            compare("PostgreSQL", wanted.scale, rounds=wanted.rounds, cluster=cluster)


if __name__ == "__main__":
    main()
