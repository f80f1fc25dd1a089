"""What can be set about an SMTP server."""

from __future__ import annotations

import enum
import ipaddress
from dataclasses import dataclass, field

from newsletter.domain import errors
from newsletter.domain.replies import Stage

_LONGEST_PAUSE = 60.0


class Security(enum.StrEnum):
    """How a connection is protected."""

    #: In the clear; a password is only ever sent so to this machine itself.
    NONE = "none"
    STARTTLS = "starttls"
    #: TLS from the first byte (RFC 8314).
    TLS = "tls"


class Auth(enum.StrEnum):
    """By which SASL mechanism we log in."""

    #: PLAIN where offered, else LOGIN.
    AUTO = "auto"
    PLAIN = "plain"
    LOGIN = "login"
    #: The password is an OAuth 2 access token.
    XOAUTH2 = "xoauth2"


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Seconds we wait for each reply: RFC 5321 §4.5.3.2, shortened to what a relay at hand needs."""

    connect: float = 30
    greeting: float = 60
    command: float = 60
    #: Without a byte of a message taken by the other side.
    block: float = 90
    #: After the final dot. The RFC wants 10 minutes: giving up earlier leaves the delivery unknown.
    content: float = 600
    quit: float = 3

    def of(self, stage: Stage) -> float:
        """Return how long to wait for the reply to a stage."""
        if stage is Stage.CONTENT:
            return self.content
        if stage is Stage.GREETING:
            return self.greeting
        return self.quit if stage is Stage.QUIT else self.command


@dataclass(frozen=True, kw_only=True)
class SmtpOptions:
    """One SMTP server and how to speak with it."""

    host: str
    port: int = 25
    security: Security = Security.STARTTLS
    username: str = ""
    password: str = field(default="", repr=False)
    auth: Auth = Auth.AUTO
    connections: int = 4
    #: Messages after which a connection is renewed; 0: never.
    per_connection: int = 1000
    #: Messages in the air at once on a connection where the server takes BDAT (RFC 3030); 0: DATA only.
    window: int = 4
    pipelining: bool = True
    #: Certificates to trust beside the system's, and whether the server's is checked at all.
    ca_file: str = ""
    verify: bool = True
    #: The name we greet with; empty: this machine's own, or its address.
    helo: str = ""
    #: Failed attempts to connect, or connections lost without a single answer, in a row.
    attempts: int = 5
    #: Seconds before the first new attempt; doubled each time, up to a minute.
    backoff: float = 0.5
    timeouts: Timeouts = field(default_factory=Timeouts)

    def __post_init__(self) -> None:
        object.__setattr__(self, "security", Security(self.security))
        object.__setattr__(self, "auth", Auth(self.auth))
        for name, low, high in (("port", 1, 65535), ("connections", 1, 1000), ("window", 0, 1000)):
            if not low <= getattr(self, name) <= high:
                raise errors.ProviderError(f"{name} is {getattr(self, name)}, not one of {low} to {high}")
        if bool(self.username) != bool(self.password):
            missing = "password" if self.username else "username"
            raise errors.ProviderError(f"a login at {self.server} needs a {missing} too")

    def pause(self, failures: int, *, slot: int) -> float:
        """Return how many seconds to wait after so many failures in a row.

        Slots wait a little apart from each other, so that a server coming up is not met by all at once.
        """
        wait = min(self.backoff * 2.0 ** (min(failures, 16) - 1), _LONGEST_PAUSE)
        return wait * (1 + slot / self.connections / 2)

    @property
    def server(self) -> str:
        """The server as errors name it."""
        return f"{self.host}:{self.port}"

    @property
    def is_local(self) -> bool:
        """Whether the server is this machine, so that nobody listens on the way."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"
