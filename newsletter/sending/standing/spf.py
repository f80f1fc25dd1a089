"""SPF: who may send with a domain in MAIL FROM (RFC 7208)."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from newsletter.domain.diagnoses import Concern, Diagnosis
from newsletter.sending.standing import names
from newsletter.sending.standing.names import Zone

CONCERN = Concern("SPF")
#: RFC 7208 §4.6.4.
_LOOKUPS = 10
_VOIDS = 2
_ASKING = frozenset({"a", "mx", "ptr", "exists", "include", "redirect"})


@dataclass(kw_only=True)
class Reading:
    """What a record says, with everything that it includes."""

    #: The record as it stands, and every one where there are several.
    text: str = ""
    texts: Sequence[str] = ()
    lookups: int = 0
    voids: int = 0
    #: The qualifier of `all`: ``-``, ``~``, ``?`` or ``+``; empty where there is none.
    ends: str = ""
    #: Domains that are included or redirected to, at any depth.
    includes: set[str] = field(default_factory=set)
    networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = field(default_factory=list)
    #: Why receivers answer “permerror”.
    error: str = ""
    #: Why something could not be looked up.
    failure: str = ""

    def covers(self, address: str) -> bool:
        """Say whether a server at this address may send."""
        found = ipaddress.ip_address(address)
        return any(found in network for network in self.networks if network.version == found.version)


def read(domain: str, zone: Zone) -> Reading:
    """Read a domain's record and all that it includes."""
    reading = Reading()
    _walk(reading, domain, zone, depth=0)
    return reading


def judge(domain: str, zone: Zone, *, include: str, servers: Sequence[str], relay: str = "") -> Diagnosis:
    """Judge a domain's record for a provider's ``include``, or for servers of one's own.

    ``relay`` is the server of somebody else that we hand over to; its owner knows what to include.
    """
    reading = read(domain, zone)
    wanted = f"include:{include}" if include else _networks(servers)
    if reading.failure:
        return CONCERN.untold(f"{domain}: {reading.failure}", "look again when the network is up")
    if not reading.text and not reading.error:
        # Without the servers of its other mail, the domain would disown them.
        text = f"v=spf1 {wanted or (f'mx a:{relay}' if relay else 'mx')} ~all"
        beside = f", with what the owner of {relay} has customers include" if relay else ""
        return CONCERN.broken(
            f"{domain} has none", f"publish this record{beside}", record=names.record(domain, "TXT", text)
        )
    if len(reading.texts) > 1:
        return CONCERN.broken(
            f"{domain}: {reading.error}",
            "publish this record in place of them all",
            record=names.record(domain, "TXT", _merged(reading.texts, wanted)),
        )
    if reading.error:
        return CONCERN.broken(f"{domain}: {reading.error}", "receivers treat this as no SPF at all: mend it")
    missing = (include and include not in reading.includes) or _uncovered(reading, servers)
    if missing:
        return CONCERN.broken(
            f"{domain} does not name {include or ', '.join(_uncovered(reading, servers))}",
            "publish this record in place of the old one",
            record=names.record(domain, "TXT", _with(reading.text, wanted)),
        )
    return _ending(domain, reading)


def _ending(domain: str, reading: Reading) -> Diagnosis:
    says = f"{domain}: {reading.lookups} look-ups of {_LOOKUPS}, ends in {reading.ends or 'nothing'}all"
    if reading.ends in ("-", "~"):
        return CONCERN.holds(says)
    words = [word for word in reading.text.split() if word.lstrip("+?").lower() != "all"]
    # Beside an `all` a redirect means nothing (RFC 7208 §6.1).
    text = " ".join(re.sub("^redirect=", "include:", word, flags=re.IGNORECASE) for word in words)
    return CONCERN.doubtful(
        f"{says}: it lets anybody send", "end it in ~all", record=names.record(domain, "TXT", f"{text} ~all")
    )


def _walk(reading: Reading, domain: str, zone: Zone, *, depth: int) -> None:
    found = zone.look_up(domain, "TXT")
    if found.failure:
        reading.failure = reading.failure or found.failure
        return
    texts = [text for text in found.values if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]
    if not depth and not reading.texts:
        reading.texts = texts
    if len(texts) > 1:
        reading.error = f"{len(texts)} SPF records at {domain}; there may be one"
    elif not texts and (depth or reading.text):
        reading.error = f"{domain} is included and has no SPF record"
    if len(texts) != 1:
        return
    reading.text = reading.text or texts[0]
    for term in texts[0].split()[1:]:
        _term(reading, term, domain, zone, depth=depth)


def _term(reading: Reading, term: str, domain: str, zone: Zone, *, depth: int) -> None:
    """Follow one mechanism or modifier."""
    qualifier, body = (term[0], term[1:]) if term[0] in "+-~?" else ("+", term)
    name, _, value = body.replace("=", ":", 1).partition(":")
    name, _, prefix = name.lower().partition("/")
    if name in _ASKING:
        reading.lookups += 1
        if reading.lookups > _LOOKUPS:
            reading.error = f"more than {_LOOKUPS} look-ups; receivers stop there"
            return
    if name == "all" and not depth:
        reading.ends = qualifier
    elif name in ("ip4", "ip6") and qualifier == "+":
        _network(reading, value)
    elif name in ("include", "redirect"):
        reading.includes.add(value.lower())
        _walk(reading, value, zone, depth=0 if name == "redirect" and not depth else depth + 1)
    elif name in ("a", "mx") and qualifier == "+" and "%" not in value:
        target, _, length = value.partition("/")
        _hosts(reading, zone, name, target or domain, length or prefix)


def _hosts(reading: Reading, zone: Zone, name: str, target: str, length: str) -> None:
    found = zone.look_up(target, "MX") if name == "mx" else names.addresses(zone, target)
    reading.failure = reading.failure or found.failure
    if not found.values and not found.failure:
        reading.voids += 1
        if reading.voids > _VOIDS:
            reading.error = f"more than {_VOIDS} names in it do not exist"
    hosts = names.exchangers(found) if name == "mx" else []
    listed = [value for host in hosts for value in names.addresses(zone, host).values]
    for address in listed if name == "mx" else found.values:
        _network(reading, f"{address}/{length}" if length and ":" not in address else address)


def _network(reading: Reading, text: str) -> None:
    try:
        reading.networks.append(ipaddress.ip_network(text, strict=False))
    except ValueError:
        reading.error = f"“{text}” is no address"


def _uncovered(reading: Reading, servers: Sequence[str]) -> list[str]:
    return [address for address in servers if not reading.covers(address)]


def _networks(servers: Sequence[str]) -> str:
    return " ".join(f"ip{ipaddress.ip_address(server).version}:{server}" for server in servers)


def _merged(texts: Sequence[str], wanted: str) -> str:
    """Write one record for several, each mechanism once."""
    words = [word for text in texts for word in text.split()[1:]]
    kept = [word for word in words if word.lstrip("+-~?").lower() != "all"]
    return " ".join(dict.fromkeys(["v=spf1", *kept, *wanted.split(), "~all"]))


def _with(text: str, wanted: str) -> str:
    """Put mechanisms before the `all` of a record."""
    words = text.split()
    place = next((n for n, word in enumerate(words) if word.lstrip("+-~?").lower() == "all"), len(words))
    place = min(
        place, next((n for n, word in enumerate(words) if word.lower().startswith("redirect=")), place)
    )
    return " ".join([*words[:place], wanted, *words[place:]])
