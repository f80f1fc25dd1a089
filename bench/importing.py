"""Import a million people against the plainest upsert of the same rows, then count an audience of them.

The peer is Python's own sqlite3: `csv.reader`, `executemany`, `ON CONFLICT DO UPDATE`, one table, one
transaction, no check of anything. Both run in processes of their own, by turns,
`ROUNDS` times; a ratio is the median of the rounds' ratios.
"""

from __future__ import annotations

import csv
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROWS = int(os.environ.get("ROWS", "1000000"))
ROUNDS = int(os.environ.get("ROUNDS", "3"))
ATTEST = "made for this measurement"
RULE = "tag:press and not language:ja and joined>2020-01-01"

PEER = """
import csv, sqlite3, sys
connection = sqlite3.connect(sys.argv[2])
connection.execute("PRAGMA journal_mode = WAL")
connection.execute(
    "CREATE TABLE IF NOT EXISTS people"
    " (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, status TEXT, tags TEXT)"
)
def rows():
    with open(sys.argv[1], newline="", encoding="utf-8") as file:
        reader = csv.reader(file)
        next(reader)
        for email, name, status, tags in reader:
            yield email.lower(), name, status, tags
with connection:
    connection.executemany(
        "INSERT INTO people (email, name, status, tags) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (email) DO UPDATE SET"
        " name = excluded.name, status = excluded.status, tags = excluded.tags",
        rows(),
    )
"""


#: The count alone: what `newsletter audience show` does once it has started.
COUNT = """
import sys, time
from pathlib import Path
from newsletter import wiring
app = wiring.build(Path(sys.argv[1]))
audience, registrar = app.audiences.find(sys.argv[2]), app.registrar
started = time.perf_counter()
groups = registrar.review(audience, now=app.now())
print(time.perf_counter() - started, sum(group.count for group in groups))
"""


def write(path: Path, rows: int) -> None:
    """Write a file of so many rows in no order; one in twenty repeats an address, one in five has a tag."""
    chance = random.Random(1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["email", "name", "status", "tags"])
        for _ in range(rows):
            key = chance.randrange(rows * 10)
            tags = "press" if key % 5 == 0 else ""
            writer.writerow([f"reader.{key}@host{key % 997}.example.org", f"Reader Nº {key}", "active", tags])


class Taken(NamedTuple):
    """What a process took: seconds on the clock and of the processor, megabytes at most, and its words."""

    clock: float
    processor: float
    megabytes: float
    said: str = ""


def run(folder: Path, *arguments: str) -> Taken:
    """Run Python with arguments and return what it took."""
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, *arguments], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    said = process.stdout.read()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    clock = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(arguments)[:60]} left with {process.returncode}")
    return Taken(clock, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, said)


def one_round(folder: Path, number: int) -> dict[str, Taken]:
    """Import the same file twice by each of the two, by turns."""
    root, newsletter = folder / f"round{number}", ("-m", "newsletter")
    run(folder, *newsletter, "init", str(root), "--title", "Bench", "--from", "news@example.org")
    file, peer = str(folder / "people.csv"), ("-c", PEER, str(folder / "people.csv"), str(root / "peer.db"))
    command = (*newsletter, "-C", str(root), "subscriber", "import", file, "--yes", "--attest", ATTEST)
    taken = {
        "plain, new": run(folder, *peer),
        "import, all new": run(folder, *command),
        "plain, known": run(folder, *peer),
        "import, all known": run(folder, *command),
        "audience": run(folder, "-c", COUNT, str(root), RULE),
    }
    shutil.rmtree(root)
    return taken


def report(rounds: list[dict[str, Taken]]) -> None:
    """Print medians over the rounds; a ratio is the median of the rounds' own ratios."""

    def median(kind: str, what: int) -> float:
        return statistics.median(float(found[kind][what]) for found in rounds)

    def ratio(kind: str, other: str, what: int) -> float:
        return statistics.median(float(found[other][what]) / float(found[kind][what]) for found in rounds)

    for kind, peer in (("import, all new", "plain, new"), ("import, all known", "plain, known")):
        clock = median(kind, 0)
        print(
            f"{kind}: {ROWS:,} rows in {clock:.1f} s, {ROWS / clock:,.0f} rows/s,"
            f" {max(found[kind].megabytes for found in rounds):.0f} MB at most;"
            f" {ratio(kind, peer, 0):.2f} of the speed of a plain upsert ({median(peer, 0):.1f} s),"
            f" by processor time {ratio(kind, peer, 1):.2f}"
        )
    again = ratio("import, all known", "import, all new", 0)
    print(f"the second import of the same file: {again:.2f} of the speed of the first")
    counted = statistics.median(float(found["audience"].said.split()[0]) for found in rounds)
    active = int(rounds[0]["audience"].said.split()[1])
    print(f"audience: {counted:.2f} s to count who of {active:,} is in {RULE!r}, and why the others are not")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        people = Path(name) / "people.csv"
        write(people, ROWS)
        report([one_round(Path(name), number) for number in range(ROUNDS)])
