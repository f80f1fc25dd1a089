"""Send a mailing to smtp-sink through the command line, and watch the memory of the sender all the way."""

from __future__ import annotations

import argparse
import contextlib
import csv
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
#: Messages after which caches are full and memory has to stay as it is.
WARM = 1_000
PAGE = os.sysconf("SC_PAGE_SIZE") / 1024 / 1024
NEWSLETTER = [sys.executable, "-m", "newsletter"]


def prepare(folder: Path, people: int) -> None:
    """Make a workspace with the sample issues, approved, and so many subscribers."""
    words = ("--title", "Soak", "--from", "news@example.org", "--postal-address", "1 Example Street")
    subprocess.run([*NEWSLETTER, "init", str(folder), *words], check=True, stdout=subprocess.DEVNULL)
    for path in (REPOSITORY / "issues").iterdir():
        shutil.copy(path, folder / "issues")
    with (folder / "people.csv").open("w", newline="") as file:
        csv.writer(file).writerows(
            [["email"], *([f"reader{number}@example.org"] for number in range(people))]
        )
    for command in (
        ("subscriber", "import", "people.csv", "--yes", "--attest", "made for this measurement"),
        ("issue", "approve", "1.1"),
    ):
        subprocess.run([*NEWSLETTER, *command], check=True, cwd=folder, stdout=subprocess.DEVNULL)


def watch(process: subprocess.Popen[bytes], database: Path, seen: list[tuple[int, float]]) -> None:
    """Note, ten times a second while a process lives, the messages sent and the megabytes it holds."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as ledger:
        while process.poll() is None:
            (sent,) = ledger.execute("SELECT count(*) FROM delivery WHERE state = 'sent'").fetchone()
            with contextlib.suppress(OSError):
                seen.append((sent, int(Path(f"/proc/{process.pid}/statm").read_text().split()[1]) * PAGE))
            time.sleep(0.1)


def wait_for(port: int) -> None:
    """Return when the server answers."""
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nothing answers on port {port}")


def send(folder: Path, port: int) -> tuple[float, list[tuple[int, float]]]:
    """Send issue 1.1; return the seconds it took and the memory it held on the way."""
    settings = {"HOST": "127.0.0.1", "PORT": str(port), "SECURITY": "none"}
    environment = os.environ | {
        f"NEWSLETTER_PROVIDERS__SMTP__{key}": value for key, value in settings.items()
    }
    seen: list[tuple[int, float]] = []
    started = time.perf_counter()
    command = [*NEWSLETTER, "mailing", "send", "1.1", "--yes"]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    watcher = threading.Thread(target=watch, args=(process, folder / "subscribers.db", seen))
    watcher.start()
    code = process.wait()
    watcher.join()
    if code:
        raise SystemExit(f"mailing send left with {code}")
    return time.perf_counter() - started, seen


def main() -> None:
    """Send, and say how fast it was and how memory grew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=10_000)
    people = parser.parse_args().people
    sink = shutil.which("smtp-sink") or str(REPOSITORY / ".tools" / "bin" / "smtp-sink")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name), people)
        privileges = ["-u", "nobody"] if os.geteuid() == 0 else []
        server = subprocess.Popen([sink, *privileges, f"127.0.0.1:{port}", "1000"])
        try:
            wait_for(port)
            seconds, seen = send(Path(name), port)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()
        status = subprocess.run(
            [*NEWSLETTER, "mailing", "report", "1.1", "--json"], cwd=name, check=True, capture_output=True
        )
        print(json.dumps(json.loads(status.stdout), indent=None)[:400])
    held = [megabytes for sent, megabytes in seen if sent >= WARM]
    print(f"sending {people:,} messages: {seconds:.1f} s, {people / seconds:,.0f} a second")
    growth = max(held) - held[0]
    print(f"memory: {held[0]:.1f} MB after {WARM:,} messages, {max(held):.1f} MB at most: {growth:+.1f} MB")


if __name__ == "__main__":
    main()
