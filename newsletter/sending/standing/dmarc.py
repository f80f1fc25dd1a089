"""DMARC: what receivers do with mail that fails, and which domains belong together (RFC 9989)."""

from __future__ import annotations

from dataclasses import dataclass, field

from newsletter.domain.diagnoses import Concern, Diagnosis
from newsletter.sending.standing import names
from newsletter.sending.standing.names import Zone

CONCERN = Concern("DMARC")
#: Tags of RFC 7489 that RFC 9989 took away.
_GONE = ("pct", "rf", "ri")
_POLICIES = frozenset({"none", "quarantine", "reject"})


@dataclass(frozen=True, kw_only=True)
class Policy:
    """The record that holds for a domain."""

    #: Where the record stands: the domain itself or one above it.
    at: str = ""
    told: dict[str, str] = field(default_factory=dict)
    #: The domain that all below it are aligned by.
    organization: str = ""
    #: Several records at one name: receivers then use none.
    several: bool = False
    failure: str = ""


def find(domain: str, zone: Zone) -> Policy:
    """Walk up the tree from a domain to the record that holds for it."""
    met: list[tuple[str, dict[str, str]]] = []
    for name in names.ancestry(domain):
        found = zone.look_up(f"_dmarc.{name}", "TXT")
        if found.failure:
            return Policy(failure=found.failure)
        texts = [text for text in found.values if names.tags(text).get("v") == "DMARC1"]
        if len(texts) > 1 and name == domain:
            return Policy(at=name, told=names.tags(texts[0]), several=True)
        if len(texts) == 1:
            met.append((name, names.tags(texts[0])))
            if met[-1][1].get("psd") == "n":
                break
    if not met:
        return Policy(organization=domain)
    at, told = met[0]
    return Policy(at=at, told=told, organization=_organization(domain, met))


def judge(domain: str, policy: Policy, zone: Zone, *, reports_to: str) -> Diagnosis:
    """Judge the record that holds for a domain; ``reports_to`` is an address for the one to publish."""
    fresh = names.record(f"_dmarc.{domain}", "TXT", f"v=DMARC1; p=none; rua=mailto:{reports_to}")
    if policy.failure:
        return CONCERN.untold(f"_dmarc.{domain}: {policy.failure}", "look again when the network is up")
    if policy.several:
        return CONCERN.broken(
            f"_dmarc.{domain} has several records; receivers use none",
            "keep this one alone",
            record=_cured(policy),
        )
    if not policy.at:
        return CONCERN.broken(f"{domain} has none", "publish this record", record=fresh)
    return _content(domain, policy, zone, reports_to)


def _content(domain: str, policy: Policy, zone: Zone, reports_to: str) -> Diagnosis:
    told, place = policy.told, f"_dmarc.{policy.at}"
    asked = told.get("p", "none") if policy.at == domain else told.get("sp", told.get("p", "none"))
    asked = asked.lower()
    if asked not in _POLICIES:
        return CONCERN.broken(
            f"{place}: p={asked} is none of none, quarantine, reject",
            "publish this record in place of the old one",
            record=_cured(policy),
        )
    if gone := [tag for tag in _GONE if tag in told]:
        return CONCERN.doubtful(
            f"{place}: {', '.join(gone)} means nothing any more (RFC 9989)",
            "take it out",
            record=_cured(policy),
        )
    if told.get("t") == "y":
        return CONCERN.doubtful(f"{place} is marked as a test (t=y)", "take t=y out", record=_cured(policy))
    if "rua" not in told:
        return CONCERN.doubtful(
            f"{place}: nobody gets the reports",
            "publish this record in place of the old one, to see who sends in your name",
            record=_cured(policy, rua=f"mailto:{reports_to}"),
        )
    if stranger := _unwilling(policy, zone):
        return CONCERN.doubtful(
            f"{place}: {stranger} has not said that it takes reports about {policy.at}",
            "its owner has to publish this record",
            record=names.record(f"{policy.at}._report._dmarc.{stranger}", "TXT", "v=DMARC1"),
        )
    return CONCERN.holds(f"{place}: p={asked}, reports to {told['rua']}")


def aligned(one: str, other: str, zone: Zone, *, strict: bool = False) -> bool | None:
    """Say whether two domains are aligned (RFC 9989 §4.4); None where it could not be looked up."""
    if one.lower() == other.lower():
        return True
    if strict:
        return False
    policies = find(one, zone), find(other, zone)
    if any(policy.failure for policy in policies):
        return None
    return policies[0].organization == policies[1].organization


def _organization(domain: str, met: list[tuple[str, dict[str, str]]]) -> str:
    """Return the organizational domain from the records of a walk (RFC 9989 §4.10.2)."""
    for name, told in met:
        if told.get("psd") == "n":
            return name
        if told.get("psd") == "y" and name != domain:
            labels = domain.split(".")
            return ".".join(labels[-(name.count(".") + 2) :])
    return met[-1][0]


def _unwilling(policy: Policy, zone: Zone) -> str:
    """Return a domain that reports go to without its word (RFC 9990 §4), or an empty text."""
    for target in policy.told["rua"].split(","):
        host = target.strip().partition("!")[0].rpartition("@")[2].lower()
        inside = f".{host}".endswith(f".{policy.organization}") or f".{policy.at}".endswith(f".{host}")
        if not host or inside:
            continue
        found = zone.look_up(f"{policy.at}._report._dmarc.{host}", "TXT")
        if not found.failure and not any(text.startswith("v=DMARC1") for text in found.values):
            return host
    return ""


def _cured(policy: Policy, **said: str) -> str:
    """Write the record anew: what it says, without what means nothing, and with what it ought to say."""
    kept = {name: value for name, value in policy.told.items() if name not in (*_GONE, "t")}
    for name in ("p", "sp"):
        if kept.get(name, "none").lower() not in _POLICIES:
            kept[name] = "none"
    kept.update(said)
    return names.record(f"_dmarc.{policy.at}", "TXT", "; ".join(f"{k}={v}" for k, v in kept.items()))
