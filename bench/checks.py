"""Check an issue of eight entries without its links, and time the preview from save to new letter."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path

from newsletter import checking, wiring
from newsletter.web.preview import studio, watching

REPOSITORY = Path(__file__).parent.parent
ENTRIES, RUNS = 8, 30


def issue(folder: Path) -> Path:
    """Write an issue of eight entries, put together from those of the samples."""
    texts = [path.read_text(encoding="utf-8") for path in sorted((REPOSITORY / "issues").glob("vol-*-?.md"))]
    entries = [entry for text in texts for entry in text.split("\n## ")[1:]]
    head = texts[0].split("\n## ")[0].replace("number: 1", "number: 9")
    path = folder / "vol-1-9.md"
    path.write_text("\n## ".join([head, *entries[:ENTRIES]]), encoding="utf-8")
    return path


def check(app: wiring.App, path: Path) -> None:
    press = app.press
    proof = press.proof(path)
    subject = press.subject(proof.editions[0], proof)
    taken, spent = [], []
    for _ in range(RUNS + 1):
        started, worked = time.perf_counter(), time.process_time()
        found = checking.check(subject)
        taken.append((time.perf_counter() - started) * 1000)
        spent.append((time.process_time() - worked) * 1000)
    size = len(subject.html.encode()) / 1024
    wall, work = statistics.median(taken[1:]), statistics.median(spent[1:])
    print(
        f"checks: {wall:.1f} ms ({work:.1f} ms of CPU) for {ENTRIES} entries, {size:.0f} KB, "
        f"{len(checking.rules())} rules (first {taken[0]:.0f} ms; {len(found)} findings)"
    )


async def reload(app: wiring.App, path: Path) -> None:
    easel = studio.Studio(press=lambda: app.press, path=path, send=app.send_trial)
    easel.develop()
    stop = asyncio.Event()
    watcher = asyncio.create_task(watching.watch(easel, root=path.parent, folders=[path.parent], stop=stop))
    text, taken = path.read_text(encoding="utf-8"), []
    await asyncio.sleep(0.5)
    for turn in range(RUNS):
        started, version = time.perf_counter(), easel.print.version
        path.write_text(f"{text}\nRound {turn}.\n", encoding="utf-8")
        await easel.after(version)
        taken.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(0.1)
    stop.set()
    await watcher
    print(f"preview: {statistics.median(taken):.0f} ms from save to new letter, at most {max(taken):.0f} ms")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        written = issue(Path(folder))
        app = wiring.build(REPOSITORY)
        check(app, written)
        asyncio.run(reload(app, written))
