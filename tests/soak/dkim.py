"""Verify a DKIM signature (RFC 6376) with relaxed canonicalisation and RSA-SHA256: what a receiver does."""

from __future__ import annotations

import base64
import hashlib
import re

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey


def verify(raw: bytes, key: RSAPublicKey) -> frozenset[str]:
    """Return the names of the headers that the topmost signature covers.

    Raises:
        InvalidSignature: the signature does not fit the headers.
        ValueError: there is no signature, or it does not fit the body.
    """
    head, _, body = raw.partition(b"\r\n\r\n")
    fields = re.findall(rb"[^\r\n][^\r\n]*(?:\r\n[ \t][^\r\n]*)*", head)
    mark = next((field for field in fields if field.lower().startswith(b"dkim-signature:")), None)
    if mark is None:
        raise ValueError("no DKIM-Signature")
    tags = dict(
        tag.split("=", 1) for tag in re.sub(r"\s+", "", mark.decode().partition(":")[2]).split(";") if tag
    )
    if (tags["a"], tags["c"]) != ("rsa-sha256", "relaxed/relaxed"):
        raise ValueError(f"signed by {tags['a']}, {tags['c']}")
    if base64.b64decode(tags["bh"]) != hashlib.sha256(_relaxed_body(body)).digest():
        raise ValueError("the body is not what was signed")
    names = tags["h"].lower().split(":")
    unsigned = re.sub(rb"(\bb=)[^;]*", rb"\1", mark)
    signed = [*_picked(fields, names), _relaxed_field(unsigned)]
    data = b"\r\n".join(signed)
    key.verify(base64.b64decode(tags["b"]), data, padding.PKCS1v15(), hashes.SHA256())
    return frozenset(names)


def _picked(fields: list[bytes], names: list[str]) -> list[bytes]:
    """Return the signed fields; of several with one name the last comes first (RFC 6376 §5.4.2)."""
    left = {
        name: [f for f in fields if f.partition(b":")[0].strip().lower() == name.encode()] for name in names
    }
    return [_relaxed_field(left[name].pop()) for name in names if left[name]]


def _relaxed_field(field: bytes) -> bytes:
    name, _, value = field.partition(b":")
    return name.strip().lower() + b":" + re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip()


def _relaxed_body(body: bytes) -> bytes:
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)
