"""The tables of newsletter.toml: their keys, types and defaults, and the records they become."""

from __future__ import annotations

from datetime import date, time
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, model_validator

from newsletter.domain import cadence, publications
from newsletter.settings import durations, values
from newsletter.settings.providers import Duration, Section


class Publication(Section):
    """`[publication]`: what stays the same from issue to issue."""

    title: str = Field(min_length=1)
    url: values.Url = "http://localhost:8000"
    language: values.Language = "en"
    postal_address: str = ""
    contact: str = ""
    about: str = ""


class Sender(Section):
    """`[sender]`: the mailbox a mailing comes from."""

    name: str = ""
    email: values.Address
    reply_to: values.OptionalAddress = ""


class Schedule(Section):
    """`[schedule]`: the rhythm of the issues."""

    every: values.Every = "2 weeks"
    on: values.Weekday | None = None
    at: values.Hour = time(9)
    timezone: values.Zone = ZoneInfo("UTC")
    first: date | None = None

    @model_validator(mode="after")
    def _falls_on_its_day(self) -> Self:
        if self.first and self.on and values.WEEKDAYS[self.first.weekday()] != self.on:
            actual = values.WEEKDAYS[self.first.weekday()]
            raise ValueError(f"first = {self.first} is a {actual}, and on says {self.on}")
        return self

    def cadence(self) -> cadence.Cadence | None:
        """Return the rhythm, or None where no first date starts it."""
        if self.first is None:
            return None
        count, unit = durations.every(self.every)
        return cadence.Cadence(every=count, unit=unit, first=self.first, at=self.at, zone=self.timezone)


class Delivery(Section):
    """`[delivery]`: how a mailing goes out."""

    provider: str = "smtp"
    #: Messages a second; 0: as fast as the provider takes them.
    rate: float = Field(default=0, ge=0)
    max_late: Duration = durations.parse("6h")
    after_crash: Literal["resend", "hold"] = "resend"
    #: Send issues that nobody approved.
    skip_approval: bool = False


class Database(Section):
    """`[database]`: where the people are."""

    #: May hold a password, and then comes from the environment.
    url: values.DatabaseUrl = SecretStr("sqlite:///subscribers.db")

    def resolved(self, root: Path) -> str:
        """Return the address with SQLite's path made absolute; password and all."""
        url = self.url.get_secret_value()
        path = url.removeprefix("sqlite:///")
        return url if path in {url, "", ":memory:"} else f"sqlite:///{root / path}"


class Tracking(Section):
    """`[tracking]`: what readers are watched for; nothing, unless it is switched on."""

    opens: bool = False
    clicks: bool = False


class Web(Section):
    """`[web]`: where `newsletter serve` listens."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8000, ge=0, le=65535)


def publication(section: Publication, sender: Sender) -> publications.Publication:
    """Return the publication that two tables describe."""
    return publications.Publication(
        title=section.title,
        url=section.url,
        language=section.language,
        postal_address=section.postal_address,
        contact=section.contact or sender.reply_to or sender.email,
        about=section.about,
        sender=publications.Sender(
            name=sender.name or section.title, email=sender.email, reply_to=sender.reply_to
        ),
    )
