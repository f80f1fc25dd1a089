"""The mails about a subscription: plain text, from templates that a workspace may replace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import urlencode

from newsletter.domain import errors, publications
from newsletter.domain.subscribers import Subscriber
from newsletter.domain.tokens import Purpose, Signer, fingerprint
from newsletter.rendering import confinement, templating
from newsletter.rendering import theme as themes

FALLBACK = "en"


class Send(Protocol):
    """Sends one mail of the house's own."""

    def __call__(self, *, to: str, name: str, subject: str, text: str) -> None:
        """Send it."""
        ...


class MailLetters:
    """`joining.Letters` by mail."""

    def __init__(
        self,
        publication: publications.Publication,
        theme: themes.Theme,
        signer: Signer,
        send: Send,
        *,
        latest: Callable[[], str] = str,
    ) -> None:
        """``latest`` returns the public address of the newest issue, or nothing."""
        self._publication = publication
        self._theme = theme
        self._signer = signer
        self._send = send
        self._latest = latest

    def confirm(self, person: Subscriber, token: str) -> None:
        """Ask whether it was them; nothing that a stranger typed stands in this mail."""
        self._write("confirm", person, to=person.email, link=f"/confirm/{token}")

    def remind(self, person: Subscriber, token: str) -> None:
        """Ask once more whether it was them."""
        self._write("remind", person, to=person.email, link=f"/confirm/{token}")

    def welcome(self, person: Subscriber) -> None:
        """Greet a new reader."""
        self._write("welcome", person, to=person.email, name=person.name, latest=self._latest())

    def goodbye(self, person: Subscriber) -> None:
        """Take leave, with a way back."""
        token = self._signer.sign(Purpose.UNDO, person.id)
        self._write("goodbye", person, to=person.email, name=person.name, link=f"/undo/{token}")

    def manage(self, person: Subscriber) -> None:
        """Bring the link to their own page."""
        self._write("manage", person, to=person.email, name=person.name)

    def readdress(self, person: Subscriber, address: str, token: str) -> None:
        """Ask at the new address whether it is theirs."""
        self._write("readdress", person, to=address, link=f"/address/{token}?{urlencode({'to': address})}")

    def _write(
        self, kind: str, person: Subscriber, *, to: str, link: str = "", name: str = "", latest: str = ""
    ) -> None:
        own = self._signer.sign(Purpose.PREFERENCES, person.id, fingerprint(person.email))
        values = {
            "publication": self._publication.title,
            "contact": self._publication.contact,
            "postal_address": self._publication.postal_address,
            "link": f"{self._publication.url}{link}",
            "preferences": f"{self._publication.url}/preferences/{own}",
            "latest": latest,
        }
        whole = self._rendered(kind, person.language or self._publication.language, values)
        head, _, text = whole.partition("\n\n")
        subject = head.removeprefix("Subject:").strip()
        self._send(to=to, name=name, subject=subject, text=text)

    def _rendered(self, kind: str, language: str, values: dict[str, str]) -> str:
        names = [f"mail/{kind}.{tag}.txt.j2" for tag in (language, language.partition("-")[0], FALLBACK)]
        for name in names:
            if any((folder / name).is_file() for folder in self._theme.folders):
                if themes.is_own(self._theme, name):
                    return confinement.run(_poured, self._theme, name, values)
                return _poured(self._theme, name, values)
        raise errors.RenderError(f"the template {names[-1]} is in none of the theme's folders")


def _poured(theme: themes.Theme, name: str, values: Mapping[str, str]) -> str:
    return templating.run(themes.environment(theme.folders, escaping=False), name, values)
