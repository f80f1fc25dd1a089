"""Mail addresses: how they compare, and how they are shown to strangers."""

from __future__ import annotations

import re

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#: RFC 5321 dot-atoms and host names in ASCII, without the reserved double hyphen of international ones.
_PLAIN = re.compile(
    rf"(?=[^@]{{1,64}}@)(?!.*@(?:.*\.)?..--)({_ATOM}(?:\.{_ATOM})*)@((?:{_LABEL}\.)+[A-Za-z]{{2,63}})",
    re.ASCII,
)
_MAX_LENGTH = 254
#: Top-level domains that can never be mailed (RFC 6761, RFC 7686, RFC 6762).
_RESERVED = (".arpa", ".invalid", ".local", ".localhost", ".onion", ".test")


def plain(text: str) -> str | None:
    """Return a plain ASCII address with its domain in lower case; None when it needs a closer look.

    What passes here is an address. What does not may still be one: an international one, say.
    """
    found = _PLAIN.fullmatch(text)
    if found is None or len(text) > _MAX_LENGTH:
        return None
    local, host = found.groups()
    host = host.lower()
    return None if host.endswith(_RESERVED) else f"{local}@{host}"


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
