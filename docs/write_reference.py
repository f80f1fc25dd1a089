"""Write docs/cli.md from the commands themselves; tests/test_docs.py holds the two together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from newsletter.cli import main, nouns

REFERENCE = Path(__file__).parent / "cli.md"
WIDTH = 100
HEAD = """\
# Commands

Written by `make docs` from the commands themselves: what `--help` says, all on one page.
"""


def commands() -> Iterator[tuple[typer.Context, Any]]:
    """Yield every command and group with the context it is called in, in the order `--help` lists them."""
    group = typer.main.get_command(main.app)
    top = typer.Context(group, info_name="newsletter", max_content_width=WIDTH, terminal_width=WIDTH)
    yield top, group
    for name in nouns.NOUNS:
        command = nouns.load(name)
        context = typer.Context(command, info_name=name, parent=top)
        yield context, command
        for verb, inner in sorted(getattr(command, "commands", {}).items()):
            yield typer.Context(inner, info_name=verb, parent=context), inner


def reference() -> str:
    """Return the whole reference."""
    parts = [HEAD]
    for context, command in commands():
        level = "###" if context.command_path.count(" ") == 2 else "##"
        parts.append(
            f"{level} {context.command_path}\n\n```text\n{_trimmed(command.get_help(context))}\n```\n"
        )
    return "\n".join(parts)


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


if __name__ == "__main__":
    REFERENCE.write_text(reference(), encoding="utf-8")
