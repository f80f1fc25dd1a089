"""The tables of newsletter.toml in which a publication names its own topics, attributes and audiences."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from newsletter.domain import audiences, errors
from newsletter.settings import values

#: What stands in a URL and in a rule without quotation marks.
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]


def _rule(text: str) -> str:
    try:
        audiences.parse(text)
    except errors.AudienceError as error:
        raise ValueError(str(error)) from None
    return text


#: `[topics]`: what subscribers can choose, by the name they read.
Topics = dict[Id, values.Line]
#: `[attributes]`: what else is known of subscribers, and what kind of thing it is.
Attributes = dict[Id, Literal["text", "number", "date", "yes/no"]]
#: `[audiences]`: rules that mailings are sent by.
Audiences = dict[Id, Annotated[str, AfterValidator(_rule)]]
