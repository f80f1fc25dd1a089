"""The examination: each concern of a sender once, in an order in which later ones rest on earlier ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from newsletter.domain.diagnoses import Concern, Diagnosis, Verdict
from newsletter.sending.standing import dmarc, keys, names, pages, rules, sender, spf, vendors
from newsletter.sending.standing.names import Zone

ALIGNMENT = Concern("alignment")
CONNECTION = Concern("connection")


@dataclass(frozen=True, kw_only=True)
class Case:
    """What is examined."""

    #: Of the From address; MAIL FROM has the same, by construction.
    domain: str
    kind: str
    server: sender.Server = field(default_factory=sender.Server)
    #: The domain of our own or the provider's signatures, and where its keys stand.
    signs_as: str = ""
    selectors: Sequence[str] = ()
    public_key: str = ""
    mailbox: str = ""
    #: A link of one-click unsubscription that is nobody's.
    leave_url: str = ""
    contact: str = ""
    opens: bool = False
    clicks: bool = False


@dataclass(frozen=True, kw_only=True)
class Met:
    """What the provider said of itself, where it could be asked."""

    #: How mail is carried to it, as a diagnosis of the connection.
    connection: Diagnosis
    account: Sequence[Diagnosis] = ()
    #: Its clock.
    date: datetime | None = None


def examine(case: Case, zone: Zone, asker: pages.Asker, met: Met, *, now: datetime) -> Iterator[Diagnosis]:
    """Yield what is found about every concern, and what the big receivers make of it."""
    found = [*_by_name(case, zone), met.connection]
    lost = pages.unreachable(case.leave_url, zone)
    one_click, reply = (lost, None) if lost else pages.one_click(case.leave_url, asker)
    there = met.date or (reply.date if reply else None)
    who = "the provider" if met.date else "the pages' server"
    found += [
        one_click,
        pages.tracking(opens=case.opens, clicks=case.clicks, one_click=one_click),
        *met.account,
        pages.clock(there, now, who=who),
    ]
    yield from found
    yield from rules.judge(found)


def _by_name(case: Case, zone: Zone) -> Iterator[Diagnosis]:
    """Yield what the DNS tells."""
    vendor = vendors.of(case.kind)
    yield sender.free_mail(case.domain)
    yield sender.domain(case.domain, zone)
    yield _spf(case, vendor, zone)
    signs_as = case.signs_as or case.domain
    selectors = [*case.selectors, *vendor.selectors]
    key = keys.judge(signs_as, zone, selectors=selectors, public_key=case.public_key, where=vendor.where)
    yield key
    policy = dmarc.find(case.domain, zone)
    yield dmarc.judge(case.domain, policy, zone, reports_to=case.contact)
    yield _alignment(case, key, policy, zone)
    yield sender.bounces(case.domain, case.mailbox, zone, smtp=vendor.smtp)
    yield sender.reverse_name(case.server, zone)
    yield sender.policies(case.domain, zone)


def _spf(case: Case, vendor: vendors.Vendor, zone: Zone) -> Diagnosis:
    servers = sender.public(names.addresses(zone, case.server.name).values) if case.server.own else []
    relay = case.server.host if vendor.smtp and not case.server.own else ""
    return spf.judge(case.domain, zone, include=vendor.include, servers=servers, relay=relay)


def _alignment(case: Case, key: Diagnosis, policy: dmarc.Policy, zone: Zone) -> Diagnosis:
    """Judge whether MAIL FROM or the signature speaks for the From address (RFC 9989 §4.4)."""
    signs_as = case.signs_as or case.domain
    strict = policy.told.get("adkim") == "s"
    by_signature = dmarc.aligned(signs_as, case.domain, zone, strict=strict)
    if by_signature is None:
        return ALIGNMENT.untold(f"{signs_as}: {policy.failure or 'no answer'}", "look again later")
    by_sender = vendors.of(case.kind).smtp
    if not by_sender and not by_signature:
        return ALIGNMENT.broken(
            f"signed as {signs_as}, sent from the provider's own domain: neither is {case.domain}",
            f"have the provider sign as {case.domain}",
        )
    if not by_sender and key.verdict is Verdict.WARN:
        return ALIGNMENT.doubtful(f"rests on DKIM alone, with d={signs_as}, which is weak", "mend DKIM")
    if not by_sender and key.verdict is not Verdict.PASS:
        return ALIGNMENT.untold(
            f"rests on DKIM alone, with d={signs_as}", "mend DKIM, or let `newsletter doctor --to` tell"
        )
    if not by_signature:
        return ALIGNMENT.doubtful(
            f"rests on MAIL FROM alone, which forwarders change: signed as {signs_as}",
            f"have the mail signed as {case.domain}",
        )
    how = [*(["MAIL FROM"] if by_sender else []), *([f"d={signs_as}"] if by_signature else [])]
    return ALIGNMENT.holds(f"{' and '.join(how)} aligned with {case.domain}")
