"""A workspace with an approved issue and three readers, and a mail server for its mailings."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from newsletter import wiring
from newsletter.domain import subscribers
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber

READERS = {"ada@example.net": "Ada Moreno", "bob@example.net": "Bob", "cy@example.com": ""}

ISSUE = """---
volume: 1
number: 1
date: 2026-01-09
---

## The harbour opens its new pier
sources: https://port.example.org/pier

The harbour **opened** a new pier, [says the port](https://port.example.org/pier).
"""

SETTINGS = """
[publication]
title = "Harbour Digest"
url = "https://digest.example.org"
postal_address = "12 Quay Street, Harbourtown"
[sender]
name = "Harbour Digest"
email = "news@example.org"
[schedule]
timezone = "America/New_York"
[delivery]
skip_approval = true
[providers.smtp]
kind = "smtp"
security = "none"
attempts = 1
[providers.outbox]
kind = "outbox"
"""


def make(folder: Path, readers: dict[str, str] | None = None, *, more: str = "") -> wiring.App:
    """Make a workspace, with more settings than the usual ones, and return the application over it."""
    (folder / "newsletter.toml").write_text(SETTINGS + more, encoding="utf-8")
    (folder / ".env").write_text(
        "NEWSLETTER_SIGNING_KEY=0123456789abcdef0123456789abcdef\n", encoding="utf-8"
    )
    (folder / "issues").mkdir()
    (folder / "issues" / "vol-1-1.md").write_text(ISSUE, encoding="utf-8")
    app = wiring.build(folder)
    app.upgrade()
    for address, name in (READERS if readers is None else readers).items():
        join(app, address, name)
    return app


def join(app: wiring.App, address: str, name: str = "") -> Subscriber:
    """Put an active subscriber on the list."""
    one = Subscriber(email=address, name=name, status=Status.ACTIVE, joined_at=app.now())
    return app.directory.add(one, ConsentRecord(status=Status.ACTIVE, at=app.now(), how=How.STAFF))


def leave(app: wiring.App, address: str) -> None:
    """Have a subscriber leave."""
    person = app.directory.find(address)
    assert person is not None
    record = ConsentRecord(status=Status.UNSUBSCRIBED, at=app.now(), how=How.ONE_CLICK)
    app.directory.apply(subscribers.move(person, record))


class Postbox:
    """An SMTP server that keeps what it takes; some recipients it answers as it is told."""

    def __init__(self, replies: dict[str, Sequence[str]]) -> None:
        self.taken: list[tuple[str, bytes]] = []
        #: Called with the number of mails so far, before the answer goes out.
        self.on_mail: Callable[[int], object] = lambda count: None
        self._replies = {address: list(said) for address, said in replies.items()}
        #: Set to break off every connection, and to refuse others.
        self.dead = False
        self.listener: asyncio.AbstractServer | None = None
        #: Cleared to have recipients wait for their answer until it is set again.
        self.gate = threading.Event()
        self.gate.set()

    @property
    def recipients(self) -> list[str]:
        """Return who was mailed."""
        return [address for address, _ in self.taken]

    def message_ids(self) -> list[str]:
        """Return the Message-ID of each mail that was taken."""
        return [re.findall(rb"^Message-ID: (\S+)", raw, re.MULTILINE)[0].decode() for _, raw in self.taken]

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if not self.gate.is_set():
            await asyncio.to_thread(self.gate.wait)
        self._die(server)
        said = self._replies.get(address, [])
        if said:
            return said.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert isinstance(envelope.content, bytes)
        if self._die(server):
            return "421 never heard"
        self.taken.append((envelope.rcpt_tos[0], envelope.content))
        self.on_mail(len(self.taken))
        return f"250 2.0.0 Ok: queued as Q{len(self.taken)}"

    def _die(self, server: SMTP) -> bool:
        if self.dead:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
            if self.listener is not None:
                self.listener.close()
        return self.dead


@contextmanager
def serving(replies: dict[str, Sequence[str]] | None = None) -> Iterator[tuple[Postbox, int]]:
    """Run a server; yield it and its port."""
    postbox = Postbox(replies or {})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
    controller = Controller(postbox, hostname="127.0.0.1", port=port)
    controller.start()
    postbox.listener = controller.server
    try:
        yield postbox, port
    finally:
        postbox.gate.set()
        controller.stop()
