"""The list as a whole: who is in an audience and who is not, what must not be mailed, how it grows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """An address or domain that must not be mailed."""

    #: Empty once the person was erased.
    value: str
    reason: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Group:
    """Subscribers who share a reason for being left out of an audience."""

    #: Empty for those who are in it.
    reason: str
    count: int
    #: A few of their addresses.
    samples: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Statistics:
    """The list in numbers."""

    statuses: Mapping[str, int]
    #: Month as 2026-03 → how many joined, and how many left, bounced or complained.
    joined: Mapping[str, int]
    left: Mapping[str, int]
    #: How people came: form, import, staff …
    sources: Mapping[str, int]
    #: Why people say they left.
    reasons: Mapping[str, int]
    #: Of the active subscribers; the most frequent first.
    topics: Mapping[str, int]
    tags: Mapping[str, int]
    languages: Mapping[str, int]
    domains: Mapping[str, int]
