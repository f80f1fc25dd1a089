"""Whether a provider can carry what a mailing consists of; asked before anything is planned or sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from newsletter import ports
from newsletter.domain import deliveries, errors, messages, publications, tokens
from newsletter.sending.merging import Merging

#: Without these two there is no one-click unsubscription (RFC 8058).
NEEDED = ("List-Unsubscribe", "List-Unsubscribe-Post")
_SAMPLE = deliveries.Claimed(0, 0, "reader@example.org", "", "", 0)


def require(
    templates: Mapping[str, messages.MessageTemplate],
    limits: ports.Limits,
    publication: publications.Publication,
    signer: tokens.Signer,
    *,
    now: datetime,
) -> None:
    """Return quietly when a provider can carry every edition of a mailing.

    Raises:
        MailingError: a header that a message needs is one that it does not set, or a message is too large.
    """
    if lacking := [name for name in NEEDED if name.lower() in limits.refuses]:
        raise errors.MailingError(
            f"the provider sets no {' and no '.join(lacking)} of ours: nobody could leave by one click",
            hint="send by another one: newsletter provider list",
        )
    for language, template in templates.items():
        if not template.from_email.isascii() and not limits.utf8_addresses:
            raise errors.MailingError(
                f"the provider cannot send from {template.from_email}: it takes ASCII addresses only",
                hint="set email under [sender] to an address in ASCII",
            )
        merging = Merging(
            {language: template}, publication, signer, mailing=0, raw=limits.raw, parts=limits.parts
        )
        _require_room(merging.merge(_SAMPLE, now).message, template, limits.max_bytes)


def _require_room(message: messages.Message, template: messages.MessageTemplate, most: int) -> None:
    parts = message.parts
    size = message.size if parts is None else len((parts.html + parts.text).encode())
    if most and size > most:
        raise errors.MailingError(
            f"a message of issue {template.number} has {size:,} bytes, the server takes {most:,}",
            hint="shorten the issue, or link to its pictures instead of embedding them",
        )
