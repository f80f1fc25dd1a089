"""What the packaged theme uses of HTML and CSS; ``python -m tests.checking.baseline`` writes it down anew."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from newsletter import checking
from newsletter.authoring import issue_files
from newsletter.checking import clients, document, features
from newsletter.domain import issues
from newsletter.rendering import issue as rendering
from newsletter.rendering import theme as themes
from tests.checking import desk

SAMPLES = Path(__file__).parents[2] / "issues"
FILE = Path(clients.__file__).parent / "data" / "theme-features.txt"

#: An issue that has a bit of everything an editor can write.
EVERYTHING = (
    desk.HEAD.replace("---\n", "---\nlayout: {layout}\n", 1)
    + """
Dear {{{{ subscriber.first_name | default("reader") }}}}, an intro with a [word](https://a.example.org/intro).

## Ports agree on one timetable
topics: ports
sources:
  - [Timetable](https://ports.example.org/timetable), Harbour Office

A paragraph with *emphasis*, **weight**, ~~a slip~~ and `code`, and a [mail](mailto:a@example.org).

> Words of somebody.
>
> — A. Minister

- one
- two
  1. nested

### A heading within

| port | trains |
| :--- | ---: |
| one | 42 |

![A view](https://a.example.org/view.png "A title")

```
code
```

---

A note.[^1]

[^1]: The note's text.

## Bridge opens ahead of schedule

It [opened](https://bridge.example.org/opening) early.
"""
)


def issues_to_render(folder: Path) -> Iterator[issues.Issue]:
    """Yield every sample and the issue that has everything, in both layouts."""
    for path in sorted(SAMPLES.glob("*.md")):
        yield issue_files.read(path, title=desk.PUBLICATION.title)
    for layout in issues.Layout:
        yield desk.read(folder, EVERYTHING.format(layout=layout))


def render(issue: issues.Issue) -> str:
    """Return the HTML of an issue for a sample reader."""
    rendered = rendering.render(issue, desk.PUBLICATION, themes.packaged())
    values = checking.sample_values(desk.PUBLICATION, issue)
    return checking.personalise(rendered.html, values, is_html=True)


def used(folder: Path) -> set[str]:
    """Return the features that the theme uses and that somebody could miss."""
    found = {
        slug for issue in issues_to_render(folder) for slug in features.used(document.Page(render(issue)))
    }
    return found.intersection(clients.data()["features"]) - features.HARMLESS


if __name__ == "__main__":
    head = FILE.read_text(encoding="utf-8").split("\n")[0]
    with tempfile.TemporaryDirectory() as folder:
        FILE.write_text("\n".join([head, *sorted(used(Path(folder)))]) + "\n", encoding="utf-8")
