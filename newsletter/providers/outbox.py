"""The outbox: a folder in Maildir layout that takes every message as one ``.eml`` and sends none."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from newsletter import ports
from newsletter.domain import deliveries, errors, messages, verdicts

#: After so many messages others get a turn of the event loop.
_TURN = 50
_UNSAFE = re.compile(r"[^A-Za-z0-9.+@_-]")


@dataclass(frozen=True, kw_only=True)
class OutboxOptions:
    """Where the outbox is, and how sure it is to survive a power cut."""

    path: Path
    #: Whether each file is on the disk before its receipt is given.
    fsync: bool = False


class Outbox:
    """Writes messages to ``tmp`` and links them into ``new``, so that nobody ever sees half of one."""

    Options = OutboxOptions

    def __init__(self, options: OutboxOptions) -> None:
        self._root = Path(options.path)
        self._fsync = options.fsync

    @property
    def limits(self) -> ports.Limits:
        """A folder takes everything, one message at a time."""
        return ports.Limits(utf8_addresses=True)

    async def probe(self) -> str:
        """Make the folders; return where they are.

        Raises:
            ProviderError: they cannot be made or written to.
        """
        try:
            for name in ("tmp", "new", "cur"):
                (self._root / name).mkdir(parents=True, exist_ok=True)
            if not os.access(self._root / "new", os.W_OK | os.X_OK):
                raise PermissionError(13, os.strerror(13))
        except OSError as error:
            raise self._unwritable(error) from error
        return f"the outbox {self._root}"

    async def send(self, feed: ports.Feed) -> None:
        """Write every message of the feed to the folder.

        Raises:
            ProviderError: the folder cannot be written to; the message in hand is put back.
        """
        await self.probe()
        count = 0
        while await feed.ready():
            while (message := feed.take()) is not None:
                self._take_in(message, feed)
                count += 1
                if count % _TURN == 0:
                    await asyncio.sleep(0)
            await asyncio.sleep(0)

    def _take_in(self, message: messages.Message, feed: ports.Feed) -> None:
        try:
            path = self._write(message)
        except OSError as error:
            feed.put_back(message)
            raise self._unwritable(error) from error
        feed.give(
            deliveries.Receipt(message.delivery, verdicts.ACCEPTED, f"written to {path.name}", path.name)
        )

    def _write(self, message: messages.Message) -> Path:
        name = _UNSAFE.sub("_", message.message_id)[:200] or str(message.delivery)
        draft = self._root / "tmp" / f"{name}.{os.getpid()}"
        try:
            with draft.open("wb") as file:
                file.writelines(message.pieces)
                if self._fsync:
                    file.flush()
                    os.fsync(file.fileno())
            return self._publish(draft, name)
        finally:
            with contextlib.suppress(OSError):
                draft.unlink()

    def _publish(self, draft: Path, name: str) -> Path:
        """Link a file into ``new``; a message sent twice stands there twice."""
        number = 1
        while True:
            path = self._root / "new" / (f"{name}.eml" if number == 1 else f"{name}.{number}.eml")
            try:
                os.link(draft, path)
            except FileExistsError:
                number += 1
                continue
            self._sync_folder()
            return path

    def _sync_folder(self) -> None:
        if not self._fsync:
            return
        folder = os.open(self._root / "new", os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _unwritable(self, error: OSError) -> errors.ProviderError:
        return errors.ProviderError(
            f"the outbox {self._root} cannot be written: {error.strerror or error}",
            hint="free some space or mend the folder's rights, then send the same mailing again",
        )
