"""Snippets: stretches of Markdown kept in one place and put into issues by name.

``{{ snippet "forwarded" }}`` stands for ``templates/snippets/forwarded.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from newsletter.domain import errors, fields

_FOLDER = "snippets"


def expand(text: str, folders: tuple[Path, ...], *, where: Callable[[int], str]) -> str:
    """Return editors' Markdown with every snippet put in its place.

    Args:
        text: Markdown with ``{{ snippet "name" }}`` in it.
        folders: of the theme; the first that has the snippet counts.
        where: names a line of the text, counted from 1, for an error.

    Raises:
        RenderError: there is no such snippet, or one holds a field that is unknown or another snippet.
    """
    for found in reversed(fields.find(text)):
        if found.snippet:
            content = _read(found.snippet, folders, where(found.line))
            text = text[: found.at] + content + text[found.at + len(found.text) :]
    return text


def available(folders: tuple[Path, ...]) -> Mapping[str, Path]:
    """Return the snippets of a theme by name; a workspace's own go before the packaged ones."""
    return {
        path.stem: path for folder in reversed(folders) for path in sorted((folder / _FOLDER).glob("*.md"))
    }


def _read(name: str, folders: tuple[Path, ...], where: str) -> str:
    known = available(folders)
    if name not in known:
        raise errors.RenderError(
            f"{where}there is no snippet “{name}”",
            hint=f"write {_FOLDER}/{name}.md in templates/; there are: {', '.join(known) or 'none'}",
        )
    try:
        content = known[name].read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise errors.RenderError(f"{known[name]}: {error}") from error
    for found in fields.find(content):
        if found.problem or found.snippet:
            problem = found.problem or "a snippet cannot hold another"
            raise errors.RenderError(f"{known[name]}:{found.line}: {problem}", hint=fields.HINT)
    return content.strip("\n")
