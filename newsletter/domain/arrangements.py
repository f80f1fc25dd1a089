"""What has to be arranged with a provider so that it reports to us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Arrangement:
    """How a provider comes to report to us."""

    #: Where it reports to.
    url: str
    #: What to do, line by line.
    steps: Sequence[str]
    #: What belongs into .env: shown once, and kept nowhere else.
    env: Mapping[str, str] = field(default_factory=dict)
