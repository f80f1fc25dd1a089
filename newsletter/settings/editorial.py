"""The tables about the editors' work: who they are, what they follow, when they are due."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from newsletter.settings import values
from newsletter.settings.durations import parse
from newsletter.settings.providers import Duration, Section


def _country(code: str) -> str:
    if not (len(code) == 2 and code.isascii() and code.isupper()):
        raise ValueError("expected a country code such as US or JP")
    return code


Country = Annotated[str, AfterValidator(_country)]


class People(Section):
    """`[people]`: editors, and who may say that an issue goes out."""

    editors: tuple[values.Line, ...] = ()
    #: Who may approve; empty: whoever can type the command.
    approvers: tuple[values.Line, ...] = ()
    #: Addresses that are told when a mailing pauses by itself.
    staff: tuple[values.Line, ...] = ()
    #: How many of the approvers must.
    approvals: int = Field(default=1, ge=1, le=20)

    @model_validator(mode="after")
    def _enough(self) -> Self:
        if self.approvers and self.approvals > len(set(self.approvers)):
            raise ValueError(f"{self.approvals} approvals are asked of {len(set(self.approvers))} approvers")
        return self


def _page(url: str) -> str:
    if not re.match(r"https?://[^\s/]+", url):
        raise ValueError("expected the address of a feed such as https://example.org/feed.xml")
    return url


class Feed(Section):
    """`[feeds.NAME]`: a page that tells what is new on it (RSS, Atom)."""

    url: Annotated[str, AfterValidator(_page)]
    topic: str = ""
    #: Only items in which one of these words stands.
    include: tuple[str, ...] = ()
    #: No item in which one of these words stands.
    exclude: tuple[str, ...] = ()


class Inbox(Section):
    """`[inbox]`: how sources are collected."""

    #: Whether pages of this network may be fetched.
    allow_private: bool = False
    #: How often `newsletter serve` reads the feeds; 0: never.
    collect_every: Duration = parse("6h")
    #: The order of topics in a draft.
    topics: tuple[str, ...] = ()


class Deadlines(Section):
    """`[deadlines]`: how long before an issue goes out each step is due."""

    collect: Duration = timedelta(days=3)
    draft: Duration = timedelta(days=2)
    approve: Duration = timedelta(days=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.collect >= self.draft >= self.approve:
            raise ValueError(
                "sources are collected before the draft, and the draft is written before approval"
            )
        return self


#: What becomes of an issue day that is a holiday.
OnHoliday = Literal["warn", "before", "after"]
#: Whether volumes are calendar years or opened by hand.
Volume = Literal["manual", "yearly"]
