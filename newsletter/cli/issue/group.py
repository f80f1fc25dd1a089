"""The group that the commands of the noun belong to, and what they have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter import wiring
from newsletter.cli import nouns

app = nouns.group("issue")

#: The argument of every command that is about one issue.
Issue = Annotated[
    str, typer.Argument(metavar="ISSUE", help="2.23, vol-2-23, a file, “latest” or “next” (to go out).")
]


def path_of(app: wiring.App, name: str) -> Path:
    """Return the file that a name means, as short as it can be written from here.

    Raises:
        IssueError: there is no such issue.
    """
    path = app.issue_path(name)
    here = Path.cwd()
    return path.relative_to(here) if path.is_absolute() and path.is_relative_to(here) else path
