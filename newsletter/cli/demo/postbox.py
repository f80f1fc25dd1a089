"""A real SMTP server on a free loopback port that keeps each mail as a file under its recipient's name."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from types import TracebackType
from typing import Any

_HOST = "127.0.0.1"


class Postbox:
    """Runs while its ``with`` block runs; ``port`` is where it listens."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> Postbox:
        from aiosmtpd.smtp import SMTP

        self._thread.start()
        keeper = _Keeper(self._folder)
        serving = self._loop.create_server(lambda: SMTP(keeper, loop=self._loop), _HOST, 0)
        self._server = asyncio.run_coroutine_threadsafe(serving, self._loop).result(timeout=10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)

    def mails(self, address: str) -> list[Path]:
        """Return the mails that arrived for an address, oldest first."""
        return sorted((self._folder / address).glob("*.eml"))


class _Keeper:
    """Writes what arrives to ``folder/address/0001.eml``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the library's name
        for address in envelope.rcpt_tos:
            box = self._folder / address
            box.mkdir(parents=True, exist_ok=True)
            path = box / f"{len(list(box.iterdir())) + 1:04d}.eml"
            path.write_bytes(envelope.original_content)
        return "250 2.0.0 Kept"
