"""Signed tokens: a link or a bounce address that names one act on one person.

A token is base64url of payload and MAC; it never expires by itself. The purpose is part of what
is signed, so that a token made for one act is worth nothing for another.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import hmac
from collections.abc import Sequence

from newsletter.domain import errors

#: 96 bits: 2^48 guesses a second for years do not find one.
_MAC_BYTES = 12
_MAX_LENGTH = 200


class Purpose(enum.StrEnum):
    """The one act that a token is good for."""

    LEAVE = "leave"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"
    UNDO = "undo"
    VIEW = "view"
    BOUNCE = "bounce"


class Signer:
    """Makes and reads tokens with one secret key."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise errors.TokenError("the signing key is too short", hint="set NEWSLETTER_SIGNING_KEY in .env")
        self._key = key

    def __repr__(self) -> str:
        return "Signer(…)"

    def sign(self, purpose: Purpose, *numbers: int) -> str:
        """Return a URL-safe token for an act on the rows that the numbers name."""
        payload = _pack(numbers)
        return base64.urlsafe_b64encode(payload + self._mac(purpose, payload)).rstrip(b"=").decode()

    def read(self, purpose: Purpose, token: str) -> tuple[int, ...]:
        """Return the numbers of a token.

        Raises:
            TokenError: it is forged, cut short, or made for another act.
        """
        raw = _decode(token)
        payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        canonical = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        if not hmac.compare_digest(mac, self._mac(purpose, payload)) or canonical != token:
            raise errors.TokenError("this link is not one of ours")
        return _unpack(payload)

    def sign_local_part(self, purpose: Purpose, *numbers: int) -> str:
        """Return a token that survives mail servers which fold case (RFC 5321 §2.4): base32, lower case."""
        payload = _pack(numbers)
        return base64.b32encode(payload + self._mac(purpose, payload)[:8]).rstrip(b"=").decode().lower()

    def read_local_part(self, purpose: Purpose, token: str) -> tuple[int, ...]:
        """Return the numbers of a token made by `sign_local_part`.

        Raises:
            TokenError: it is forged, cut short, or made for another act.
        """
        raw = _decode32(token)
        payload, mac = raw[:-8], raw[-8:]
        if not hmac.compare_digest(mac, self._mac(purpose, payload)[:8]):
            raise errors.TokenError("this address is not one of ours")
        return _unpack(payload)

    def keyed_hash(self, text: str) -> str:
        """Return a hash that finds an erased address again and cannot be reversed without the key."""
        return hmac.new(self._key, b"hash\0" + text.encode(), hashlib.sha256).hexdigest()

    def message_key(self, mailing: int, subscriber: int) -> str:
        """Return the Message-ID's key of a delivery: the same on every retry."""
        mac = hmac.new(self._key, b"message\0" + _pack((mailing, subscriber)), hashlib.sha256).digest()
        return base64.b32encode(mac[:10]).decode().lower()

    def _mac(self, purpose: Purpose, payload: bytes) -> bytes:
        data = purpose.value.encode() + b"\0" + payload
        return hmac.new(self._key, data, hashlib.sha256).digest()[:_MAC_BYTES]


def _pack(numbers: Sequence[int]) -> bytes:
    """Write numbers as LEB128 varints."""
    out = bytearray()
    for number in numbers:
        if number < 0:
            raise ValueError("a token names rows by positive numbers")
        rest = number
        while rest >= 0x80:
            out.append(rest & 0x7F | 0x80)
            rest >>= 7
        out.append(rest)
    return bytes(out)


def _unpack(payload: bytes) -> tuple[int, ...]:
    numbers, number, shift = [], 0, 0
    for byte in payload:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number, shift = 0, 0
    return tuple(numbers)


def _decode(token: str) -> bytes:
    try:
        if not token.isascii() or len(token) > _MAX_LENGTH:
            raise ValueError
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise errors.TokenError("this link is not one of ours") from None
    if len(raw) <= _MAC_BYTES:
        raise errors.TokenError("this link is not one of ours")
    return raw


def _decode32(token: str) -> bytes:
    try:
        raw = base64.b32decode(token.upper() + "=" * (-len(token) % 8))
    except (binascii.Error, ValueError):
        raise errors.TokenError("this address is not one of ours") from None
    if len(raw) <= 8 or len(token) > _MAX_LENGTH:
        raise errors.TokenError("this address is not one of ours")
    return raw
