"""What IMAP and POP3 have in common: where a server is, how it is secured, and how its failures are told."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field

from newsletter.domain import errors

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, kw_only=True)
class Server:
    """A mail server and our account on it."""

    host: str
    #: None: the protocol's own.
    port: int | None
    user: str
    password: str = field(repr=False)
    #: TLS from the first byte (RFC 8314); otherwise STARTTLS.
    tls: bool
    #: Certificates to trust; None: the system's.
    context: ssl.SSLContext | None = None

    @property
    def must_be_secured(self) -> bool:
        """Whether a password may not travel in the clear: everywhere but on this machine."""
        return self.host not in _LOCAL

    def tls_context(self) -> ssl.SSLContext:
        """Return the TLS settings."""
        return self.context or ssl.create_default_context()

    def __str__(self) -> str:
        return f"{self.user} on {self.host}"

    def refuse_plain(self) -> errors.MailboxError:
        """Return the error of a server that offers no encryption."""
        return errors.MailboxError(
            f"{self.host} offers no STARTTLS, and the password would travel in the clear",
            hint="use the address with s: imaps:// or pop3s://",
        )


@contextlib.contextmanager
def told(server: Server, doing: str, *failures: type[Exception]) -> Iterator[None]:
    """Turn a protocol's own errors, and the network's, into one that a person can read."""
    caught: tuple[type[Exception], ...] = (*failures, OSError, EOFError, UnicodeError)
    try:
        yield
    except caught as error:
        detail = error.args[0] if error.args else ""
        said = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(error)
        raise errors.MailboxError(
            f"cannot {doing} the mailbox of {server}: {said or type(error).__name__}",
            hint="look at [bounces] in newsletter.toml and at the password in .env",
        ) from error
