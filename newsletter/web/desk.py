"""What the public pages need of the house, and nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from newsletter import ports
from newsletter.domain import publications, tokens


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything a page may touch."""

    publication: publications.Publication
    signer: tokens.Signer
    directory: ports.Directory
    ledger: ports.Ledger
    clock: ports.Clock
    #: Where the issue files and their pictures lie.
    issues: Path
