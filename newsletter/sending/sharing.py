"""What the senders of a mailing share: the account's rate, the messages of its day, and each other."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from newsletter import ports
from newsletter.domain import errors
from newsletter.sending import owners

#: Seconds between two counts of those at work.
_COUNT = 1.0


@dataclass(frozen=True, kw_only=True)
class Account:
    """The account at one provider, as all who send by it draw on it: `warmup.Purse`."""

    ledger: ports.Ledger
    provider: str
    now: Callable[[], datetime]

    def booking(self, rate: float) -> Callable[[int], float]:
        """Return what books places of a rate."""
        return lambda count: self.ledger.book(self.provider, count=count, rate=rate, now=self.now())

    def draw(self, day: date, *, count: int, cap: int, used: int) -> int:
        """Take up to so many messages of a day."""
        return self.ledger.draw(self.provider, day, count=count, cap=cap, used=used)

    def give_back(self, day: date, *, count: int) -> None:
        """Give back messages that were drawn and not sent."""
        self.ledger.give_back(self.provider, day, count=count)


def at_work(ledger: ports.Ledger, mailing: int, *, now: datetime) -> list[ports.Lease]:
    """Return the leases of those who are sending a mailing, as far as one can know."""
    return [one for one in ledger.senders(mailing) if one.until > now and not owners.is_dead(one.owner)]


def others(ledger: ports.Ledger, mailing: int, owner: str, *, now: datetime) -> int:
    """Count who is sending a mailing beside one sender."""
    return sum(one.owner != owner for one in at_work(ledger, mailing, now=now))


async def count(look: Callable[[], int], tell: Callable[[int], None]) -> None:
    """Tell how many share a mailing, again and again, until cancelled."""
    while True:
        # Without the ledger nothing is claimed either, and the number stays as it was.
        with contextlib.suppress(errors.StoreError):
            tell(look())
        await asyncio.sleep(_COUNT)
