"""Compose a message template: a rendered issue and everything the publication puts on its envelope."""

from __future__ import annotations

from newsletter.domain import issues, messages, publications

#: Google wants a SenderId of 5 to 15 characters, the same in every mail.
_SENDER_ID = (5, 15)


def compose(
    issue: issues.Issue,
    publication: publications.Publication,
    rendered: messages.Rendered,
    *,
    subject_prefix: str = "",
) -> messages.MessageTemplate:
    """Return the message template of one edition of an issue."""
    sender = publication.sender
    return messages.MessageTemplate(
        number=issue.number,
        rendered=rendered,
        from_name=sender.name,
        from_email=sender.email,
        reply_to=sender.reply_to,
        list_id=publication.list_id,
        list_name=publication.title,
        domain=sender.domain,
        feedback_id=_feedback_id(issue, publication),
        archive_url=f"{publication.url}/issues/{issue.slug}",
        subject_prefix=subject_prefix,
    )


def _feedback_id(issue: issues.Issue, publication: publications.Publication) -> str:
    """Return issue:list:kind:sender, with nothing in it about the recipient."""
    shortest, longest = _SENDER_ID
    name = publication.list_id.partition(".")[0]
    sender = "".join(c for c in publication.sender.domain if c.isalnum())[:longest].ljust(shortest, "x")
    return f"{issue.number.key}:{name}:issue:{sender}"
