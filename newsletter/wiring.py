"""Put the house together: the one place that knows concrete classes; clock, randomness and ids are born here.

Everything hangs on `App` as a `cached_property` that imports what it builds when it is first asked for, so
that a command pays for the rooms it enters and no others. To wire a room: add a property, typed by its port.
"""

from __future__ import annotations

import random
import uuid
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from newsletter.settings import workspace


def now() -> datetime:
    """Return the time: the one clock of the application."""
    return datetime.now(UTC)


class App:
    """The application over one workspace."""

    def __init__(self, place: workspace.Workspace) -> None:
        self.workspace = place

    @cached_property
    def rng(self) -> random.Random:
        """Randomness for back-off and jitter, never for secrets."""
        return random.Random()  # noqa: S311 - jitter is no secret

    @staticmethod
    def now() -> datetime:
        """Return the time: the one clock of the application."""
        return now()

    @staticmethod
    def new_id() -> str:
        """Return an id that no other call has returned."""
        return uuid.uuid4().hex


def build(directory: Path) -> App:
    """Return the application over the workspace that `directory` lies in.

    Raises:
        WorkspaceError: there is none.
    """
    return App(workspace.find(directory))
