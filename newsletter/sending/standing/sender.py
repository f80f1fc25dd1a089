"""Who we are to the DNS: the sender's domain, where bounces go, the names of our servers."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from newsletter.domain.diagnoses import Concern, Diagnosis
from newsletter.sending.standing import names
from newsletter.sending.standing.names import Zone

DOMAIN = Concern("sender domain")
FREE_MAIL = Concern("free mail")
BOUNCES = Concern("bounces")
REVERSE = Concern("reverse DNS")
POLICIES = Concern("transport and logo")
_LATER = "look again when the network is up"

#: Mail services whose DMARC policy keeps everybody else from sending with their domains.
_FREE = frozenset(
    [
        "gmail.com",
        "googlemail.com",
        "yahoo.com",
        "yahoo.co.uk",
        "yahoo.co.jp",
        "ymail.com",
        "aol.com",
        "hotmail.com",
        "outlook.com",
        "live.com",
        "msn.com",
        "icloud.com",
        "me.com",
        "mac.com",
        "gmx.de",
        "gmx.net",
        "gmx.com",
        "web.de",
        "mail.ru",
        "yandex.ru",
        "proton.me",
        "protonmail.com",
        "zoho.com",
        "fastmail.com",
        "qq.com",
        "163.com",
        "126.com",
        "naver.com",
        "orange.fr",
        "free.fr",
        "t-online.de",
    ]
)


@dataclass(frozen=True, kw_only=True)
class Server:
    """The SMTP server that we hand over to, as it was met."""

    host: str = ""
    #: The name that it greets with.
    name: str = ""
    #: Whether it is on this machine or network: then its address is what receivers see of us.
    own: bool = False


def domain(name: str, zone: Zone) -> Diagnosis:
    """Judge whether a domain can receive mail: receivers refuse senders that cannot be answered."""
    found = zone.look_up(name, "MX")
    if found.failure:
        return DOMAIN.untold(f"{name}: {found.failure}", _LATER)
    hosts = names.exchangers(found)
    if hosts == [""]:
        return DOMAIN.broken(
            f"{name} says that it takes no mail (null MX)",
            "send from a domain that does, or publish a record such as this in its place",
            record=names.record(name, "MX", f"10 mail.{name}."),
        )
    if hosts:
        return DOMAIN.holds(f"{name} receives mail at {', '.join(hosts[:3])}")
    addresses = names.addresses(zone, name)
    if addresses.failure:
        return DOMAIN.untold(f"{name}: {addresses.failure}", _LATER)
    record = names.record(name, "MX", f"10 mail.{name}.")
    if addresses.values:
        return DOMAIN.doubtful(f"{name} has no MX, only an address", "publish an MX record", record=record)
    return DOMAIN.broken(
        f"{name} cannot receive mail: neither MX nor address", "publish a record such as this", record=record
    )


def free_mail(name: str) -> Diagnosis:
    """Judge whether the sender's domain is one that others may not send with."""
    if name in _FREE:
        return FREE_MAIL.broken(
            f"{name} forbids other servers to send in its name", "send from a domain of your own"
        )
    return FREE_MAIL.holds(f"{name} is a domain of its own")


def bounces(name: str, mailbox: str, zone: Zone, *, smtp: bool) -> Diagnosis:
    """Judge whether mails that come back to the sender's domain reach the mailbox that is read."""
    if not smtp:
        return BOUNCES.holds("the provider takes bounces in and tells of them by webhook")
    if not mailbox:
        return BOUNCES.doubtful(
            "no mailbox is read: dead addresses stay on the list", "set mailbox under [bounces]"
        )
    found = zone.look_up(name, "MX")
    if found.failure:
        return BOUNCES.untold(f"{name}: {found.failure}", _LATER)
    hosts, host = names.exchangers(found), urlsplit(mailbox).hostname or ""
    if not any(hosts):
        why = "it takes no mail (null MX)" if hosts else "there is no MX"
        return BOUNCES.broken(
            f"bounce+…@{name} reaches nobody: {why}",
            "publish a record such as this",
            record=names.record(name, "MX", f"10 {host or f'mail.{name}'}."),
        )
    if not host or any(_related(host, each) for each in hosts):
        return BOUNCES.holds(f"bounce+…@{name} goes to {hosts[0]}; we read {host or 'a folder here'}")
    return BOUNCES.doubtful(
        f"bounce+…@{name} goes to {hosts[0]}, and we read a mailbox at {host}",
        f"`newsletter doctor --to bounce+doctor@{name}` shows whether mail arrives there",
    )


def reverse_name(server: Server, zone: Zone) -> Diagnosis:
    """Judge whether the addresses of our server lead back to its name."""
    if not server.name:
        return REVERSE.holds("the provider's own servers deliver: this is theirs to keep")
    found = names.addresses(zone, server.name)
    if found.failure:
        return REVERSE.untold(f"{server.name}: {found.failure}", _LATER)
    say = REVERSE.broken if server.own else REVERSE.doubtful
    if not found.values:
        return say(
            f"{server.name}, as the server greets, does not exist",
            "publish a record such as this, or have the server greet with its real name",
            record=names.record(server.name, "A", "192.0.2.1"),
        )
    for address in found.values:
        back = zone.look_up(address, "PTR")
        if back.failure:
            return REVERSE.untold(f"{address}: {back.failure}", _LATER)
        if server.name.lower() not in [value.lower() for value in back.values]:
            name = ipaddress.ip_address(address).reverse_pointer
            return say(
                f"{address} leads back to {', '.join(back.values) or 'no name'}, not to {server.name}",
                "ask whoever rents the address out to publish this record",
                record=names.record(name, "PTR", f"{server.name}."),
            )
    return REVERSE.holds(f"{server.name} ↔ {', '.join(found.values)}")


def policies(name: str, zone: Zone) -> Diagnosis:
    """Tell of MTA-STS, TLS reports and BIMI: nobody asks for them of a sender."""
    said: list[str] = []
    missing: list[str] = []
    for label, host, mark in (
        ("MTA-STS", f"_mta-sts.{name}", "v=STSv1"),
        ("TLS-RPT", f"_smtp._tls.{name}", "v=TLSRPTv1"),
        ("BIMI", f"default._bimi.{name}", "v=BIMI1"),
    ):
        found = zone.look_up(host, "TXT")
        if found.failure:
            return POLICIES.untold(f"{host}: {found.failure}", _LATER)
        there = any(text.lower().startswith(mark.lower()) for text in found.values)
        (said if there else missing).append(label)
    words = [f"{', '.join(said)} published"] if said else []
    return POLICIES.holds("; ".join([*words, *([f"{', '.join(missing)} not needed"] if missing else [])]))


def public(addresses: Sequence[str]) -> list[str]:
    """Return the addresses that the world can reach."""
    return [address for address in addresses if ipaddress.ip_address(address).is_global]


def _related(host: str, other: str) -> bool:
    """Say whether two hosts are of one house: their last two labels are the same."""
    return host.lower().split(".")[-2:] == other.split(".")[-2:]
