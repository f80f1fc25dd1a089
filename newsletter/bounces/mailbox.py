"""Fetch the mails that came back; each goes only when the caller says that its effect is kept.

A mail that is read again after a crash has the same key, so that its effect can be told from a new one.
"""

from __future__ import annotations

import functools
import hashlib
import time
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

from newsletter.bounces.bell import Bell
from newsletter.domain import errors

#: A reply with a few pictures; what is longer is read up to here.
MAX_BYTES = 20 * 1024 * 1024
SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Incoming:
    """One mail, still in its mailbox."""

    raw: bytes
    #: The same whenever this mail is fetched.
    key: str
    #: Remove it from the mailbox: what it means is kept.
    done: Callable[[], None] = field(repr=False)


class Mailbox(Protocol):
    """Where mails come back to."""

    def fetch(self) -> Iterator[Incoming]:
        """Yield what is there now, oldest first; a mail that is not done stays."""

    def tells(self) -> bool:
        """Say whether `wait` ends when mail comes; it may connect to find out.

        Raises:
            MailboxError: it cannot be reached.
        """

    def wait(self, seconds: float) -> bool:
        """Wait for new mail, at most so long; say whether it is worth looking."""

    def close(self) -> None:
        """Let go of the mailbox; what is done is gone for good now at the latest."""


class Pipe:
    """One mail on a stream, as Postfix and Exim hand it to a program."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def fetch(self) -> Iterator[Incoming]:
        """Yield the mail, if there is one."""
        raw = self._stream.read(MAX_BYTES)
        if raw.strip():
            yield Incoming(raw=raw, key=f"pipe {hashlib.sha256(raw).hexdigest()[:32]}", done=lambda: None)

    def tells(self) -> bool:
        """Say no: nothing more comes."""
        return False

    def wait(self, seconds: float) -> bool:
        """Return at once: nothing more comes."""
        return False

    def close(self) -> None:
        """Leave the stream to its owner."""


class Maildir:
    """A folder with a mail per file, as https://cr.yp.to/proto/maildir.html describes it."""

    def __init__(
        self, folder: Path, *, bell: Bell | None = None, sleep: Callable[[float], object] | None = None
    ) -> None:
        """Take the bell that ends a wait from another thread."""
        if not (folder / "new").is_dir():
            raise errors.MailboxError(
                f"{folder} is no Maildir: it has no folder “new”", hint="look at [bounces] in newsletter.toml"
            )
        self._folder = folder
        self._bell = bell
        self._sleep = sleep or (bell.wait if bell else time.sleep)
        #: The mails that a wait has told of: one that nobody takes out is not told twice.
        self._told: set[str] = set()

    def fetch(self) -> Iterator[Incoming]:
        """Yield every mail, in the order of arrival that their names tell."""
        for path in self._paths():
            try:
                with path.open("rb") as file:
                    raw = file.read(MAX_BYTES)
            except FileNotFoundError:
                # Another reader was faster.
                continue
            # The flags after the colon change, the name before it does not.
            key = f"maildir {path.name.partition(':')[0]}"
            yield Incoming(raw=raw, key=key, done=functools.partial(path.unlink, missing_ok=True))

    def tells(self) -> bool:
        """Say yes: a look into a folder costs next to nothing."""
        return True

    def wait(self, seconds: float) -> bool:
        """Look every second whether something lies there that was not told of before."""
        while not (self._names() - self._told) and seconds > 0 and not (self._bell and self._bell.rung):
            self._sleep(min(1.0, seconds))
            seconds -= 1.0
        there, told = self._names(), self._told
        self._told = there
        return bool(there - told)

    def close(self) -> None:
        """Do nothing: files are closed as they are read."""

    def _names(self) -> set[str]:
        return {path.name.partition(":")[0] for path in self._paths()}

    def _paths(self) -> list[Path]:
        found = [
            path
            for name in ("new", "cur")
            for path in (self._folder / name).glob("*")
            if not path.name.startswith(".") and path.is_file()
        ]
        return sorted(found, key=lambda path: path.name)


def open_mailbox(
    address: str, *, password: str = "", stdin: BinaryIO | None = None, bell: Bell | None = None
) -> Mailbox:
    """Open the mailbox at an address; a bell ends its waits from another thread.

    ``imaps://user@host/INBOX``, ``pop3s://user@host``, ``imap://`` and ``pop3://`` (which insist on STARTTLS,
    except on this machine), ``maildir:/var/mail/bounces``, or ``-`` for one mail on standard input.

    Raises:
        MailboxError: the address means nothing, or the mailbox cannot be reached or will not have us.
    """
    if address == "-" and stdin is not None:
        return Pipe(stdin)
    parts = urllib.parse.urlsplit(address)
    if parts.scheme == "maildir":
        return Maildir(Path(urllib.parse.unquote(parts.path)), bell=bell)
    if parts.scheme in ("imap", "imaps", "pop3", "pop3s") and parts.hostname and parts.username:
        return _open_server(parts, password, bell)
    raise errors.MailboxError(
        f"“{address}” is no mailbox",
        hint="say imaps://user@host/INBOX, pop3s://user@host, maildir:/path or -",
    )


def _open_server(parts: urllib.parse.SplitResult, password: str, bell: Bell | None) -> Mailbox:
    # The protocols are imported where they are spoken: most commands read no mailbox.
    from newsletter.bounces import imap, pop3, servers

    server = servers.Server(
        host=parts.hostname or "",
        port=parts.port,
        user=urllib.parse.unquote(parts.username or ""),
        password=urllib.parse.unquote(parts.password or "") or password,
        tls=parts.scheme.endswith("s"),
    )
    if parts.scheme.startswith("imap"):
        return imap.Imap(server, folder=urllib.parse.unquote(parts.path.strip("/")) or "INBOX", bell=bell)
    return pop3.Pop3(server)
