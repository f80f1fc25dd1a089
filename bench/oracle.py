"""Hold our MJML renderer to MJML for Node: every layout with every sample, as elements and as pixels.

Needs Node, Chromium, playwright and, in .tools/npm:  npm install --prefix .tools/npm mjml@5.4.1
Leaves with 1 where a picture differs by more than a thousandth, or MJML for Node finds a fault in a template.
"""

from __future__ import annotations

import dataclasses
import difflib
import io
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from newsletter.authoring import issue_files
from newsletter.domain import fields, issues, publications
from newsletter.rendering import mjml, templating, theme, views

REPOSITORY = Path(__file__).parent.parent
MODULES = REPOSITORY / ".tools" / "npm" / "node_modules"
SAMPLES = [
    *(REPOSITORY / "issues").glob("vol-*.md"),
    *(REPOSITORY / "tests" / "rendering" / "data").glob("*.md"),
]
WIDTHS = (375, 800)
#: Share of pixels that may differ, and by how much one must to count.
ALLOWED, VISIBLE = 0.001, 16
SCRIPT = """
const mjml = require('mjml'), render = mjml.default || mjml
const source = require('fs').readFileSync(process.argv[1], 'utf8')
const words = ({ html, errors }) => [html, errors.map(one => one.formattedMessage)]
const write = result => console.log(JSON.stringify(words(result)))
Promise.resolve(render(source, { fonts: {}, validationLevel: 'soft' })).then(write)
"""
PUBLICATION = publications.Publication(
    title="Digest",
    url="https://digest.example.org",
    language="en",
    postal_address="1 Quay Street",
    contact="editors@example.org",
    sender=publications.Sender(name="Digest", email="news@example.org"),
)


def cases() -> Iterator[tuple[str, issues.Issue]]:
    for path in sorted(SAMPLES):
        for layout in issues.Layout:
            issue = issue_files.read(path, title=PUBLICATION.title)
            yield f"{path.stem} as {layout}", dataclasses.replace(issue, layout=layout)


def both(issue: issues.Issue) -> tuple[str, str, list[str]]:
    """Return our HTML, that of MJML for Node, and what it has to say of the template."""
    dressed = theme.packaged()
    reading = views.Views(issue, PUBLICATION, dressed, image_base=f"file://{REPOSITORY}/issues/")
    context = reading.context() | {"preheader_filler": ""}
    environment = theme.environment(dressed.folders, escaping=True)
    skeleton = templating.run(environment, f"{issue.layout}.mjml.j2", context)
    ours = fields.join(reading.slots.fill(mjml.to_html(skeleton)), {})
    with tempfile.NamedTemporaryFile("w", suffix=".mjml", encoding="utf-8") as source:
        source.write(fields.join(reading.slots.fill(skeleton), {}))
        source.flush()
        done = subprocess.run(
            ["node", "-e", SCRIPT, source.name],
            cwd=MODULES.parent,
            capture_output=True,
            text=True,
            check=True,
        )
    theirs, faults = json.loads(done.stdout)
    return ours, theirs, faults


def elements(html: str) -> list[str]:
    """Return the tags and texts of a body, attributes sorted, without what Outlook alone reads."""
    body = re.sub(r"<!--.*?-->", "", html.partition("<body")[2], flags=re.DOTALL)
    found = []
    for piece in re.findall(r"<[^>]*>|[^<]+", re.sub(r"\s+", " ", body)):
        match = re.fullmatch(r"<([a-z0-9]+)( [^>]*)?>", piece.strip())
        if match:
            pairs = sorted(re.findall(r'([\w:-]+)="([^"]*)"', match[2] or ""))
            found.append(" ".join([match[1], *(f"{name}={_style(name, value)}" for name, value in pairs)]))
        elif piece.strip():
            found.append(piece.strip())
    return found


def _style(name: str, value: str) -> str:
    if name != "style":
        return value
    return ";".join(sorted(re.sub(r"\s*([:,])\s*", r"\1", part.strip()) for part in value.split(";")))


def share_that_differs(browser: object, ours: str, theirs: str, width: int) -> float:
    from PIL import Image, ImageChops

    pictures = []
    for html in (ours, theirs):
        page = browser.new_page(viewport={"width": width, "height": 800})  # type: ignore[attr-defined]
        with tempfile.NamedTemporaryFile("w", suffix=".html", encoding="utf-8") as file:
            file.write(html)
            file.flush()
            page.goto(f"file://{file.name}")
            pictures.append(Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("RGB"))
        page.close()
    one, other = pictures
    if one.size != other.size:
        return 1.0
    seen = ImageChops.difference(one, other).convert("L").point([value > VISIBLE for value in range(256)])
    return sum(seen.getdata()) / (one.width * one.height)


if __name__ == "__main__":
    if not shutil.which("node") or not (MODULES / "mjml").is_dir():
        print("MJML for Node is not there; the head of bench/oracle.py says how to get it")
        raise SystemExit
    from playwright.sync_api import sync_playwright

    failed = False
    with sync_playwright() as program:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = program.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)
        for name, issue in cases():
            ours, theirs, faults = both(issue)
            lines = difflib.unified_diff(elements(theirs), elements(ours), n=0, lineterm="")
            differing = [line for line in lines if line[:1] in "+-" and line[:3] not in {"+++", "---"}]
            shares = {width: share_that_differs(browser, ours, theirs, width) for width in WIDTHS}
            failed |= bool(faults) or max(shares.values()) > ALLOWED
            pixels = ", ".join(f"{share:.3%} of the pixels at {width}" for width, share in shares.items())
            print(f"{name}: {pixels}; {len(differing)} of {len(elements(ours))} elements differ", *faults)
    raise SystemExit(failed)
