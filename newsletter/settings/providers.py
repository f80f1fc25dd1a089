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


class EmailApi(Options):
    """What every email API has."""

    #: Calls under way at once.
    connections: int = Field(default=2, ge=1, le=64)
    #: Seconds the API may take for one answer.
    timeout: float = Field(default=30.0, gt=0, le=600)
    #: What its webhooks are signed with: a key, a public key or user:password, as the vendor has it.
    webhook_secret: SecretStr = SecretStr("")
    #: The next one, accepted beside the other while the vendor changes over.
    webhook_secret_next: SecretStr = SecretStr("")

    def plain(self, root: Path) -> dict[str, Any]:
        """Return the options as the adapter takes them: what concerns webhooks is for the pages."""
        return {name: value for name, value in super().plain(root).items() if not name.startswith("webhook")}

    def webhook_secrets(self) -> list[str]:
        """Return what a webhook may be signed with."""
        both = (self.webhook_secret.get_secret_value(), self.webhook_secret_next.get_secret_value())
        return [secret for secret in both if secret]


class Postmark(EmailApi):
    """Postmark, by its batch API."""

    kind: Literal["postmark"]
    token: SecretStr = SecretStr("")
    #: A broadcast stream with custom unsubscribe handling.
    stream: str = Field(default="broadcast", min_length=1)
    url: str = "https://api.postmarkapp.com"


class Resend(EmailApi):
    """Resend, by its batch API."""

    kind: Literal["resend"]
    api_key: SecretStr = SecretStr("")
    url: str = "https://api.resend.com"
    connections: int = Field(default=1, ge=1, le=64)


class Mailgun(EmailApi):
    """Mailgun, with recipient variables."""

    kind: Literal["mailgun"]
    api_key: SecretStr = SecretStr("")
    domain: str = Field(min_length=1)
    #: https://api.eu.mailgun.net for the EU region.
    url: str = "https://api.mailgun.net"


class SendGrid(EmailApi):
    """SendGrid, with personalizations."""

    kind: Literal["sendgrid"]
    api_key: SecretStr = SecretStr("")
    #: https://api.eu.sendgrid.com for the EU region.
    url: str = "https://api.sendgrid.com"


class Brevo(EmailApi):
    """Brevo, with message versions."""

    kind: Literal["brevo"]
    api_key: SecretStr = SecretStr("")
    url: str = "https://api.brevo.com"
    connections: int = Field(default=1, ge=1, le=64)


class Ses(EmailApi):
    """Amazon SES v2, with raw messages."""

    kind: Literal["ses"]
    region: str = Field(min_length=1)
    access_key: str = Field(min_length=1)
    secret_key: SecretStr = SecretStr("")
    session_token: SecretStr = SecretStr("")
    configuration_set: str = ""
    #: Another endpoint than the region's own.
    url: str = ""
    connections: int = Field(default=8, ge=1, le=64)
    #: The SNS topic that may tell us of events.
    webhook_topic: str = ""

    def webhook_secrets(self) -> list[str]:
        """Return the topic: SNS signs with its own certificate."""
        return [self.webhook_topic] if self.webhook_topic else []


#: Every kind there is, by its name: what `kind = "…"` may say.
KINDS: dict[str, type[Options]] = {
    "smtp": Smtp,
    "outbox": Outbox,
    "brevo": Brevo,
    "mailgun": Mailgun,
    "postmark": Postmark,
    "resend": Resend,
    "sendgrid": SendGrid,
    "ses": Ses,
}

Provider = Annotated[
    Smtp | Outbox | Brevo | Mailgun | Postmark | Resend | SendGrid | Ses, Field(discriminator="kind")
]
