"""Arrange with a vendor that it reports to us: what to paste where, or the webhook made by its API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from newsletter.domain import errors
from newsletter.domain.arrangements import Arrangement
from newsletter.providers import answers, enrolling, judging
from newsletter.providers.answers import Answer, Call
from newsletter.providers.http_api import HttpProvider

#: What stands in .env until the vendor's pages tell it.
_FROM_THERE = "(what the page shows)"


def of_server(mailbox: str, sender: str) -> Arrangement:
    """Return what there is to arrange with a server that takes mail by SMTP: its bounces come by mail."""
    read = f"read from {mailbox}" if mailbox else "read from nowhere yet: set mailbox under [bounces]"
    domain = sender.rpartition("@")[2]
    return Arrangement(
        url="",
        steps=(
            f"Mail comes back to bounce+TOKEN@{domain} and unsubscribe@{domain}; it is {read}.",
            "Have the mail server deliver both, with whatever stands after the plus, into that mailbox, or",
            "pipe them, in Postfix's aliases:",
            '  bounce: "|newsletter -C /path/to/workspace feedback read -"',
            '  unsubscribe: "|newsletter -C /path/to/workspace feedback read -"',
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Office:
    """The arrangement with one email API."""

    provider: HttpProvider
    kind: str
    #: Where it is to report to, and the variable of .env that its secret stands in.
    url: str
    variable: str
    #: A secret of our own making, ``user:password``, for vendors that sign nothing.
    secret: str
    now: datetime

    @property
    def desk(self) -> enrolling.Desk:
        """The vendor's desk."""
        return enrolling.DESKS[self.kind](self.provider.api, now=self.now)

    def by_hand(self) -> Arrangement:
        """Return what to paste where."""
        env = (
            {}
            if self.kind == "ses"
            else {self.variable: self.secret if self.desk.own_secret else _FROM_THERE}
        )
        return Arrangement(url=self.url, steps=self.desk.paste(self.url, self.secret), env=env)

    async def by_api(self) -> Arrangement:
        """Make the webhook.

        Raises:
            ProviderError: the vendor has no API for it, refuses, or has it already.
        """
        desk = self.desk
        calls = desk.creation(self.url, self.secret)
        if not calls:
            raise errors.ProviderError(
                f"{self.provider.api.name} makes no webhooks by API",
                hint="leave --create out to see the steps",
            )
        await self._refuse_twice(desk.hooks())
        made = [await self._made(call) for call in calls]
        sealed = desk.sealing(made)
        if isinstance(sealed, Call):
            answer = await self.provider.ask(sealed)
            sealed = _secret_in(answer) if answer.ok else ""
        secret = self.secret if desk.own_secret else sealed
        done = f"{self.provider.api.name} reports to {self.url} from now on."
        return Arrangement(url=self.url, steps=(done,), env={self.variable: secret or _FROM_THERE})

    async def _made(self, call: Call) -> Answer:
        answer = await self.provider.ask(call)
        if not answer.ok:
            raise errors.ProviderRefusedError(
                f"{self.provider.api.name} did not make the webhook: {answer.status} {answers.said(answer)}",
                hint="leave --create out to see how it is done by hand",
            )
        return answer

    async def _refuse_twice(self, listing: Call | None) -> None:
        if listing is None:
            return
        answer = await self.provider.ask(listing)
        if answer.ok and self.url in judging.texts(answer.json()):
            raise errors.ProviderError(
                f"{self.provider.api.name} reports to {self.url} already",
                hint="remove that webhook in its pages to make a new one",
            )


def _secret_in(answer: Answer) -> str:
    plain = answer.json()
    found = plain if isinstance(plain, dict) else {}
    return str(found.get("public_key") or found.get("http_signing_key") or "")
