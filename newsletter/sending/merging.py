"""Merge claimed deliveries: the edition by language, personal links signed, the bytes and their digest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

from newsletter.domain import deliveries, errors, messages, publications, tokens
from newsletter.domain.messages import Merged
from newsletter.rendering import merge as merging
from newsletter.rendering import plain_merge

#: Languages of subscribers are few; more than so many are not remembered.
_MOST_LANGUAGES = 256
#: The quick ways for the readers of a language without a name, and with one; None where there is none.
_Ways = tuple[plain_merge.PlainMerge | None, plain_merge.PlainMerge | None]


class Merging:
    """The editions of one mailing, compiled, with everything that makes a message personal."""

    def __init__(
        self,
        templates: Mapping[str, messages.MessageTemplate],
        publication: publications.Publication,
        signer: tokens.Signer,
        *,
        mailing: int,
        raw: bool = True,
        parts: bool = False,
    ) -> None:
        """Take the frozen templates, the default first.

        ``raw`` is false where a provider wants parts; with both, messages come in both forms.
        """
        number = next(iter(templates.values())).number
        self._view_url = f"{publication.url}/issues/{number.slug}"
        self._links = plain_merge.Links(f"{publication.url}/u/", f"{publication.url}/preferences/")
        known = {"view_url": self._view_url}
        self._mergers = {language: merging.compile(one, known) for language, one in templates.items()}
        self._default = next(iter(self._mergers.values()))
        self._met: dict[str, _Ways] = {}
        self._stamp = tokens.Stamp(signer, mailing)
        self._raw, self._parts = raw, parts
        #: Whether a message is little more than its personal pieces, so that many may be held at once.
        self.light = raw and not parts

    def merge(self, claimed: deliveries.Claimed, date: datetime) -> Merged:
        """Write the message of one delivery; the same delivery and date give the same bytes.

        Raises:
            RenderError: a value of the recipient's cannot stand in a header.
        """
        stamps = self._stamp.of(claimed.subscriber, claimed.email)
        plain = self._ways(claimed.language)[claimed.name != ""]
        merged = plain.merge(claimed, stamps, date) if plain else None
        return merged or self._merge_any(claimed, stamps, date)

    def merge_many(self, batch: Iterable[deliveries.Claimed], date: datetime) -> dict[int, Merged]:
        """Write the messages of a whole turn, by delivery; those that `merge` refuses are left out."""
        stamp, met, found = self._stamp.of, self._met, {}
        for claimed in batch:
            number, subscriber, email, name, language = claimed[:5]
            stamps = stamp(subscriber, email)
            plain = (met.get(language) or self._ways(language))[name != ""]
            try:
                merged = plain.merge(claimed, stamps, date) if plain else None
                found[number] = merged or self._merge_any(claimed, stamps, date)
            except errors.RenderError:
                continue
        return found

    def _merge_any(self, claimed: deliveries.Claimed, stamps: tokens.Stamps, date: datetime) -> Merged:
        merger, recipient = self._merger(claimed.language), self._recipient(claimed, stamps)
        if self._raw:
            merged = Merged(*merger.merge_with_digest(recipient, date))
            if not self._parts:
                return merged
            taken_apart = merger.parts(recipient, date).parts
            return Merged(merged.message._replace(parts=taken_apart), merged.digest)
        message = merger.parts(recipient, date)
        assert message.parts is not None
        return Merged(message, _digest(message.parts))

    def _recipient(self, claimed: deliveries.Claimed, stamps: tokens.Stamps) -> messages.Recipient:
        number, _, email, name, language, *_ = claimed
        leave, preferences, bounce, key = stamps
        words = name.split(None, 1)
        return messages.Recipient(
            number,
            email,
            name,
            key,
            bounce,
            {
                "unsubscribe_url": self._links.leave + leave,
                "preferences_url": self._links.preferences + preferences,
                "view_url": self._view_url,
                "subscriber.email": email,
                "subscriber.language": language,
                "subscriber.name": name,
                "subscriber.first_name": words[0] if words else "",
            },
        )

    def _merger(self, language: str) -> merging.Merger:
        """Return the edition nearest to a subscriber's language: ja for ja-JP, else the default."""
        mergers = self._mergers
        return mergers.get(language) or mergers.get(language.partition("-")[0]) or self._default

    def _ways(self, language: str) -> _Ways:
        """Return the quick ways for readers of a language, where the provider takes bytes."""
        found = self._met.get(language)
        if found is None:
            merger, links = self._merger(language), self._links
            nameless = merger.plainly(links, language=language, named=False) if self.light else None
            named = merger.plainly(links, language=language, named=True) if self.light else None
            found = nameless, named
            if len(self._met) < _MOST_LANGUAGES:
                self._met[language] = found
        return found


def _digest(parts: messages.Parts) -> bytes:
    """Return a SHA-256 that commits to everything a provider is given to build a message from."""
    headers = "\0".join(f"{name}: {value}" for name, value in parts.headers.items())
    texts = (parts.from_name, parts.from_email, parts.to_name, parts.subject, parts.text, parts.html, headers)
    return hashlib.sha256("\0\0".join(texts).encode()).digest()
