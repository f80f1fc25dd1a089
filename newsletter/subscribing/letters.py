"""Letters in words: plain text, from templates that a workspace may replace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import urlencode

from newsletter.domain import errors, publications
from newsletter.domain.letters import Kind, Letter
from newsletter.domain.subscribers import Status, Subscriber
from newsletter.domain.tokens import Purpose, Signer, fingerprint
from newsletter.rendering import confinement, templating
from newsletter.rendering import theme as themes

FALLBACK = "en"
#: They go to addresses that nobody has vouched for yet: nothing that a stranger typed stands in them.
_TO_STRANGERS = frozenset({Kind.CONFIRM, Kind.REMIND, Kind.READDRESS})


class Written(NamedTuple):
    """A letter in words, ready to be handed over."""

    letter: Letter
    to: str
    name: str
    subject: str
    text: str


class Writer:
    """Puts letters into words."""

    def __init__(
        self,
        publication: publications.Publication,
        theme: themes.Theme,
        signer: Signer,
        *,
        latest: Callable[[], str] = str,
    ) -> None:
        """``latest`` returns the public address of the newest issue, or nothing."""
        self._publication = publication
        self._theme = theme
        self._signer = signer
        self._latest = latest

    def write(self, letter: Letter, person: Subscriber) -> Written:
        """Put a letter into words; the same facts give the same links at every try.

        Raises:
            RenderError: a template is missing or wrong.
        """
        own = self._signer.sign(Purpose.PREFERENCES, person.id, fingerprint(person.email))
        values = {
            "publication": self._publication.title,
            "contact": self._publication.contact,
            "postal_address": self._publication.postal_address,
            "link": f"{self._publication.url}{self._path(letter, person)}",
            "preferences": f"{self._publication.url}/preferences/{own}",
            "latest": self._latest() if letter.kind is Kind.WELCOME else "",
        }
        unvouched = letter.kind in _TO_STRANGERS or person.status is Status.PENDING
        whole = self._rendered(letter.kind, person.language or self._publication.language, values)
        head, _, text = whole.partition("\n\n")
        return Written(
            letter=letter,
            to=letter.address or person.email,
            name="" if unvouched else person.name,
            subject=head.removeprefix("Subject:").strip(),
            text=text,
        )

    def _path(self, letter: Letter, person: Subscriber) -> str:
        """Return the path of the one link that a letter is about."""
        who, asked_at = letter.subscriber, int(letter.asked_at.timestamp())
        known_as = fingerprint(person.email)
        match letter.kind:
            case Kind.CONFIRM | Kind.REMIND:
                return f"/confirm/{self._signer.sign(Purpose.CONFIRM, who, asked_at, known_as)}"
            case Kind.GOODBYE:
                return f"/undo/{self._signer.sign(Purpose.UNDO, who, known_as)}"
            case Kind.READDRESS:
                mark = self._signer.mark(letter.address)
                token = self._signer.sign(Purpose.ADDRESS, who, asked_at, mark, known_as)
                return f"/address/{token}?{urlencode({'to': letter.address})}"
        return ""

    def _rendered(self, kind: Kind, language: str, values: dict[str, str]) -> str:
        tags = (language, language.partition("-")[0], FALLBACK)
        names = [f"mail/{kind.value}.{tag}.txt.j2" for tag in tags]
        for name in names:
            if any((folder / name).is_file() for folder in self._theme.folders):
                if themes.is_own(self._theme, name):
                    return confinement.run(_poured, self._theme, name, values)
                return _poured(self._theme, name, values)
        raise errors.RenderError(f"the template {names[-1]} is in none of the theme's folders")


def _poured(theme: themes.Theme, name: str, values: Mapping[str, str]) -> str:
    return templating.run(themes.environment(theme.folders, escaping=False), name, values)
