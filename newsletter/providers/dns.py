"""The DNS: look-ups that tell a missing record from a look-up that failed."""

from __future__ import annotations

import ipaddress

import dns.exception
import dns.name
import dns.rdata
import dns.resolver
import dns.reversename

from newsletter.sending.standing.names import Found

#: Seconds for one look-up, all servers included.
_LIFETIME = 5.0
#: Nobody answers for these (RFC 2606, RFC 6761).
_RESERVED = tuple(
    dns.name.from_text(name)
    for name in (
        "test",
        "example",
        "invalid",
        "localhost",
        "local",
        "example.com",
        "example.net",
        "example.org",
    )
)


class Resolver:
    """Asks the servers of the system, or others."""

    def __init__(self, resolver: dns.resolver.Resolver | None = None) -> None:
        self._resolver = resolver
        self._known: dict[tuple[str, str], Found] = {}

    def look_up(self, name: str, kind: str) -> Found:
        """Return the records of a name; asked once."""
        key = (name.lower(), kind)
        if key not in self._known:
            self._known[key] = self._looked_up(name, kind)
        return self._known[key]

    def _looked_up(self, name: str, kind: str) -> Found:
        try:
            query = dns.reversename.from_address(name) if kind == "PTR" else dns.name.from_text(name)
        except (dns.exception.DNSException, UnicodeError, ValueError):
            return Found(failure=f"“{name}” is no name")
        if kind != "PTR" and any(query.is_subdomain(above) for above in _RESERVED):
            return Found(failure="the name is reserved for examples, and nobody answers for it")
        return self._asked(query, kind)

    def _asked(self, query: dns.name.Name, kind: str) -> Found:
        try:
            resolver = self._resolver or dns.resolver.get_default_resolver()
            answer = resolver.resolve(query, kind, lifetime=_LIFETIME, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return Found()
        except dns.exception.Timeout:
            return Found(failure="no name server answered in time")
        except (dns.exception.DNSException, OSError) as error:
            return Found(failure=" ".join(str(error).split()) or type(error).__name__)
        return Found(values=tuple(_text(record) for record in answer))


def _text(record: dns.rdata.Rdata) -> str:
    strings = getattr(record, "strings", None)
    if strings is not None:
        return b"".join(strings).decode("utf-8", "replace")
    text = record.to_text()
    return text if text.endswith(" .") else text.rstrip(".")


def is_own(addresses: tuple[str, ...]) -> bool:
    """Say whether a server is on this machine or its network."""
    return bool(addresses) and not any(ipaddress.ip_address(address).is_global for address in addresses)
