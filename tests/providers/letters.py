"""Messages for the tests of providers."""

from __future__ import annotations

from collections.abc import Sequence

from newsletter.domain import messages


def letter(number: int, *, recipient: str = "", raw: bytes | None = None) -> messages.Message:
    """One message, told apart by its number."""
    if raw is None:
        raw = b"Subject: letter %d\r\n\r\nDear reader %d,\r\nthis is it.\r\n" % (number, number)
    return messages.Message(
        delivery=number,
        sender=f"bounce+{number}@news.example.org",
        recipient=recipient or f"reader{number}@example.org",
        message_id=f"v2n23.key{number}@news.example.org",
        pieces=(raw,),
    )


def letters(count: int, *, size: int = 0) -> Sequence[messages.Message]:
    """Many messages, numbered from 1; with ``size`` each has about so many bytes."""
    if not size:
        return [letter(number) for number in range(1, count + 1)]
    body = b"All the news that is fit to be sent, in lines of a decent length.\r\n" * (size // 67)
    return [letter(n, raw=b"Subject: letter %d\r\n\r\n" % n + body) for n in range(1, count + 1)]
