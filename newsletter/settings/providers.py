"""What `[providers.NAME]` may say, by its `kind`: one model a kind, and the one table of kinds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from newsletter.settings import durations

Duration = Annotated[timedelta, BeforeValidator(durations.parse)]


class Section(BaseModel):
    """A table of newsletter.toml: frozen, and without keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Options(Section):
    """What every kind of provider has."""

    kind: str
    #: Names of the options that are paths relative to the workspace.
    _paths: ClassVar[frozenset[str]] = frozenset()

    def plain(self, root: Path) -> dict[str, Any]:
        """Return the options as the adapter takes them: paths absolute, secrets readable."""
        values = {name: getattr(self, name) for name in type(self).model_fields if name != "kind"}
        for name, value in values.items():
            if isinstance(value, SecretStr):
                values[name] = value.get_secret_value()
            elif name in self._paths and value:
                values[name] = str(root / value)
        return values


class Smtp(Options):
    """A server that takes messages by SMTP."""

    kind: Literal["smtp"]
    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=25, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    #: Connections held open at once.
    connections: int = Field(default=4, ge=1, le=100)
    #: AUTH is tried when a name is given.
    username: str = ""
    password: SecretStr = SecretStr("")
    #: Whether the server's certificate is checked.
    verify: bool = True
    #: A PEM file of further authorities to trust, relative to the workspace.
    ca_file: str = ""
    #: The SASL mechanism; "xoauth2" takes an access token for the password.
    auth: Literal["auto", "plain", "login", "xoauth2"] = "auto"
    #: Messages after which a connection is renewed; 0: never.
    per_connection: int = Field(default=1000, ge=0)
    #: Messages in the air at once on a connection whose server takes BDAT (RFC 3030); 0: DATA only.
    window: int = Field(default=4, ge=0, le=1000)
    pipelining: bool = True
    #: The name we greet with; empty: this machine's own.
    helo: str = ""
    #: Failed attempts to connect in a row before a mailing is paused.
    attempts: int = Field(default=5, ge=1)
    _paths: ClassVar[frozenset[str]] = frozenset({"ca_file"})


class Outbox(Options):
    """A folder: every message becomes a file, nobody is mailed."""

    kind: Literal["outbox"]
    #: Relative to the workspace.
    path: str = Field(default="outbox", min_length=1)
    #: Whether each file is on the disk before its receipt is given.
    fsync: bool = False
    _paths: ClassVar[frozenset[str]] = frozenset({"path"})


#: Every kind there is, by its name: what `kind = "…"` may say.
KINDS: dict[str, type[Options]] = {"smtp": Smtp, "outbox": Outbox}

Provider = Annotated[Smtp | Outbox, Field(discriminator="kind")]
