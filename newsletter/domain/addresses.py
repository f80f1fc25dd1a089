"""Mail addresses: how they compare, and how they are shown to strangers."""

from __future__ import annotations


def key(address: str) -> str:
    """Return the form in which two spellings of one address are equal.

    RFC 5321 lets local parts differ by case; no receiver in use tells them apart.
    """
    return address.strip().casefold()


def domain(address: str) -> str:
    """Return the part behind the last @, lower case."""
    return address.rpartition("@")[2].lower()


def masked(address: str) -> str:
    """Return an address that its owner recognises and a stranger cannot use: ``a•••@example.org``."""
    local, _, host = address.rpartition("@")
    return f"{local[:1]}•••@{host}"


def is_ascii(address: str) -> bool:
    """Say whether an address needs no SMTPUTF8 (RFC 6531)."""
    return address.isascii()
