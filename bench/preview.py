"""From a save to the letter on the screen: milliseconds in Chromium, with an issue of eight entries.

Each round writes the issue with a new word in its last entry, and the page says when the widest frame has
shown it: the clock starts before the write and stops after the frame was painted.
"""

from __future__ import annotations

import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS, GOAL = 40, 150
REPOSITORY = Path(__file__).parent.parent
SETTINGS = """\
[publication]
title = "Digest"
url = "https://digest.example.org"
postal_address = "1 Quay Street"
[sender]
name = "Digest"
email = "news@example.org"
[delivery]
provider = "outbox"
[providers.outbox]
kind = "outbox"
path = "outbox"
"""
#: Runs in the page: notes when a word first stands painted in the widest frame.
WATCH = """
word => new Promise(done => {
  const look = setInterval(() => {
    const shown = document.querySelector('iframe.w640').contentDocument
    if (!shown?.body?.textContent.includes(word)) return
    clearInterval(look)
    requestAnimationFrame(() => setTimeout(() => done(performance.timeOrigin + performance.now())))
  }, 2)
})
"""


def workspace(folder: Path) -> Path:
    """Make a workspace with one issue of eight entries, and return the issue."""
    (folder / "newsletter.toml").write_text(SETTINGS)
    (folder / ".env").write_text(f"NEWSLETTER_SIGNING_KEY={'k3y' * 15}\n")
    (folder / "issues").mkdir()
    first, second = ((REPOSITORY / "issues" / f"vol-1-{n}.md").read_text() for n in (1, 2))
    more = re.split(r"(?m)^(?=## )", second)[1:4]
    shutil.copy(REPOSITORY / "issues" / "vol-1-1.png", folder / "issues")
    issue = folder / "issues" / "vol-1-1.md"
    issue.write_text(f"{first}\n{''.join(more)}")
    return issue


def rounds(address: str, issue: Path) -> list[float]:
    """Save the issue again and again, and return how long each save took to show."""
    from playwright.sync_api import sync_playwright

    text, taken = issue.read_text(), []
    with sync_playwright() as program:
        browser = program.chromium.launch(executable_path=shutil.which("chromium"))
        page = browser.new_page(viewport={"width": 1500, "height": 1000})
        page.goto(address)
        page.frame_locator("iframe.w640").get_by_role("heading").first.wait_for()
        for turn in range(ROUNDS + 3):
            page.evaluate(f"word => {{ window.shown = ({WATCH})(word) }}", f"word{turn}.")
            time.sleep(0.4)  # an editor does not save while the checks of the last save still run
            began = time.time() * 1000
            issue.write_text(f"{text} And word{turn}.\n")
            taken.append(page.evaluate("window.shown") - began)
        browser.close()
    return sorted(taken[3:])


if __name__ == "__main__":
    if not shutil.which("chromium"):
        print("preview: no Chromium on the PATH")
        raise SystemExit
    with tempfile.TemporaryDirectory() as place:
        issue = workspace(Path(place))
        command = [
            sys.executable,
            "-u",
            "-m",
            "newsletter",
            "-C",
            place,
            "issue",
            "preview",
            "1.1",
            "--no-open",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            found = re.search(r"http://127\.0\.0\.1:\d+/", process.stdout.readline())
            assert found
            taken = rounds(found[0], issue)
            process.send_signal(signal.SIGINT)
    late = sum(one > GOAL for one in taken)
    print(
        f"preview: save to screen, eight entries: median {statistics.median(taken):.0f} ms,"
        f" nine in ten within {taken[len(taken) * 9 // 10]:.0f}, slowest {taken[-1]:.0f};"
        f" {late} of {len(taken)} over {GOAL}"
    )
