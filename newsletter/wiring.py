"""Put the house together: the one place that knows concrete classes; clock, randomness and ids are born here.

Everything hangs on `App` as a `cached_property` that imports what it builds when it is first asked for, so
that a command pays for the rooms it enters and no others. To wire a room: add a property, typed by its port.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from newsletter.domain import publications, tokens
from newsletter.settings import workspace

if TYPE_CHECKING:
    from newsletter.settings.model import Settings


def now() -> datetime:
    """Return the time: the one clock of the application."""
    return datetime.now(UTC)


class App:
    """The application over one workspace."""

    def __init__(self, place: workspace.Workspace, options: Mapping[str, Any]) -> None:
        self.workspace = place
        self.options = options

    @cached_property
    def settings(self) -> Settings:
        """Return the settings: newsletter.toml, then .env, the environment and `options`."""
        from newsletter.settings import reading

        return reading.read(self.workspace, self.options)

    @cached_property
    def publication(self) -> publications.Publication:
        """Return the publication."""
        return self.settings.record()

    @cached_property
    def signer(self) -> tokens.Signer:
        """Return what signs every link that acts for a subscriber."""
        return tokens.Signer(self.settings.key())

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


def build(directory: Path, options: Mapping[str, Any] | None = None) -> App:
    """Return the application over the workspace that `directory` lies in.

    `options` are settings above all others, nested as the tables are: `{"delivery": {"rate": 5}}`.

    Raises:
        WorkspaceError: there is none.
    """
    return App(workspace.find(directory), options or {})
