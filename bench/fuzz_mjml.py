"""Mutated MJML without end: every input is HTML or a RenderError, and none ends the process.

python bench/fuzz_mjml.py [COUNT] [SEED]
"""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import time
from collections import Counter
from pathlib import Path

from newsletter.domain import errors
from newsletter.rendering import mjml, mjml_check

TEMPLATES = [
    path.read_text("utf-8") for path in sorted(Path(__file__).parents[1].glob("templates/*.mjml.j2"))
]
WHOLE = (
    "<mjml><mj-head><mj-title>t</mj-title><mj-style>a { b: c; }</mj-style></mj-head><mj-body><mj-section>"
    '<mj-column><mj-text padding="0px 4px">a <b>b</b></mj-text><mj-image src="a" alt="b" /><mj-divider />'
    "<mj-button>x</mj-button></mj-column></mj-section></mj-body></mjml>"
)
COUNT = 1_000_000
WORKERS = multiprocessing.cpu_count()
CRUMBS = [
    *"<>/\"'=&\0\u00a0é日\ufeff\n\t\\%0",
    *(
        "&amp;",
        "&#0;",
        "<!--",
        "-->",
        "<!--[if",
        "<!--[if mso]>",
        "<![endif]-->",
        "<![CDATA[",
        "]]>",
        "<?xml?>",
    ),
    *(
        "<mj-text>",
        "</mj-text>",
        "<mj-raw>",
        "</mj-column>",
        "<mj-section",
        "<mjml>",
        "<mj-all>",
        "<br>",
        "<p",
    ),
    *("<mj-include path='x' />", "<mj-style inline='inline'>", " padding='0'", " width='99999999999'"),
    *("{{ x }}", "{% if %}", "{% endif %}", "{# x #}", "👩\u200d👧", "px"),
]


def mutate(rng: random.Random) -> str:
    """Return MJML that has been cut, crossed, repeated and sprinkled."""
    text = WHOLE if rng.random() < 0.7 else rng.choice(TEMPLATES)[: rng.randint(10, 3000)]
    for _ in range(rng.randint(1, 6)):
        start = rng.randrange(len(text) + 1)
        end = min(len(text), start + rng.randint(0, 40))
        kind = rng.randrange(4)
        if kind == 0:
            text = text[:start] + text[end:]
        elif kind == 1:
            text = text[:start] + rng.choice(CRUMBS) + text[start:]
        elif kind == 2:
            text = text[:end] + text[start:end] * rng.randint(1, 4) + text[end:]
        else:
            text = text[:start] + rng.choice(CRUMBS) + text[end:]
    return text


def work(job: tuple[int, int]) -> Counter[str]:
    """Render many inputs; what is neither HTML nor a RenderError goes through and ends the run."""
    count, seed = job
    # The renderer prints each of its panics.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    rng, seen = random.Random(seed), Counter[str]()
    for _ in range(count):
        text = mutate(rng)
        try:
            mjml.to_html(text)
            seen["rendered"] += 1
        except errors.RenderError as error:
            seen["panics caught" if "broke down" in str(error) else "refused"] += 1
        except BaseException as error:
            raise SystemExit(f"{type(error).__name__} on {text!r}: {error}") from None
        if rng.random() < 0.1:
            mjml_check.check(Path("fuzz"), text)
            seen["checked"] += 1
    return seen


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 8058
    began, parts = time.perf_counter(), 50
    jobs = [(count // parts, seed * parts + part) for part in range(parts)]
    seen = Counter[str]()
    with multiprocessing.Pool(WORKERS) as pool:
        for found in pool.imap_unordered(work, jobs):
            seen += found
    total = ", ".join(f"{number:,} {name}" for name, number in sorted(seen.items()))
    print(f"MJML fuzz: {count:,} inputs in {time.perf_counter() - began:.0f} s: {total}")
