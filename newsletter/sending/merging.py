"""Merge claimed deliveries: the edition by language, personal links signed, the bytes and their digest."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime

from newsletter.domain import deliveries, errors, messages, publications, tokens
from newsletter.domain.messages import Merged
from newsletter.rendering import merge as merging


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
        self._mergers = {language: merging.compile(template) for language, template in templates.items()}
        self._default = next(iter(self._mergers.values()))
        self._chosen: dict[str, merging.Merger] = {}
        self._stamp = tokens.Stamp(signer, mailing)
        self._raw, self._parts = raw, parts
        #: Whether a message is little more than its personal pieces, so that many may be held at once.
        self.light = raw and not parts
        number = next(iter(templates.values())).number
        self._leave_url = f"{publication.url}/u/"
        self._preferences_url = f"{publication.url}/preferences/"
        self._view_url = f"{publication.url}/issues/{number.slug}"

    def merge(self, claimed: deliveries.Claimed, date: datetime) -> Merged:
        """Write the message of one delivery; the same delivery and date give the same bytes.

        Raises:
            RenderError: a value of the recipient's cannot stand in a header.
        """
        merger = self._chosen.get(claimed.language) or self._choose(claimed.language)
        recipient = self._recipient(claimed)
        if self._raw:
            merged = Merged(*merger.merge_with_digest(recipient, date))
            if not self._parts:
                return merged
            taken_apart = merger.parts(recipient, date).parts
            return Merged(merged.message._replace(parts=taken_apart), merged.digest)
        message = merger.parts(recipient, date)
        assert message.parts is not None
        return Merged(message, _digest(message.parts))

    def merge_many(self, batch: Iterable[deliveries.Claimed], date: datetime) -> dict[int, Merged]:
        """Write the messages of a whole turn, by delivery; those that `merge` refuses are left out."""
        merged = {}
        for claimed in batch:
            with contextlib.suppress(errors.RenderError):
                merged[claimed.id] = self.merge(claimed, date)
        return merged

    def _recipient(self, claimed: deliveries.Claimed) -> messages.Recipient:
        number, subscriber, email, name, language, *_ = claimed
        leave, preferences, bounce, key = self._stamp.of(number, subscriber, email)
        words = name.split(None, 1)
        return messages.Recipient(
            number,
            email,
            name,
            key,
            bounce,
            {
                "unsubscribe_url": self._leave_url + leave,
                "preferences_url": self._preferences_url + preferences,
                "view_url": self._view_url,
                "subscriber.email": email,
                "subscriber.language": language,
                "subscriber.name": name,
                "subscriber.first_name": words[0] if words else "",
            },
        )

    def _choose(self, language: str) -> merging.Merger:
        """Return the edition nearest to a subscriber's language: ja for ja-JP, else the default."""
        found = self._mergers.get(language) or self._mergers.get(language.partition("-")[0]) or self._default
        self._chosen[language] = found
        return found


def _digest(parts: messages.Parts) -> bytes:
    """Return a SHA-256 that commits to everything a provider is given to build a message from."""
    headers = "\0".join(f"{name}: {value}" for name, value in parts.headers.items())
    texts = (parts.from_name, parts.from_email, parts.to_name, parts.subject, parts.text, parts.html, headers)
    return hashlib.sha256("\0\0".join(texts).encode()).digest()
