"""Mail addresses: how they compare, and how they are shown to strangers."""

from __future__ import annotations

import re

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#: RFC 5321 dot-atom, and host name, in ASCII.
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_HOST = re.compile(rf"(?:{_LABEL}\.)+[A-Za-z]{{2,63}}")
_is_local = _LOCAL.fullmatch
_MAX_LOCAL, _MAX_LENGTH = 64, 254
#: Top-level domains that can never be mailed (RFC 6761, RFC 7686, RFC 6762).
_RESERVED = (".arpa", ".invalid", ".local", ".localhost", ".onion", ".test")


def plain(text: str) -> str | None:
    """Return a plain ASCII address with its domain in lower case; None when it needs a closer look.

    What passes here is an address. What does not may still be one: an international one, say.
    """
    local, _, host = text.rpartition("@")
    lower = _hosts.get(host)
    if lower is None:
        lower = _remembered(host)
    if not lower or len(local) > _MAX_LOCAL or len(text) > _MAX_LENGTH or not _is_local(local):
        return None
    return text if lower == host else f"{local}@{lower}"


#: Host → as it is mailed, empty where it cannot be: many people share few hosts.
_hosts: dict[str, str] = {}
_REMEMBERED = 4096


def _remembered(host: str) -> str:
    lower = _plain_host(host)
    if len(_hosts) < _REMEMBERED:
        _hosts[host] = lower
    return lower


def _plain_host(host: str) -> str:
    # A double hyphen is what international names are told by.
    if not _HOST.fullmatch(host) or "--" in host:
        return ""
    lower = host.lower()
    return "" if lower.endswith(_RESERVED) else lower


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
