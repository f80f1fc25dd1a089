"""Import files of people through the command line: seconds, rows a second, and the most memory ever held."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SIZES = (10_000, 100_000)


def write(path: Path, rows: int) -> None:
    """Write a file of so many people."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["email", "name", "tags"])
        for number in range(rows):
            writer.writerow([f"reader{number}@example.org", f"Reader Nº {number}", "friends, press"])


def run(folder: Path, *arguments: str) -> tuple[float, int]:
    """Return the seconds and the kilobytes at most of one command."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "newsletter", *arguments], cwd=folder, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"newsletter {' '.join(arguments)} left with {process.returncode}")
    return time.perf_counter() - started, usage.ru_maxrss


if __name__ == "__main__":
    for rows in SIZES:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            run(folder, "init", "--title", "Bench", "--from", "news@example.org")
            write(folder / "people.csv", rows)
            seconds, kilobytes = run(
                folder, "subscriber", "import", "people.csv", "--yes", "--attest", "made for this measurement"
            )
            print(
                f"importing {rows:>7,} rows: {seconds:5.1f} s, {rows / seconds:>6,.0f} rows/s,"
                f" {kilobytes / 1024:.0f} MB at most"
            )
