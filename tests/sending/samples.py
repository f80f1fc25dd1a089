"""A mailing as small as it may be and still complete."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from newsletter import ports
from newsletter.domain import messages, numbering, subscribers
from newsletter.domain.messages import Field

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
NUMBER = numbering.IssueNumber(2, 23)
KEY = b"a key of thirty-two bytes or so."


def template(language: str = "en", number: numbering.IssueNumber = NUMBER) -> messages.MessageTemplate:
    leave = Field("unsubscribe_url")
    rendered = messages.Rendered(
        language=language,
        subject="The harbour opens",
        preheader="and the ferries leave",
        html=("<p>Hello ", Field("subscriber.first_name", "reader"), '</p><a href="', leave, '">leave</a>'),
        text=("Hello ", Field("subscriber.first_name", "reader"), "\nLeave: ", leave, "\n"),
    )
    return messages.MessageTemplate(
        number=number,
        rendered=rendered,
        from_name="Harbour Digest",
        from_email="news@example.org",
        reply_to="editors@example.org",
        list_id="harbour.example.org",
        list_name="Harbour Digest",
        domain="example.org",
        feedback_id="v2n23:harbour:newsletter:example",
    )


def draft(**fields: Any) -> ports.MailingDraft:
    given: dict[str, Any] = {
        "templates": {"en": template()},
        "audience": ports.Audience(),
        "provider": "smtp",
        "now": NOW,
    }
    return ports.MailingDraft(**(given | fields))


def people(
    directory: ports.Directory, count: int, *, host: str = "example.net"
) -> list[subscribers.Subscriber]:
    """Put so many active subscribers on a list."""
    return [person(directory, f"reader{number}@{host}") for number in range(1, count + 1)]


def person(
    directory: ports.Directory,
    email: str,
    status: subscribers.Status = subscribers.Status.ACTIVE,
    **fields: Any,
) -> subscribers.Subscriber:
    one = subscribers.Subscriber(email=email, status=status, joined_at=NOW, **fields)
    return directory.add(one, record(status))


def leave(directory: ports.Directory, person: subscribers.Subscriber) -> None:
    directory.apply(subscribers.move(person, record(subscribers.Status.UNSUBSCRIBED)))


def record(status: subscribers.Status) -> subscribers.ConsentRecord:
    return subscribers.ConsentRecord(status=status, at=NOW, how=subscribers.How.STAFF)


def lease(owner: str = "here:1:1", *, until: datetime = NOW + timedelta(minutes=5)) -> ports.Lease:
    return ports.Lease(owner=owner, until=until)
