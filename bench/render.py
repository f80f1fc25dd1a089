"""Render an issue of eight entries against MJML for Node, in process and in turns; medians of the rounds.

Needs Node and npm, and brings MJML and what the whole job takes beside it into .tools.

Node is asked for MJML alone, from source that is ready, and for the same job as ours: Markdown, MJML and
plain text; each as MJML's documentation calls it, and with its validation switched off. Ours is HTML and
plain text from the issue as it was read: with nothing of it remembered (“first”), and with one entry
changed since the last render, as in a preview (“again”). Templates and components are loaded in both.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import statistics
import subprocess
import time
import urllib.parse
from collections.abc import Callable
from pathlib import Path

from newsletter.authoring import issue_files
from newsletter.domain import fields, issues, publications
from newsletter.rendering import issue as issue_room
from newsletter.rendering import markdown, mjml, passages, slots, templating, theme, views

REPOSITORY = Path(__file__).parent.parent
#: What is compared: Node's just-in-time compiler has done its work after the warm-up.
WARM_UP, ROUNDS = 4, 15
RENDERS = 20
FOLDER = REPOSITORY / ".tools" / "rivals"
PACKAGES = ("mjml@5.4.1", "markdown-it@14", "html-to-text@9")
#: What Node is asked for, and how it is called here.
RIVALS = {
    "mail": "MJML alone",
    "mail-unchecked": "MJML alone without validation",
    "whole": "the whole job",
    "whole-unchecked": "the whole job without validation",
}
WORKER = """
const mjml = require('mjml'), render = mjml.default || mjml
const MarkdownIt = require('markdown-it'), { convert } = require('html-to-text')
const md = new MarkdownIt({ typographer: true }), lines = require('readline')
const job = JSON.parse(require('fs').readFileSync(0 + 3))
const mail = async options => (await render(job.mjml, options)).html
const whole = async options => {
  job.bodies.map(body => md.render(body)); convert(await mail(options), { wordwrap: 72 })
}
const unchecked = { validationLevel: 'skip' }
const acts = {
  mail, whole, 'mail-unchecked': () => mail(unchecked), 'whole-unchecked': () => whole(unchecked),
}
lines.createInterface({ input: process.stdin }).on('line', async line => {
  const [name, count] = line.split(' '), act = acts[name], began = process.hrtime.bigint()
  for (let i = 0; i < Number(count); i++) await act()
  console.log(Number(process.hrtime.bigint() - began) / 1e6 / Number(count))
})
"""


def eight_entries() -> issues.Issue:
    """Return the first sample issue, with entries of the second behind its own."""
    first, second = (
        issue_files.read(path) for path in sorted((REPOSITORY / "issues").glob("vol-?-?.md"))[:2]
    )
    return dataclasses.replace(first, entries=(*first.entries, *second.entries)[:8])


def publication() -> publications.Publication:
    return publications.Publication(
        title="Digest",
        url="https://digest.example.org",
        language="en",
        postal_address="1 Quay Street",
        contact="editors@example.org",
        sender=publications.Sender(name="Digest", email="news@example.org"),
    )


class Ours:
    """The renders that this program does."""

    def __init__(self) -> None:
        self.issue, self.publication, self.theme = eight_entries(), publication(), theme.packaged()
        self._turn = 0

    def first(self) -> None:
        for room in (passages, mjml, slots, views):
            room.forget()
        markdown.typeset.cache_clear()
        urllib.parse.clear_cache()
        issue_room.render(self.issue, self.publication, self.theme)

    def again(self) -> None:
        self._turn += 1
        *others, last = self.issue.entries
        changed = dataclasses.replace(last, body=f"{last.body} {self._turn}")
        issue = dataclasses.replace(self.issue, entries=(*others, changed))
        issue_room.render(issue, self.publication, self.theme)

    def source(self) -> str:
        """Return the MJML with all content in it, as MJML for Node takes it."""
        reading = views.Views(self.issue, self.publication, self.theme)
        context = reading.context() | {"preheader_filler": ""}
        skeleton = templating.run(
            theme.environment(self.theme.folders, escaping=True, tokens=self.theme.tokens),
            "digest.mjml.j2",
            context,
        )
        return fields.join(reading.slots.fill(skeleton), {})


class Node:
    """MJML for Node, warm, behind a pipe."""

    def __init__(self, job: dict[str, object]) -> None:
        path = FOLDER / "job.json"
        path.write_text(json.dumps(job), "utf-8")
        code = WORKER.replace("0 + 3", json.dumps(str(path)))
        self._process = subprocess.Popen(
            ["node", "-e", code], cwd=FOLDER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def per_render(self, act: str) -> float:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{act} {RENDERS}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())

    def stop(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def per_render(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    for _ in range(RENDERS):
        act()
    return (time.perf_counter() - began) * 1000 / RENDERS


if __name__ == "__main__":
    if not shutil.which("node") or not shutil.which("npm"):
        print("no Node here: rendering against MJML is left out")
        raise SystemExit
    if not (FOLDER / "node_modules" / "html-to-text").is_dir():
        FOLDER.mkdir(parents=True, exist_ok=True)
        (FOLDER / "package.json").write_text("{}")
        subprocess.run(["npm", "install", "--silent", "--no-fund", *PACKAGES], cwd=FOLDER, check=True)
    ours = Ours()
    node = Node({"mjml": ours.source(), "bodies": [entry.body for entry in ours.issue.entries]})
    taken: dict[str, list[float]] = {name: [] for name in (*RIVALS, "first", "again")}
    for _ in range(WARM_UP + ROUNDS):
        for name in RIVALS:
            taken[name].append(node.per_render(name))
        taken["first"].append(per_render(ours.first))
        taken["again"].append(per_render(ours.again))
    node.stop()
    warm = {name: times[WARM_UP:] for name, times in taken.items()}
    theirs = ", ".join(f"{statistics.median(warm[rival]):.1f} ms {said}" for rival, said in RIVALS.items())
    print(f"eight entries, MJML for Node: {theirs}")
    for name in ("first", "again"):
        pairs = {rival: zip(warm[rival], warm[name], strict=True) for rival in RIVALS}
        times = {rival: statistics.median(other / own for other, own in pairs[rival]) for rival in RIVALS}
        print(
            f"eight entries, ours {name}: {statistics.median(warm[name]):.2f} ms for HTML and text;"
            f" times as fast: {', '.join(f'{times[rival]:.1f} as {said}' for rival, said in RIVALS.items())}"
        )
