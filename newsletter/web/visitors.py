"""Where a request comes from, behind proxies that the settings trust and no others."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address

from starlette.requests import Request

#: An IPv6 address has more than one colon, and brackets where a port follows.
_PORTED = re.compile(r"(?:\[([^\]]+)\]|([^:]+))(?::\d+)?")

Networks = Sequence[IPv4Network | IPv6Network]


def address(request: Request, trusted: Networks) -> str:
    """Return the address of a visitor.

    X-Forwarded-For is read from its right end, as far as each hop is a proxy of ours: what lies
    further left anybody could have written. A proxy may add a line of its own to the visitor's
    (RFC 9110 §5.3), and some add a port.
    """
    found = request.client.host if request.client else ""
    lines = ",".join(request.headers.getlist("x-forwarded-for"))
    hops = [hop.strip() for hop in lines.split(",") if hop.strip()]
    while hops and _is_in(found, trusted):
        found = _bare(hops.pop())
    return found


def _bare(hop: str) -> str:
    """Return an address without its port: ``192.0.2.1:51234``, ``[2001:db8::5]:51234``."""
    ported = _PORTED.fullmatch(hop)
    return ported[1] or ported[2] if ported else hop


def _is_in(address: str, networks: Networks) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in networks if network.version == found.version)
