"""A ledger in memory with a sender in front of it, and a clock that a test moves."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from newsletter import ports
from newsletter.domain import deliveries, publications, retries, tokens
from newsletter.domain.deliveries import State
from newsletter.sending import dispatch, sender, window
from newsletter.store.memory import MemoryDirectory
from newsletter.store.memory_ledger import MemoryLedger
from tests.sending import samples

PUBLICATION = publications.Publication(
    title="Harbour Digest",
    url="https://digest.example.org",
    language="en",
    postal_address="12 Quay Street",
    contact="editors@example.org",
    sender=publications.Sender(name="Harbour Digest", email="news@example.org"),
)


class Time:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.seconds = 0.0
        #: By how much somebody set the wall clock wrong.
        self.offset = 0.0

    def now(self) -> datetime:
        return samples.NOW + timedelta(seconds=self.seconds + self.offset)

    def steady(self) -> float:
        return self.seconds


class Bench:
    """A directory, a ledger and senders over them."""

    def __init__(self, directory: ports.Directory, ledger: ports.Ledger) -> None:
        self.directory, self.ledger, self.time = directory, ledger, Time()

    def plan(self, count: int = 3, **fields: Any) -> deliveries.Mailing:
        samples.people(self.directory, count)
        return self.ledger.plan(samples.draft(**fields))

    def sender(
        self,
        provider: ports.Provider,
        *,
        owner: str = "here:1:1",
        policy: retries.Policy | None = None,
        **options: Any,
    ) -> sender.Sender:
        around = window.Surroundings(
            now=self.time.now, steady=self.time.steady, rng=random.Random(5), owner=owner
        )
        chosen = dispatch.Options(policy=policy or retries.Policy(jitter=0), **options)
        signer = tokens.Signer(samples.KEY)
        return sender.Sender(self.ledger, provider, PUBLICATION, signer, options=chosen, around=around)

    def states(self, mailing: deliveries.Mailing) -> dict[State, int]:
        return {state: number for state, number in self.ledger.tally(mailing.id).states.items() if number}


@pytest.fixture
def bench() -> Bench:
    directory = MemoryDirectory()
    return Bench(directory, MemoryLedger(directory))


@pytest.fixture
def make_bench() -> Callable[[ports.Directory, ports.Ledger], Bench]:
    return Bench
