"""What the public pages need of the house, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from newsletter import ports
from newsletter.domain import publications, tokens
from newsletter.providers import gates


@dataclass(frozen=True, kw_only=True)
class Reception:
    """Who may report by webhook, where it is written, and what is done about it."""

    gates: Mapping[str, gates.Gate]
    #: Writes (provider, body) pairs in one transaction.
    keep: Callable[[Sequence[tuple[str, bytes]]], None]
    #: Applies whatever waits.
    work_off: Callable[[], object]
    clock: ports.Clock


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything a page may touch."""

    publication: publications.Publication
    signer: tokens.Signer
    directory: ports.Directory
    ledger: ports.Ledger
    clock: ports.Clock
    reception: Reception
    #: Where the issue files and their pictures lie.
    issues: Path
