"""Editing with 500 issues and 5,000 clippings, clipping 100 files: seconds of processor time, and memory."""

from __future__ import annotations

import contextlib
import datetime
import io
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import startup
from newsletter.authoring import clippings
from newsletter.cli import main

ISSUES, CLIPPINGS, FILES = 500, 5_000, 100
SETTINGS = {"# first = 2026-01-09": "first = 2026-01-09", "# on =": "on ="}


def shelf(folder: Path, words: list[str], rng: random.Random) -> None:
    """Write issues of six entries each."""
    for i in range(ISSUES):
        volume, number = divmod(i, 26)
        day = datetime.date(2007, 1, 5) + datetime.timedelta(days=14 * i)
        head = f"---\nvolume: {volume + 1}\nnumber: {number + 1}\ndate: {day}\nstatus: ready\n---\n"
        entries = (f"\n## Story {k}\n\n{' '.join(rng.choices(words, k=110))}\n" for k in range(6))
        (folder / f"vol-{volume + 1}-{number + 1}.md").write_text(head + "".join(entries))


def inbox(folder: Path, count: int, words: list[str], rng: random.Random, today: datetime.date) -> None:
    """Write clippings of the last fortnight."""
    folder.mkdir()
    for i in range(count):
        day = today - datetime.timedelta(days=i % 14)
        sentences = (f"{' '.join(rng.choices(words, k=25))}." for _ in range(8))
        made = clippings.Clipping(
            title=" ".join(rng.choices(words, k=8)),
            url=f"https://example.org/{i}",
            published=day,
            accessed=day,
            sha256=str(i),
            excerpt="\n".join(sentences),
        )
        (folder / f"{made.stem()}-{i}.md").write_text(clippings.dumps(made))


def sources(folder: Path, words: list[str], rng: random.Random) -> None:
    """Write pages to clip."""
    folder.mkdir()
    for i in range(FILES):
        body = "".join(f"<p>{' '.join(rng.choices(words, k=60))}.</p>" for _ in range(40))
        head = f"<html><head><title>Page {i}</title></head><body><article><h1>Page {i}</h1>"
        page = f"{head}{body}</article></body></html>"
        (folder / f"{i}.html").write_text(page)


def run(root: Path, *arguments: str) -> float:
    """Run one command in a process of its own and return its seconds of processor time."""
    command = [sys.executable, "-m", "newsletter", "-C", str(root), *arguments]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True, env=startup.installed(str(root / ".compiled")))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def workspace(root: Path) -> None:
    """Make a workspace with a schedule."""
    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        main.run(["init", str(root), "--title", "Digest", "--from", "news@example.org"])
    settings = root / "newsletter.toml"
    text = settings.read_text()
    for old, new in SETTINGS.items():
        text = text.replace(old, new)
    settings.write_text(text)


def peak(act: Callable[[], object]) -> float:
    """Return the most memory, in megabytes, that an act takes."""
    import tracemalloc

    tracemalloc.start()
    act()
    taken = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return taken


def main_() -> None:
    rng = random.Random(23)
    words = ["".join(rng.choices("abcdefghijklmnoprstuvw", k=rng.randint(4, 9))) for _ in range(4_000)]
    today = datetime.date.fromtimestamp(time.time())
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / "digest"
        workspace(root)
        shelf(root / "issues", words, rng)
        inbox(root / "issues" / "inbox", CLIPPINGS, words, rng, today)
        sources(root / "sources", words, rng)
        run(root, "issue", "list")
        print(f"issue list, {ISSUES} issues: {run(root, 'issue', 'list'):.2f} s")
        print(f"issue draft, {CLIPPINGS} clippings: {run(root, 'issue', 'draft'):.2f} s")
        print(f"issue draft again: {run(root, 'issue', 'draft'):.2f} s")
        print(f"inbox clip, {FILES} files: {run(root, 'inbox', 'clip', str(root / 'sources')):.2f} s")
        from newsletter.authoring.inbox import Inbox

        box = Inbox(root / "issues" / "inbox")
        listed = peak(lambda: sum(1 for _ in box.slips()))
        print(f"memory of going through {CLIPPINGS} clippings: {listed:.1f} MB")


if __name__ == "__main__":
    main_()
