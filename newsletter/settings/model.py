"""All settings of a workspace, as one frozen record."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from newsletter.domain import errors, publications
from newsletter.settings import appearance, editorial, lists, sections
from newsletter.settings.providers import Provider

PREFIX = "NEWSLETTER_"
NESTED = "__"
KEY_HINT = 'python3 -c "import secrets; print(secrets.token_urlsafe(32))" makes one for .env'
#: 256 bits in base64 are 43 characters; half of them would still be out of reach, a word is not.
SHORTEST_KEY = 22

ProviderName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Settings(BaseSettings):
    """What newsletter.toml says, then the environment, then options."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter=NESTED,
        env_file_encoding="utf-8",
        # .env may hold variables of other programs; top-level keys of the toml are checked in `mistakes`.
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    publication: sections.Publication
    sender: sections.Sender
    schedule: sections.Schedule = sections.Schedule()
    deadlines: editorial.Deadlines = editorial.Deadlines()
    people: editorial.People = editorial.People()
    inbox: editorial.Inbox = editorial.Inbox()
    feeds: dict[ProviderName, editorial.Feed] = {}
    delivery: sections.Delivery = sections.Delivery()
    providers: dict[ProviderName, Provider] = {}
    database: sections.Database = sections.Database()
    tracking: sections.Tracking = sections.Tracking()
    audience: sections.Audience = sections.Audience()
    topics: lists.Topics = {}
    attributes: lists.Attributes = {}
    audiences: lists.Audiences = {}
    web: sections.Web = sections.Web()
    bounces: sections.Bounces = sections.Bounces()
    dkim: sections.Dkim = sections.Dkim()
    theme: appearance.Theme = appearance.Theme()
    #: Signs every link that acts for a subscriber. Environment only.
    signing_key: SecretStr = SecretStr("")

    def record(self) -> publications.Publication:
        """Return the publication as the domain knows it."""
        return sections.publication(self.publication, self.sender)

    def provider(self, name: str = "") -> Provider:
        """Return the options of a provider, by default of the one that delivers.

        Raises:
            UsageError: there is none of that name.
        """
        try:
            return self.providers[name or self.delivery.provider]
        except KeyError:
            known = ", ".join(sorted(self.providers)) or "none"
            raise errors.UsageError(f"there is no provider “{name}”", hint=f"known are: {known}") from None

    def key(self) -> bytes:
        """Return the signing key.

        Raises:
            SettingsError: there is none, or one short enough to guess.
        """
        key = self.signing_key.get_secret_value()
        if len(key) >= SHORTEST_KEY:
            return key.encode()
        fault = "is too short to keep anyone out" if key else "is not set"
        problem = errors.Problem(path="environment", line=0, message=f"{PREFIX}SIGNING_KEY {fault}")
        raise errors.SettingsError([problem], hint=KEY_HINT)
