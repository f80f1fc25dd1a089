"""Where a request comes from, behind proxies that the settings trust and no others."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.requests import Request

Networks = Sequence[IPv4Network | IPv6Network]


def address(request: Request, trusted: Networks) -> str:
    """Return the address of a visitor.

    X-Forwarded-For is read from its right end, as far as each hop is a proxy of ours: what lies
    further left anybody could have written.
    """
    found = request.client.host if request.client else ""
    hops = [hop.strip() for hop in request.headers.get("x-forwarded-for", "").split(",") if hop.strip()]
    while hops and _is_in(found, trusted):
        found = hops.pop()
    return found


def _is_in(address: str, networks: Networks) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks if network.version == found.version)
