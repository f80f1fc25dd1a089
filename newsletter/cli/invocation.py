"""What was typed before the noun, and the application it leads to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import typer

from newsletter import wiring


@dataclass
class Invocation:
    """The global options of one run; the application is looked for when a command first asks for it."""

    #: Where the workspace is looked for, upwards; the current folder when `-C` was not given.
    directory: Path | None = None
    #: Show tracebacks.
    debug: bool = False

    @cached_property
    def app(self) -> wiring.App:
        """The application over the workspace that holds the directory.

        Raises `WorkspaceError` where no folder upwards holds a `newsletter.toml`.
        """
        return wiring.build(self.directory or Path.cwd())

    def close(self) -> None:
        """Close what the command opened."""
        if "app" in self.__dict__:
            self.app.close()


def of(ctx: typer.Context) -> Invocation:
    """Return the invocation that a command runs in."""
    invocation = ctx.find_object(Invocation)
    assert invocation is not None, "commands run under newsletter.cli.main.run"
    return invocation
