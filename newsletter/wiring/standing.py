"""What tells how the house stands with the world: DNS, pages, providers, and a test mail."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from newsletter.domain import errors
from newsletter.domain.diagnoses import Diagnosis
from newsletter.wiring.returns import Returns

if TYPE_CHECKING:
    from newsletter.domain import messages
    from newsletter.domain.arrangements import Arrangement
    from newsletter.providers import arranging
    from newsletter.sending.standing import examination, names, pages, sender


class Standing(Returns):
    """The rooms where the doctor looks."""

    @cached_property
    def zone(self) -> names.Zone:
        """Return the DNS."""
        from newsletter.providers import dns

        return dns.Resolver()

    @cached_property
    def page_asker(self) -> pages.Asker:
        """Return what asks our own pages as a mail program does."""
        from newsletter.providers import page_asker

        return page_asker.PageAsker()

    @cached_property
    def case(self) -> examination.Case:
        """Return what is to be examined, as far as the settings tell.

        Raises:
            ProviderError: the key of our own signatures cannot be read.
        """
        from newsletter.sending.standing import examination, trial

        publication, settings = self.publication, self.settings
        key = self.dkim_key
        return examination.Case(
            domain=publication.sender.domain,
            kind=settings.provider().kind,
            signs_as=settings.dkim.domain,
            selectors=[settings.dkim.selector] if settings.dkim.selector else [],
            public_key=key.public if key else "",
            mailbox=settings.bounces.mailbox,
            leave_url=trial.leave_url(publication, self.signer),
            contact=f"postmaster@{publication.sender.domain}",
            opens=settings.tracking.opens,
            clicks=settings.tracking.clicks,
        )

    def examine(self) -> Iterator[Diagnosis]:
        """Yield what is found about every concern that the world has with us."""
        import dataclasses

        from newsletter.sending.standing import examination

        provider = self.bare_provider()
        import asyncio

        met = asyncio.run(self._meet(provider))
        case = dataclasses.replace(self.case, server=self._server(provider))
        yield from examination.examine(case, self.zone, self.page_asker, met, now=self.now())

    def read_letter(self, raw: bytes) -> Iterator[Diagnosis]:
        """Yield what is to be said about a mail of ours as it arrived.

        Raises:
            UsageError: it is no mail.
        """
        from newsletter.sending.standing import letter, pages

        found = letter.read(raw)
        yield from letter.judge(found, letter.aligner(self.zone))
        if found.one_click_url.startswith(f"{self.publication.url}/u/"):
            # Asked with nobody's token: the link of a real issue would unsubscribe whoever got it.
            yield pages.one_click(self.case.leave_url, self.page_asker)[0]
        elif found.one_click_url:
            yield pages.ONE_CLICK.untold(
                f"{found.one_click_url} is not asked: it is not under {self.publication.url}, and might act"
            )

    def send_test(self, to: str, *, seconds: float) -> bytes | None:
        """Send a test mail and return it as it arrived in the bounce mailbox; None where it did not.

        Raises:
            AddressError: the address cannot be mailed.
            ProviderError: it was not taken.
            MailboxError: the mailbox cannot be read.
        """
        import asyncio

        from newsletter.bounces import mailbox
        from newsletter.domain import addresses
        from newsletter.providers import tray
        from newsletter.sending.standing import trial

        if addresses.plain(to) is None:
            raise errors.AddressError(f"“{to}” is not an address that can be mailed")
        provider, settings = self.provider(), self.settings.bounces
        message = trial.write(
            self.publication,
            self.signer,
            to=to,
            identity=secrets.token_hex(8),
            now=self.now(),
            raw=provider.limits.raw,
        )
        receipt = asyncio.run(trial.send(message, provider, tray.Tray))
        if not settings.mailbox:
            return None
        box = mailbox.open_mailbox(settings.mailbox, password=settings.password.get_secret_value())
        post = trial.Post(mailbox=box, steady=time.monotonic)
        return post.wait_for(self._marks(message, receipt.provider_id), seconds=seconds)

    def arrangement(self, name: str) -> Arrangement:
        """Return what to paste where, so that a provider reports to us."""
        from newsletter.providers import arranging

        office = self._office(name)
        if office is None:
            return arranging.of_server(self.settings.bounces.mailbox, self.publication.sender.email)
        return office.by_hand()

    def arrange(self, name: str) -> Arrangement:
        """Have a provider's API make the webhook.

        Raises:
            ProviderError: it has no such API, refuses, or has the webhook already.
        """
        office = self._office(name)
        if office is None:
            raise errors.ProviderError(f"{name} makes no webhooks", hint="leave --create out")
        import asyncio

        return asyncio.run(office.by_api())

    def _office(self, name: str) -> arranging.Office | None:
        from newsletter.providers import arranging
        from newsletter.providers.http_api import HttpProvider

        self.require_provider(name)
        provider = self.bare_provider(name)
        if not isinstance(provider, HttpProvider):
            return None
        return arranging.Office(
            provider=provider,
            kind=self.settings.provider(name).kind,
            url=self.hook_url(name),
            variable=f"NEWSLETTER_PROVIDERS__{name.upper()}__WEBHOOK_SECRET",
            secret=f"newsletter:{secrets.token_urlsafe(24)}",
            now=self.now(),
        )

    @staticmethod
    def _marks(message: messages.Message, provider_id: str) -> tuple[str, ...]:
        """Return what a test mail is known by: a provider may write a Message-ID of its own."""
        return (message.message_id, provider_id) if len(provider_id) > 10 else (message.message_id,)

    async def _meet(self, provider: Any) -> examination.Met:
        """Ask the provider who we are to it."""
        from newsletter.providers import meeting
        from newsletter.providers.http_api import HttpProvider

        try:
            return await meeting.meet(
                provider,
                self.settings.provider().kind,
                domain=self.publication.sender.domain,
                hook=self.hook_url(self.settings.delivery.provider),
                now=self.now(),
            )
        except errors.NewsletterError as error:
            return meeting.told(error, account=isinstance(provider, HttpProvider))

    def hook_url(self, name: str) -> str:
        """Return the address that a provider reports to."""
        return f"{self.publication.url}/webhooks/{name}"

    def _server(self, provider: Any) -> sender.Server:
        import socket

        from newsletter.sending.standing import sender

        options, terms = self.settings.provider(), getattr(provider, "terms", None)
        if options.kind != "smtp" or terms is None:
            return sender.Server()
        try:
            found = {
                str(one[4][0]) for one in socket.getaddrinfo(options.host, None, type=socket.SOCK_STREAM)
            }
        except OSError:
            found = set()
        own = bool(found) and not sender.public([address.partition("%")[0] for address in found])
        return sender.Server(host=options.host, name=terms.name, own=own)
