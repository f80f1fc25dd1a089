"""The publication: who writes, to whom readers answer, and how it looks at its edges."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Sender:
    """The mailbox a mailing comes from."""

    name: str
    email: str
    reply_to: str = ""

    @property
    def domain(self) -> str:
        """The domain that Message-ID, List-Id and bounce addresses are aligned with."""
        return self.email.rpartition("@")[2].lower()


@dataclass(frozen=True, kw_only=True)
class Publication:
    """What stays the same from issue to issue."""

    title: str
    #: Base of every public page and link, without a slash at its end.
    url: str
    language: str
    #: CAN-SPAM and CASL want a physical postal address in every mail.
    postal_address: str
    contact: str
    sender: Sender
    #: One paragraph of Markdown that says what the publication is.
    about: str = ""

    @property
    def list_id(self) -> str:
        """RFC 2919 identifier: stable for ever, never per issue."""
        words = "".join(c if c.isascii() and c.isalnum() else " " for c in self.title.lower()).split()
        return f"{'-'.join(words) or 'newsletter'}.{self.sender.domain}"
