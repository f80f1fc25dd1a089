"""The file that a new issue begins as: numbered, dated, with the settings of the last one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from newsletter.authoring import manuscripts, saving
from newsletter.domain import issues, numbering

#: Keys that an editor may fill in.
OPTIONAL = """\
# subject:                       default: title, Vol and the first headline
# preheader:                     default: the first two headlines
# hero:
#   file: picture.png            lies beside this file
#   alt: what the picture shows
#   credit: whose picture it is
"""
#: The entries of a new issue, as long as nobody has written one.
ENTRIES = """
## TK headline of the first entry

TK what happened, with [a link to the source](https://example.org/).

## TK headline of the second entry

TK
"""


def begin(
    folder: Path, number: numbering.IssueNumber, day: date, *, last: issues.Issue | None = None
) -> Path:
    """Write the file of a new issue and return its path.

    Raises:
        WorkspaceError: it is there already, or cannot be written.
    """
    path = folder / f"{number.slug}.md"
    saving.save_new(path, text(number, day, last=last), hint=f"newsletter issue show {number}")
    return path


def text(number: numbering.IssueNumber, day: date, *, last: issues.Issue | None = None) -> str:
    """Return what a new issue begins as; the last issue's settings are its defaults."""
    return f"---\n{head(number, day, last=last)}{OPTIONAL}---\n{ENTRIES}"


def head(number: numbering.IssueNumber, day: date, *, last: issues.Issue | None = None) -> str:
    """Return the front matter of a new issue, without the lines around it."""
    fields: dict[str, object] = {"volume": number.volume, "number": number.number, "date": day}
    return manuscripts.dump(fields | inherited(last) | {"status": str(issues.Status.DRAFT)})


def inherited(last: issues.Issue | None) -> dict[str, object]:
    """Return the fields that go on from issue to issue, as far as the last one set them."""
    if last is None:
        return {}
    kept = {key: getattr(last, key) for key in ("title", "language", "layout", "closing")}
    return {key: str(value) for key, value in kept.items() if key in last.lines}
