"""A publication, an issue and a reader, as small as they may be and still complete."""

from __future__ import annotations

import dataclasses
import html
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from newsletter.domain import issues, messages, numbering, publications
from newsletter.rendering import issue as issue_room
from newsletter.rendering import theme

NOW = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)

PUBLICATION = publications.Publication(
    title="Harbour Digest",
    url="https://digest.example.org",
    language="en",
    postal_address="12 Quay Street, Harbourtown 10001",
    contact="editors@example.org",
    sender=publications.Sender(
        name="Harbour Digest", email="news@example.org", reply_to="editors@example.org"
    ),
    about="A fortnightly summary of **harbour affairs**.",
)

ENTRIES = tuple(
    issues.Entry(
        id=f"entry-{number}",
        headline=f"Port opens pier {number} & its sheds",
        body=(
            f"The port [opened](https://news.example.org/pier-{number}?a=1&b=2) **pier {number}** on Monday. "
            'The mayor called it "a good day" for the quarter, and the ferries now leave every ten minutes.'
        ),
        sources=(
            issues.Source(url=f"https://port.example.org/{number}", title=f"Pier {number} in figures"),
            issues.Source(url=f"https://www.gazette.example.org/{number}"),
        ),
    )
    for number in range(1, 6)
)

ISSUE = issues.Issue(
    number=numbering.IssueNumber(2, 23),
    date=date(2026, 11, 20),
    title="Harbour Digest",
    subject="Harbour Digest Vol 2.23: Port opens pier 1",
    preheader="Pier 1 opens; ferries leave every ten minutes",
    language="en",
    entries=ENTRIES,
    hero=issues.Hero(
        src="images/pier.png", alt="A ferry at a new pier", credit="Ada Moreno", caption="Pier 1 at dawn"
    ),
    intro='Dear {{ subscriber.first_name | default("reader") }}, this is what happened.',
    closing="To receive the digest, write to [the editors](mailto:editors@example.org).",
)

READER = messages.Recipient(
    delivery=7,
    email="ada@example.net",
    name="Ada Moreno",
    message_key="k3yk3yk3y",
    bounce_token="b0unce",
    values={
        "unsubscribe_url": "https://digest.example.org/u/TOKEN-1",
        "preferences_url": "https://digest.example.org/p/TOKEN-2",
        "view_url": "https://digest.example.org/issues/vol-2-23",
        "subscriber.email": "ada@example.net",
        "subscriber.name": "Ada Moreno",
        "subscriber.first_name": "Ada",
    },
)


def rendered(issue: issues.Issue = ISSUE) -> messages.Rendered:
    """Render an issue in the packaged theme."""
    return issue_room.render(issue, PUBLICATION, theme.packaged())


def template(**changes: Any) -> messages.MessageTemplate:
    """Return a message template of the sample issue, with some of its values changed."""
    values: dict[str, Any] = {
        "number": ISSUE.number,
        "rendered": messages.Rendered(
            language="en", subject="Hello", preheader="", html=("<p>Hello</p>\n",), text=("Hello\n",)
        ),
        "from_name": "Harbour Digest",
        "from_email": "news@example.org",
        "reply_to": "editors@example.org",
        "list_id": "harbour-digest.example.org",
        "list_name": "Harbour Digest",
        "domain": "example.org",
        "feedback_id": "v2n23:digest:news:harbour1",
        "archive_url": "https://digest.example.org/issues",
    }
    return messages.MessageTemplate(**(values | changes))


def with_pieces(text: messages.Pieces, html: messages.Pieces, **changes: Any) -> messages.MessageTemplate:
    """Return a message template with bodies of its own."""
    body = messages.Rendered(language="en", subject="Hello", preheader="", html=html, text=text)
    return template(rendered=dataclasses.replace(body, **changes))


def as_read(pieces: messages.Pieces, values: Mapping[str, str], *, markup: bool) -> str:
    """Return what a program must show of a body, put together without the code that merges it."""
    written = []
    for piece in pieces:
        if isinstance(piece, str):
            written.append(piece)
        else:
            value = re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", values[piece.name] or piece.default)
            value = value.encode("utf-8", "replace").decode()
            written.append(html.escape(value) if markup else value)
    return "".join(written)


def assert_safe_on_the_wire(raw: bytes) -> None:
    """Hold a message to what every server on its way leaves alone."""
    assert re.search(rb"(?<!\r)\n|\r(?!\n)", raw) is None
    head, _, body = raw.partition(b"\r\n\r\n")
    assert max(map(len, head.split(b"\r\n"))) <= 998
    for line in body.split(b"\r\n"):
        assert len(line) <= 76
        assert not line.startswith((b".", b"From ", b" "))
        assert not line.endswith((b" ", b"\t"))
        assert b"  " not in line
        assert b"\t" not in line
