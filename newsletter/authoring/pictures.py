"""The pictures of an issue that lie beside its file: readers see them, so an approval is about them, too."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from newsletter.authoring import markup
from newsletter.domain import issues


def local(issue: issues.Issue) -> list[Path]:
    """Return the pictures beside an issue file that it names and that are there, each once."""
    found = (issue.path.parent / name for name in _names(issue) if name and not _is_remote(name))
    return [path for path in dict.fromkeys(found) if path.is_file()]


def digest(pictures: list[Path]) -> str:
    """Return the sha-256, in hex, over names and contents of pictures; nothing for none."""
    if not pictures:
        return ""
    whole = hashlib.sha256()
    for path in sorted(pictures, key=lambda path: path.name):
        whole.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()


def _names(issue: issues.Issue) -> Iterator[str]:
    if issue.hero is not None:
        yield issue.hero.src
    for text in (issue.intro, issue.closing, *(entry.body for entry in issue.entries)):
        lines = markup.without_code(text.split("\n"))
        yield from (link.url for link in markup.links(lines, 1) if link.is_image)


def _is_remote(name: str) -> bool:
    return "://" in name or name.startswith(("data:", "cid:", "//"))
