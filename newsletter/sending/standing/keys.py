"""DKIM: the public key that signatures are held against (RFC 6376 §3.6.1)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence

from newsletter.domain.diagnoses import Concern, Diagnosis, Verdict
from newsletter.sending.standing import names
from newsletter.sending.standing.names import Zone

CONCERN = Concern("DKIM")
#: RFC 8301 §3.2: verifiers refuse shorter keys; signers should not use fewer than 2048 bits.
_SHORTEST, _GOOD = 1024, 2048


def judge(
    domain: str, zone: Zone, *, selectors: Sequence[str], public_key: str = "", where: str = ""
) -> Diagnosis:
    """Judge the first record that is found under the selectors.

    ``public_key`` is our own, in base64, where we sign; ``where`` says where a vendor shows its records.
    """
    if not selectors:
        return CONCERN.untold(
            "under which selector your provider signs is not known here",
            "set selector under [dkim], or let `newsletter doctor --to` read it from a test mail",
        )
    for selector in selectors:
        found = zone.look_up(_name(selector, domain), "TXT")
        if found.failure:
            return CONCERN.untold(f"{_name(selector, domain)}: {found.failure}", "look again later")
        if found.values:
            return _judged(_name(selector, domain), found.values, public_key)
    if public_key:
        name = _name(selectors[0], domain)
        return CONCERN.broken(f"{name} has no key", "publish this record", record=wanted(name, public_key))
    tried = ", ".join(selectors)
    return CONCERN.broken(
        f"{domain} has no key under {tried}",
        where or "ask your provider for its DKIM record, and set selector under [dkim]",
    )


def wanted(name: str, public_key: str) -> str:
    """Write the record of a public key in base64."""
    return names.record(name, "TXT", f"v=DKIM1; k=rsa; p={public_key}")


def bits(public_key: str) -> int:
    """Return the length of an RSA key in base64; 0 where it is none."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    try:
        key = serialization.load_der_public_key(base64.b64decode("".join(public_key.split()), validate=True))
    except (ValueError, binascii.Error):
        return 0
    return key.key_size if isinstance(key, rsa.RSAPublicKey) else 0


def _judged(name: str, texts: Sequence[str], public_key: str) -> Diagnosis:
    told = names.tags(texts[0])
    given = "".join(told.get("p", "").split())
    if len(texts) > 1:
        return CONCERN.broken(
            f"{name} has {len(texts)} records; there may be one",
            "keep this one alone" if public_key else "remove the old ones",
            record=wanted(name, public_key) if public_key else "",
        )
    if not given and not public_key:
        return CONCERN.broken(f"{name}: the key was withdrawn (p= is empty)", "publish a key of today")
    if public_key and given != public_key:
        return CONCERN.broken(
            f"{name} holds another key than the one we sign with",
            "publish this record",
            record=wanted(name, public_key),
        )
    if told.get("k", "rsa").lower() != "rsa":
        return CONCERN.doubtful(
            f"{name} holds an {told['k']} key, which most receivers pass over", "use RSA too"
        )
    found = _by_length(name, bits(given))
    flags = told.get("t", "").lower().split(":")
    if "y" in flags and found.verdict is not Verdict.FAIL:
        return _testing(name, told, flags)
    return found


def _testing(name: str, told: Mapping[str, str], flags: Sequence[str]) -> Diagnosis:
    kept = {**told, "t": ":".join(flag for flag in flags if flag != "y")}
    text = "; ".join(f"{tag}={value}" for tag, value in kept.items() if tag != "t" or value)
    return CONCERN.doubtful(
        f"{name} is marked as a test (t=y): the mail counts as unsigned",
        "publish this record in place of the old one",
        record=names.record(name, "TXT", text),
    )


def _by_length(name: str, length: int) -> Diagnosis:
    if not length:
        return CONCERN.broken(f"{name}: p= is no RSA key", "publish the whole key, without a line end in it")
    if length < _SHORTEST:
        return CONCERN.broken(f"{name}: RSA with {length} bits is refused", "make a key of 2048 bits")
    if length < _GOOD:
        return CONCERN.doubtful(f"{name}: RSA with {length} bits", "make a key of 2048 bits")
    return CONCERN.holds(f"{name}: RSA with {length} bits")


def _name(selector: str, domain: str) -> str:
    return f"{selector}._domainkey.{domain}"
