"""What the public pages need of the house, and nothing more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from newsletter import ports, wiring
from newsletter.domain import events, hooks, publications, tokens
from newsletter.domain.issues import Issue
from newsletter.domain.subscribers import Subscriber
from newsletter.rendering import theme
from newsletter.subscribing import joining, leaving
from newsletter.web import forms, visitors


class Gate(Protocol):
    """Checks who sent a webhook, and reads what it tells."""

    @property
    def asks(self) -> bool:
        """Whether `check` and `confirm` may ask another server, and so must not run in an event loop."""
        ...

    def check(self, hook: hooks.Hook, *, now: datetime) -> None:
        """Make sure that a webhook was signed by whom it names, and lately.

        Raises:
            ProviderError: it was not, or no secret is set to check it with.
        """
        ...

    def read(self, body: bytes) -> list[events.Event]:
        """Return what a checked webhook tells."""
        ...

    def confirm(self, body: bytes) -> bool:
        """Answer a request to confirm the webhook's address; say whether it was one."""
        ...


@dataclass(frozen=True, kw_only=True)
class Reception:
    """Who may report by webhook, where it is written, and what is done about it."""

    gates: Mapping[str, Gate]
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
    hall: joining.Hall
    #: Lets people leave, those at once who ask at once.
    exit: leaving.Exit
    #: Has the letters worked off that were put down meanwhile; returns at once.
    call_mailroom: Callable[[], None]
    forms: forms.Forms
    #: What subscribers can choose, by the name they read.
    topics: Mapping[str, str]
    #: Proxies whose word about a visitor's address is taken.
    trusted: visitors.Networks
    #: Returns everything we know about a person, ready for JSON.
    data: Callable[[Subscriber], Mapping[str, object]]
    #: Where the issue files and their pictures lie.
    issues: Path
    #: Reads an issue file with the publication's defaults.
    read: Callable[[Path], Issue]
    #: How issues look.
    theme: theme.Theme


def of(house: wiring.App) -> Desk:
    """Return what the pages need of an application.

    Raises:
        StoreError: the database is unreachable, or not migrated to this version.
    """
    reception = Reception(
        gates=house.gates, keep=house.feedback.keep, work_off=house.feedback.work_off, clock=house.now
    )
    return Desk(
        publication=house.publication,
        signer=house.signer,
        directory=house.directory,
        ledger=house.ledger,
        clock=house.now,
        reception=reception,
        hall=house.hall,
        exit=house.exit,
        call_mailroom=house.errand.call,
        forms=forms.Forms(
            house.signer,
            clock=house.now,
            new_id=house.new_id,
            secure=house.publication.url.startswith("https://"),
        ),
        topics=house.settings.topics,
        trusted=house.settings.web.trusted_networks(),
        data=house.data,
        issues=house.workspace.issues,
        read=house.press.read,
        theme=house.theme,
    )
