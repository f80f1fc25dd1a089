"""What `[providers.NAME]` may say, by its `kind`: one model a kind, and the one table of kinds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from newsletter.settings import durations

Duration = Annotated[timedelta, BeforeValidator(durations.parse)]


class Section(BaseModel):
    """A table of newsletter.toml: frozen, and without keys that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Smtp(Section):
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
    #: How long the server may take for one answer.
    timeout: Duration = timedelta(seconds=60)


class Outbox(Section):
    """A folder: every message becomes a file, nobody is mailed."""

    kind: Literal["outbox"]
    #: Relative to the workspace.
    path: str = Field(default="outbox", min_length=1)

    def folder(self, root: Path) -> Path:
        """Return the folder the messages go to."""
        return root / self.path


#: Every kind there is, by its name: what `kind = "…"` may say.
KINDS: dict[str, type[Section]] = {"smtp": Smtp, "outbox": Outbox}

Provider = Annotated[Smtp | Outbox, Field(discriminator="kind")]
