"""Look-ups in the DNS as a protocol, and what domains have to do with each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

#: RFC 9989 §4.10: a tree walk asks for at most eight names.
_WALK = 8


@dataclass(frozen=True, kw_only=True)
class Found:
    """The records of one name and type; a look-up that failed is no missing record."""

    #: As in a zone file, without the dot at the end of names; TXT strings joined.
    values: tuple[str, ...] = ()
    #: Why nothing can be said; empty where the answer is certain.
    failure: str = ""


class Zone(Protocol):
    """The DNS, or what stands for it."""

    def look_up(self, name: str, kind: str) -> Found:
        """Return the records of a name: A, AAAA, MX, TXT, CNAME or PTR (by address)."""
        ...


class WrittenZone:
    """A zone that is written down: lines of ``name kind value``."""

    def __init__(self, text: str, *, failing: Sequence[str] = ()) -> None:
        """Take the records, and the names that nothing can be found out about."""
        self._failing = {name.lower() for name in failing}
        self._records: dict[tuple[str, str], list[str]] = {}
        for line in text.strip().splitlines():
            name, kind, value = line.split(None, 2)
            self._records.setdefault((name.lower(), kind), []).append(value)

    def look_up(self, name: str, kind: str) -> Found:
        """Return the records of a name."""
        if name.lower() in self._failing:
            return Found(failure="no name server answered in time")
        return Found(values=tuple(self._records.get((name.lower(), kind), ())))


def addresses(zone: Zone, host: str) -> Found:
    """Return every address of a host, of both families."""
    both = [zone.look_up(host, kind) for kind in ("A", "AAAA")]
    values = tuple(value for found in both for value in found.values)
    return Found(values=values, failure="" if values else both[0].failure or both[1].failure)


def exchangers(found: Found) -> list[str]:
    """Return the hosts of MX records, the preferred first; the null MX (RFC 7505) is an empty name."""
    pairs = (value.partition(" ") for value in found.values)
    return [host.strip(". ").lower() for _, _, host in sorted(pairs, key=lambda pair: int(pair[0] or 0))]


def ancestry(domain: str) -> list[str]:
    """Return the names that a tree walk asks, from the domain up (RFC 9989 §4.10)."""
    labels = domain.lower().strip(".").split(".")
    above = [".".join(labels[start:]) for start in range(1, len(labels))]
    return [".".join(labels), *above[-(_WALK - 1) :]]


def tags(text: str) -> dict[str, str]:
    """Read a list of ``name=value`` pairs as DKIM and DMARC records have it (RFC 6376 §3.2)."""
    pairs = (part.partition("=") for part in text.split(";") if part.strip())
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def record(name: str, kind: str, value: str) -> str:
    """Write a record as in a zone file; text in strings of at most 255 bytes (RFC 1035 §3.3.14)."""
    if kind == "TXT":
        value = " ".join(f'"{value[start : start + 250]}"' for start in range(0, len(value), 250))
    return f"{name}. IN {kind} {value}"
