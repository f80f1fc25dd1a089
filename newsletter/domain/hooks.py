"""A webhook as it came, before anybody believes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Hook:
    """A webhook as it came: signatures are over the raw bytes, never over what a parser made of them."""

    body: bytes = field(repr=False)
    #: Names in lower case.
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
