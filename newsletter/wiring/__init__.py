"""Put the house together: the one place that knows concrete classes; clock, randomness and ids are born here.

Everything hangs on `App` as a `cached_property` that imports what it builds when it is first asked for, so
that a command pays for the rooms it enters and no others. To wire a room: add a property, typed by its port,
to the part of the house that it belongs to.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from newsletter.settings import workspace
from newsletter.wiring.foundation import now
from newsletter.wiring.reading import Reading

__all__ = ["App", "build", "now", "packaged_templates"]


class App(Reading):
    """The application over one workspace."""


def packaged_templates() -> Path:
    """Return the folder of the templates that travel with the program."""
    from newsletter.rendering import theme

    return theme.packaged().folders[0]


def build(directory: Path, options: Mapping[str, Any] | None = None) -> App:
    """Return the application over the workspace that `directory` lies in.

    `options` are settings above all others, nested as the tables are: `{"delivery": {"rate": 5}}`.

    Raises:
        WorkspaceError: there is none.
    """
    return App(workspace.find(directory), options or {})
