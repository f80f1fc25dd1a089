"""Pacing: when the next message may go, by the rates that were set and the replies that came."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from newsletter.domain import addresses, buckets, deliveries, errors
from newsletter.domain.verdicts import Kind, Scope

#: Domains whose mail goes to the same servers, and which therefore share one pace.
_GROUPS = {
    "googlemail.com": "gmail.com",
    "hotmail.com": "outlook.com",
    "live.com": "outlook.com",
    "msn.com": "outlook.com",
    "ymail.com": "yahoo.com",
    "rocketmail.com": "yahoo.com",
    "aol.com": "yahoo.com",
    "me.com": "icloud.com",
    "mac.com": "icloud.com",
    "gmx.de": "gmx.net",
    "web.de": "gmx.net",
}
#: A domain that says “slower” is left alone this long, if it does not say how long itself.
_BREATHER = 5.0
#: A domain that refuses for reasons of ours (authentication, reputation) is not asked again so soon.
_SHUT = 3600.0
#: Addresses by which the share of a domain is told.
_SAMPLE = 4096
#: Seconds until places are asked for again in a database that did not give any.
_TROUBLED = 1.0


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Messages a second; 0 is as fast as it goes."""

    #: Of the mailing: what the provider's account gets from all its senders together.
    mailing: float = 0
    #: Domain → its rate.
    domains: Mapping[str, float] = field(default_factory=dict)


#: Books so many places of a rate that all senders share; returns the seconds until the first.
Book = Callable[[int], float]


class Pacing:
    """The buckets of one sender. Times are seconds of a steady clock."""

    def __init__(self, rates: Rates, *, now: float, book: Book | None = None) -> None:
        """Take what books places of the mailing's rate; without it, this sender has the rate to itself."""
        self._buckets: list[buckets.Bucket | buckets.Shared] = []
        if rates.mailing > 0:
            mine = buckets.Shared(rates.mailing, book) if book else buckets.Bucket(rates.mailing, now=now)
            self._buckets.append(mine)
        self._domains = rates.domains
        self._slow = {
            group(domain): buckets.Yielding(now=now, ceiling=rate)
            for domain, rate in rates.domains.items()
            if rate > 0
        }
        #: How many addresses had their turn, and the last of them.
        self._seen = 0
        self._last: deque[str] = deque(maxlen=_SAMPLE)
        self._since = now
        #: Whether nothing is paced at all: then `wait` and `spend` need not be asked.
        self.idle = not self._buckets and not self._slow

    def share(self, senders: int) -> None:
        """Divide the rates of domains among so many senders."""
        for domain, rate in self._domains.items():
            if slow := self._slow.get(group(domain)):
                slow.cap(rate / senders)

    def saw(self, emails: Sequence[str]) -> None:
        """Take in addresses whose turn has come, so that a first refusal finds the pace before it."""
        self._seen += len(emails)
        self._last.extend(emails)

    def wait(self, now: float) -> float:
        """Return the seconds until any message may go; 0: now."""
        try:
            return max((bucket.wait(now) for bucket in self._buckets), default=0.0)
        except errors.StoreError:
            # Nothing goes without its place; whether the database stays away, the next turn finds out.
            return _TROUBLED

    def slow(self, email: str) -> buckets.Yielding | None:
        """Return the pace of an address's domain, where it has one."""
        return self._slow.get(group(addresses.domain(email))) if self._slow else None

    def spend(self, email: str, now: float) -> None:
        """Count a message that goes now."""
        for bucket in self._buckets:
            bucket.spend(now)
        if slow := self.slow(email):
            slow.spend(now)

    def note(self, email: str, receipt: deliveries.Receipt, now: float) -> None:
        """Learn from an answer: slower after a refusal that concerns the domain, faster after success."""
        verdict = receipt.verdict
        if verdict.kind is Kind.ACCEPTED:
            if slow := self.slow(email):
                slow.accepted()
        elif verdict.scope is Scope.DOMAIN:
            key = group(addresses.domain(email))
            if (slow := self._slow.get(key)) is None:
                slow = self._slow[key] = buckets.Yielding(now=now, pace=self._pace(key, now))
                self.idle = False
            pause = _SHUT if verdict.kind is Kind.STOP else _BREATHER
            slow.refused(now, shut_for=verdict.retry_after or pause)

    def _pace(self, key: str, now: float) -> float:
        """Return the messages a second that went to a domain so far, by its share of the last ones."""
        there = sum(group(addresses.domain(email)) == key for email in self._last)
        share = there / max(len(self._last), 1)
        return share * self._seen / max(now - self._since, 1.0)

    def slow_domains(self) -> Mapping[str, float]:
        """Return the rate of every domain that has one."""
        return {domain: slow.rate for domain, slow in self._slow.items() if slow.rate}


def group(domain: str) -> str:
    """Return the domain that stands for all those which share its servers."""
    return _GROUPS.get(domain, domain)
