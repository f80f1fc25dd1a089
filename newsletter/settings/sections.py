"""The tables of newsletter.toml: their keys, types and defaults, and the records they become."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from datetime import date, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationInfo, field_validator

from newsletter.domain import cadence, errors, feedback, publications
from newsletter.settings import durations, editorial, values
from newsletter.settings.providers import Duration, Section


class Publication(Section):
    """`[publication]`: what stays the same from issue to issue."""

    title: Annotated[values.Line, Field(min_length=1)]
    url: values.Url = "http://localhost:8000"
    language: values.Language = "en"
    postal_address: str = ""
    contact: values.Line = ""
    about: str = ""


class Sender(Section):
    """`[sender]`: the mailbox a mailing comes from."""

    name: values.Line = ""
    email: values.Address
    reply_to: values.OptionalAddress = ""


class Schedule(Section):
    """`[schedule]`: the rhythm of the issues."""

    every: str = "2 weeks"
    #: A weekday; where months are counted also `15` or `last Friday`.
    on: str = ""
    at: values.Hour = time(9)
    timezone: values.Zone = ZoneInfo("UTC")
    first: date | None = None
    #: Days or ranges on which nothing comes out: `2026-12-24..2027-01-02`.
    skip: tuple[str, ...] = ()
    #: Countries whose public holidays are looked at.
    holidays: tuple[editorial.Country, ...] = ()
    #: An issue day that is a holiday is told of, or moves to the working day before or after.
    on_holiday: editorial.OnHoliday = "warn"
    #: `yearly`: the first issue of a calendar year opens the next volume.
    volume: editorial.Volume = "manual"

    @field_validator("every", "on", "skip")
    @classmethod
    def _is_a_rule(cls, value: Any, info: ValidationInfo) -> Any:
        try:
            if info.field_name == "every":
                cadence.interval(value)
            elif info.field_name == "skip":
                [cadence.span(text) for text in value]
            elif "every" in info.data:
                cadence.days_named(value, cadence.interval(info.data["every"])[1])
        except errors.NewsletterError as error:
            raise ValueError(f"{error}; {error.hint}") from error
        return value

    def cadence(self) -> cadence.Cadence:
        """Return the rhythm; it has no first day where none is set."""
        count, unit = cadence.interval(self.every)
        weekday, day_of_month, ordinal = cadence.days_named(self.on, unit)
        return cadence.Cadence(
            every=count,
            unit=unit,
            first=self.first,
            at=self.at,
            zone=self.timezone,
            weekday=weekday,
            day_of_month=day_of_month,
            ordinal=ordinal,
            skip=tuple(cadence.span(text) for text in self.skip),
        )


class WarmUp(Section):
    """`[delivery.warm_up]`: the daily cap of a new sender."""

    start: int = Field(ge=1)
    growth: float = Field(default=1.25, ge=1)


class Delivery(Section):
    """`[delivery]`: how a mailing goes out."""

    provider: str = "smtp"
    #: Who goes on, in this order, with what the provider certainly did not accept.
    fallback: tuple[str, ...] = ()
    #: Messages a second; 0: as fast as the provider takes them.
    rate: float = Field(default=0, ge=0)
    max_late: Duration = durations.parse("6h")
    after_crash: Literal["resend", "hold"] = "resend"
    #: Send issues that nobody approved.
    skip_approval: bool = False
    #: Domain → messages a second.
    domain_rates: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)
    warm_up: WarmUp | None = None
    #: Processes that share a mailing, at most; by default one on SQLite, and sixteen on PostgreSQL.
    senders: int | None = Field(default=None, ge=1, le=1000)
    #: Messages that a killed process may leave in doubt.
    window: int = Field(default=64, ge=1, le=10_000)
    #: What mailings are sent on: uvloop takes less processor time for long messages without TLS.
    event_loop: Literal["asyncio", "uvloop"] = "asyncio"
    #: Waits before each further try; the last one repeats until `give_up`.
    retry: tuple[Duration, ...] = Field(
        default=tuple(durations.parse(wait) for wait in ("5m", "15m", "30m", "1h", "2h", "4h", "8h")),
        min_length=1,
    )
    give_up: Duration = durations.parse("24h")
    #: Failures in a row after which a mailing pauses by itself.
    pause_after: int = Field(default=50, ge=1)
    #: Share of addresses refused as dead, of 200 or more, at which it does.
    pause_when_dead: float = Field(default=0.05, gt=0, le=1)


class Database(Section):
    """`[database]`: where the people are."""

    #: May hold a password, and then comes from the environment.
    url: values.DatabaseUrl = SecretStr("sqlite:///subscribers.db")


class Tracking(Section):
    """`[tracking]`: what readers are watched for; nothing, unless it is switched on."""

    opens: bool = False
    clicks: bool = False


class Audience(Section):
    """`[audience]`: what is known of the readers."""

    #: Shares by mail program, as ``{"gmail" = 0.3, "outlook.windows" = 0.2}``; the checks weigh by them.
    clients: Mapping[str, Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=dict)

    @field_validator("clients")
    @classmethod
    def _are_known(cls, shares: Mapping[str, float]) -> Mapping[str, float]:
        if shares:
            from newsletter.checking import clients

            try:
                clients.weights(shares)
            except errors.SettingsError as error:
                raise ValueError(f"{error.problems[0].message}; {error.hint}") from error
            if sum(shares.values()) > 1.0001:
                raise ValueError("the shares add up to more than 1")
        return shares


class Web(Section):
    """`[web]`: where `newsletter serve` listens."""

    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8000, ge=0, le=65535)
    #: Proxies, as addresses or networks, whose X-Forwarded-For names the visitor.
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    #: What of a visitor's address stands in the record of their consent: its network, or nothing.
    visitor_addresses: Literal["truncated", "off"] = "truncated"

    @field_validator("trusted_proxies")
    @classmethod
    def _are_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            try:
                ipaddress.ip_network(each, strict=False)
            except ValueError as error:
                raise ValueError(f"{each!r} is no address or network; write 10.0.0.0/8") from error
        return value

    def trusted_networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """Return the proxies as networks."""
        return tuple(ipaddress.ip_network(each, strict=False) for each in self.trusted_proxies)


class Dkim(Section):
    """`[dkim]`: who signs, and with what. Relays and providers sign by themselves."""

    #: Where the public key stands: `SELECTOR._domainkey.DOMAIN`.
    selector: str = Field(default="", pattern=r"^[A-Za-z0-9.-]*$")
    #: Empty: the sender's.
    domain: str = Field(default="", pattern=r"^[A-Za-z0-9.-]*$")
    #: A private RSA key in PEM, relative to the workspace: mail by SMTP is signed with it.
    key_file: str = ""

    @field_validator("key_file")
    @classmethod
    def _has_a_selector(cls, value: str, info: ValidationInfo) -> str:
        if value and not info.data.get("selector"):
            raise ValueError("a key needs the selector that its public half is published under")
        return value


class Bounces(Section):
    """`[bounces]`: where mails come back to, and when an address is given up."""

    #: imaps://user@host/INBOX, pop3s://user@host or maildir:/path; empty: none is read.
    mailbox: str = ""
    password: SecretStr = SecretStr("")
    #: How often `serve` looks where the server cannot tell.
    every: Duration = durations.parse("5m")
    #: Who gets what people write back; empty: the contact of the publication.
    forward_to: values.OptionalAddress = ""
    #: Soft bounces in a row, over at least so many issues and days, after which an address is given up.
    soft_limit: int = Field(default=5, ge=1)
    soft_issues: int = Field(default=3, ge=1)
    soft_days: int = Field(default=14, ge=0)
    #: A mailing pauses when more than this share of its addresses do not exist, or complain.
    hard_share: float = Field(default=0.05, gt=0, le=1)
    complaint_share: float = Field(default=0.003, gt=0, le=1)

    def policy(self) -> feedback.Policy:
        """Return the policy for what comes back."""
        return feedback.Policy(
            soft_limit=self.soft_limit,
            soft_issues=self.soft_issues,
            soft_days=self.soft_days,
            hard_share=self.hard_share,
            complaint_share=self.complaint_share,
        )


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
