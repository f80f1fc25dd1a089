"""How often what may be done: what keeps forms from being used to bomb other people's mailboxes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """So many times within a span; without a span: ever."""

    times: int
    span: timedelta | None = None

    def window(self, now: datetime) -> int:
        """Return the number of the span that a moment lies in."""
        return int(now.timestamp() // self.span.total_seconds()) if self.span else 0


@dataclass(frozen=True, kw_only=True)
class Allowances:
    """What the public forms may be used for, with their defaults."""

    visitor: Allowance = Allowance(times=10, span=timedelta(hours=1))
    address: Allowance = Allowance(times=1, span=timedelta(days=1))
    #: Confirmation mails to one address until it is confirmed.
    address_ever: Allowance = Allowance(times=3)
    domain: Allowance = Allowance(times=60, span=timedelta(hours=1))
    everybody: Allowance = Allowance(times=300, span=timedelta(hours=1))


def visitor(address: str) -> str:
    """Return what stands for a visitor: an IPv4 address, or the /64 that an IPv6 one can roam."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        return str(ip_network((found.ipv4_mapped or found, 32 if found.ipv4_mapped else 64), strict=False))
    return str(found)


def nothing(_address: str) -> str:
    """Return nothing of an address: what is not kept need not be guarded."""
    return ""


def truncated(address: str) -> str:
    """Return an address that names a network rather than a person: /24, or /48 for IPv6."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    return str(ip_network((found, 48 if found.version == 6 else 24), strict=False))
