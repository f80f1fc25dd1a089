"""What looks wrong with an address that is one: nobody's mailbox, a throw-away host, a slip of the finger."""

from __future__ import annotations

import enum
import functools

#: Mailboxes that many people read, or nobody (RFC 2142, and what complaints come from).
ROLES = frozenset(
    [
        "abuse",
        "admin",
        "administrator",
        "billing",
        "contact",
        "customerservice",
        "donotreply",
        "do-not-reply",
        "editor",
        "editors",
        "feedback",
        "hello",
        "help",
        "helpdesk",
        "hostmaster",
        "hr",
        "info",
        "inquiries",
        "it",
        "jobs",
        "mail",
        "mailer-daemon",
        "marketing",
        "media",
        "news",
        "newsletter",
        "no-reply",
        "noc",
        "noreply",
        "office",
        "postmaster",
        "press",
        "privacy",
        "root",
        "sales",
        "security",
        "service",
        "spam",
        "staff",
        "subscribe",
        "support",
        "team",
        "usenet",
        "unsubscribe",
        "webmaster",
        "www",
    ]
)

#: Hosts whose mailboxes are gone in minutes.
DISPOSABLE = frozenset(
    [
        "0-mail.com",
        "10minutemail.com",
        "20minutemail.com",
        "33mail.com",
        "anonbox.net",
        "burnermail.io",
        "discard.email",
        "discardmail.com",
        "dispostable.com",
        "emailondeck.com",
        "fakeinbox.com",
        "fakemail.net",
        "getairmail.com",
        "getnada.com",
        "grr.la",
        "guerrillamail.com",
        "guerrillamail.net",
        "guerrillamail.org",
        "inboxbear.com",
        "inboxkitten.com",
        "jetable.org",
        "mail-temp.com",
        "mailcatch.com",
        "maildrop.cc",
        "mailexpire.com",
        "mailinator.com",
        "mailinator.net",
        "mailnesia.com",
        "mailnull.com",
        "mintemail.com",
        "moakt.com",
        "mohmal.com",
        "mytemp.email",
        "mytrashmail.com",
        "nada.email",
        "sharklasers.com",
        "spam4.me",
        "spamgourmet.com",
        "temp-mail.io",
        "temp-mail.org",
        "tempail.com",
        "tempinbox.com",
        "tempmail.dev",
        "tempr.email",
        "throwawaymail.com",
        "tmail.ws",
        "tmpmail.org",
        "trash-mail.com",
        "trashmail.com",
        "trashmail.net",
        "trbvm.com",
        "wegwerfmail.de",
        "yopmail.com",
        "yopmail.fr",
    ]
)

#: Hosts that so many people have that a name one slip away is a slip.
_BIG = [
    "gmail.com",
    "yahoo.com",
    "hotmail.com",
    "outlook.com",
    "icloud.com",
    "aol.com",
    "live.com",
    "msn.com",
    "comcast.net",
    "verizon.net",
    "protonmail.com",
    "yahoo.co.jp",
    "docomo.ne.jp",
    "ezweb.ne.jp",
    "softbank.ne.jp",
    "googlemail.com",
    "btinternet.com",
]
#: Hosts of their own that lie one slip away.
_REAL = frozenset(
    [
        "mail.com",
        "ymail.com",
        "email.com",
        "fmail.com",
        "live.co.uk",
        "line.com",
        "love.com",
        "lite.com",
        "hive.com",
        "aol.co.uk",
        "msn.co",
        "mac.com",
        "me.com",
        "bol.com",
        "col.com",
    ]
)


class Suspicion(enum.StrEnum):
    """Why an address is worth a second look."""

    ROLE = "role address"
    DISPOSABLE = "disposable domain"
    TYPO = "likely typo"


def of(address: str) -> tuple[Suspicion, str] | None:
    """Return what is suspicious about an address, and what may have been meant; None for nothing."""
    local, _, host = address.rpartition("@")
    if found := of_host(host):
        return found
    return (Suspicion.ROLE, "") if local.lower() in ROLES else None


@functools.lru_cache(maxsize=65536)
def of_host(host: str) -> tuple[Suspicion, str] | None:
    """Return what is suspicious about the host of an address, and which one may have been meant."""
    host = host.lower()
    if host in DISPOSABLE:
        return Suspicion.DISPOSABLE, ""
    if host in _BIG or host in _REAL:
        return None
    meant = next((big for big in _BIG if _one_slip(host, big)), "")
    return (Suspicion.TYPO, meant) if meant else None


def _one_slip(typed: str, meant: str) -> bool:
    """Say whether one letter was missed, doubled, replaced, or swapped with the next."""
    if abs(len(typed) - len(meant)) > 1 or typed == meant:
        return False
    same = next(
        (n for n, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b), min(len(typed), len(meant))
    )
    rest, wanted = typed[same:], meant[same:]
    replaced = rest[1:] == wanted[1:]
    missed = rest == wanted[1:]
    added = rest[1:] == wanted
    swapped = rest[:2] == wanted[:2][::-1] and rest[2:] == wanted[2:]
    return replaced or missed or added or swapped
