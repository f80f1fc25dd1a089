"""What every part of the house stands on: settings, keys, database, clock, randomness and ids."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

from newsletter.domain import tokens
from newsletter.settings import workspace

if TYPE_CHECKING:
    from newsletter import ports
    from newsletter.domain import publications
    from newsletter.settings.model import Settings
    from newsletter.store.allowances import StoredLimiter
    from newsletter.store.database import Database
    from newsletter.subscribing import registrar, selecting


def now() -> datetime:
    """Return the time: the one clock of the application."""
    return datetime.now(UTC)


class Foundation:
    """The workspace and what is built on it alone."""

    """The application over one workspace."""

    def __init__(self, place: workspace.Workspace, options: Mapping[str, Any]) -> None:
        self.workspace = place
        self.options = options

    def anew(self) -> Self:
        """Return the application over the same workspace, its settings still to be read."""
        return type(self)(self.workspace, self.options)

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
    def database(self) -> Database:
        """Return the database; nothing is opened yet."""
        from newsletter.store.database import Database

        return Database(self.settings.database.url.get_secret_value(), folder=self.workspace.root)

    def close(self) -> None:
        """Close what was opened on the way."""
        if "database" in self.__dict__:
            self.database.close()

    @cached_property
    def audiences(self) -> selecting.Audiences:
        """Return the saved audiences, and the words that rules may use."""
        from newsletter.domain import audiences
        from newsletter.subscribing import selecting

        words = audiences.Vocabulary(topics=self.settings.topics, attributes=self.settings.attributes)
        return selecting.Audiences(saved=self.settings.audiences, words=words)

    @cached_property
    def directory(self) -> ports.Directory:
        """Return the directory of subscribers.

        Raises:
            StoreError: the database is unreachable, or not migrated to this version.
        """
        from newsletter.store.directory import StoredDirectory

        self.database.require_current()
        return StoredDirectory(self.database, self.signer.keyed_hash)

    @cached_property
    def registrar(self) -> registrar.Registrar:
        """Return what staff do with the list as a whole.

        Raises:
            StoreError: the database is unreachable, or not migrated to this version.
        """
        from newsletter.store.registrar import StoredRegistrar

        self.database.require_current()
        return StoredRegistrar(self.database)

    @cached_property
    def ledger(self) -> ports.Ledger:
        """Return the ledger of mailings and deliveries.

        Raises:
            StoreError: the database is unreachable, or not migrated to this version.
        """
        from newsletter.store.ledger import StoredLedger

        self.database.require_current()
        return StoredLedger(self.database, self.signer.keyed_hash)

    @cached_property
    def limiter(self) -> StoredLimiter:
        """Return what counts how often something was done, by all processes on the database."""
        from newsletter.store.allowances import StoredLimiter

        return StoredLimiter(self.database, self.signer.keyed_hash)

    def today(self) -> date:
        """Return the day that it is where the publication is."""
        return self.now().astimezone(self.settings.schedule.timezone).date()

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
