"""Signed tokens: a link or a bounce address that names one act on one person.

A token is base64url of payload and MAC; it never expires by itself. The MAC is keyed BLAKE2b (RFC 7693
§2.5), personalised by the purpose, so that a token made for one act is worth nothing for another.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import hmac
import struct
import zlib
from collections.abc import Sequence

from newsletter.domain import errors

#: 96 bits: 2^48 guesses a second for years do not find one.
_MAC_BYTES = 12
_MAX_LENGTH = 200
#: A forged bounce must not suppress anybody; 64 bits are out of reach of guesses by mail.
_LOCAL_MAC_BYTES = 8
#: What a row id can be.
_LARGEST = 2**63 - 1
#: Where a Message-ID's key and a bounce address's MAC stand in the digest that the token to leave is cut
#: from: disjoint bytes of one digest tell nothing about each other. 80 bits: no two deliveries of a
#: publication ever share a key.
_KEY = slice(_MAC_BYTES, _MAC_BYTES + 10)
_LOCAL_MAC = slice(_KEY.stop, _KEY.stop + _LOCAL_MAC_BYTES)
_URL_SAFE = bytes.maketrans(b"+/", b"-_")
#: What base64 writes and a token leaves out.
_NO_TOKEN = b"=\n"
_THREE, _FIVE = struct.Struct("3B").pack, struct.Struct("5B").pack
#: The longest key that BLAKE2b takes, and the longest MAC we cut from it, in bytes.
_LONGEST_KEY, _LONGEST_MAC = 64, 32


class Purpose(enum.StrEnum):
    """The one act that a token is good for."""

    LEAVE = "leave"
    PREFERENCES = "preferences"
    CONFIRM = "confirm"
    UNDO = "undo"
    VIEW = "view"
    #: A change of address, confirmed at the new one.
    ADDRESS = "address"
    #: A form that we showed: when.
    FORM = "form"


class Signer:
    """Makes and reads tokens with one secret key."""

    def __init__(self, key: bytes) -> None:
        if len(key) < 16:
            raise errors.TokenError("the signing key is too short", hint="set NEWSLETTER_SIGNING_KEY in .env")
        key = key if len(key) <= _LONGEST_KEY else hashlib.blake2b(key).digest()
        # To copy a keyed state costs half of keying anew, and a mailing signs four tokens a message.
        self._states = {purpose: _keyed(key, purpose.value.encode()) for purpose in Purpose}
        self._hashes = _keyed(key, b"hash")

    def __repr__(self) -> str:
        return "Signer(…)"

    def sign(self, purpose: Purpose, *numbers: int) -> str:
        """Return a URL-safe token for an act on the rows that the numbers name."""
        payload = _pack(numbers)
        return _base64(payload + self._mac(purpose, payload))

    def read(self, purpose: Purpose, token: str) -> tuple[int, ...]:
        """Return the numbers of a token.

        Raises:
            TokenError: it is forged, cut short, or made for another act.
        """
        raw = _decode(token)
        payload, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(purpose, payload)) or _base64(raw) != token:
            raise errors.TokenError("this link is not one of ours")
        return _unpack(payload)

    def bounce_token(self, subscriber: int, mailing: int) -> str:
        """Return what a delivery's bounce address is told by.

        It survives mail servers which fold case (RFC 5321 §2.4): hexadecimal.
        """
        payload = _pack((subscriber, mailing))
        return (payload + _ended(self._states[Purpose.LEAVE], payload)[_LOCAL_MAC]).hex()

    def read_bounce_token(self, token: str) -> tuple[int, int]:
        """Return subscriber and mailing of a token made by `bounce_token`.

        Raises:
            TokenError: it is forged, cut short, or made for something else.
        """
        raw = _decode_hex(token)
        payload, mac = raw[:-_LOCAL_MAC_BYTES], raw[-_LOCAL_MAC_BYTES:]
        if not hmac.compare_digest(mac, _ended(self._states[Purpose.LEAVE], payload)[_LOCAL_MAC]):
            raise errors.TokenError("this address is not one of ours")
        subscriber, mailing, *_ = *_unpack(payload), 0
        return subscriber, mailing

    def keyed_hash(self, text: str) -> str:
        """Return a hash that finds an erased address again and cannot be reversed without the key."""
        return _ended(self._hashes, text.encode()).hex()

    def mark(self, text: str) -> int:
        """Return a number that stands for a text to the letter; without the key nobody finds another."""
        return int.from_bytes(_ended(self._hashes, f"mark {text}".encode())[:8]) >> 1

    def message_key(self, mailing: int, subscriber: int) -> str:
        """Return the Message-ID's key of a delivery: the same on every retry."""
        return _ended(self._states[Purpose.LEAVE], _pack((subscriber, mailing)))[_KEY].hex()

    def state(self, purpose: Purpose) -> hashlib.blake2b:
        """Return the keyed state that every MAC for a purpose begins with."""
        return self._states[purpose]

    def _mac(self, purpose: Purpose, payload: bytes) -> bytes:
        return _ended(self._states[purpose], payload)[:_MAC_BYTES]


#: The token to leave, the one for preferences, the bounce address's, and the message key.
Stamps = tuple[str, str, str, str]


class Stamp:
    """The four tokens of every message of one mailing, made together: a mailing makes millions.

    They are those of `Signer.sign`, `bounce_token` and `message_key`, to the letter.
    """

    def __init__(self, signer: Signer, mailing: int) -> None:
        self._leave = signer.state(Purpose.LEAVE)
        self._preferences = signer.state(Purpose.PREFERENCES)
        self._mailing = _pack((mailing,))

    def of(self, subscriber: int, email: str) -> Stamps:
        """Return the token to leave, the one for preferences, the bounce address's, and the message key."""
        person = _varint(subscriber)
        both, own = person + self._mailing, person + _varint(fingerprint(email))
        state = self._leave.copy()
        state.update(both)
        leave = state.digest()
        state = self._preferences.copy()
        state.update(own)
        return (
            _base64(both + leave[:_MAC_BYTES]),
            _base64(own + state.digest()[:_MAC_BYTES]),
            (both + leave[_LOCAL_MAC]).hex(),
            leave[_KEY].hex(),
        )


def _keyed(key: bytes, purpose: bytes) -> hashlib.blake2b:
    return hashlib.blake2b(key=key, person=purpose, digest_size=_LONGEST_MAC)


def _ended(begun: hashlib.blake2b, payload: bytes) -> bytes:
    state = begun.copy()
    state.update(payload)
    return state.digest()


def _base64(raw: bytes) -> str:
    return binascii.b2a_base64(raw).translate(_URL_SAFE, _NO_TOKEN).decode()


def fingerprint(address: str) -> int:
    """Return a number that changes with an address: a change of address revokes what was signed with it.

    Anybody can find two addresses that share one: it proves nothing about an address that a stranger names.
    """
    return zlib.crc32(address.strip().casefold().encode())


def _pack(numbers: Sequence[int]) -> bytes:
    return b"".join(map(_varint, numbers))


def _varint(number: int) -> bytes:
    """Write a number as a LEB128 varint."""
    if 0x4000 <= number < 0x200000:  # Most ids.
        return _THREE(number & 0x7F | 0x80, number >> 7 & 0x7F | 0x80, number >> 14)
    if 0x10000000 <= number < 0x100000000:  # Most fingerprints.
        low = number & 0xFFFFFFF
        return _FIVE(
            low & 0x7F | 0x80, low >> 7 & 0x7F | 0x80, low >> 14 & 0x7F | 0x80, low >> 21 | 0x80, number >> 28
        )
    if number < 0:
        raise ValueError("a token names rows by positive numbers")
    if number < 0x80:
        return bytes((number,))
    if number < 0x4000:
        return bytes((number & 0x7F | 0x80, number >> 7))
    return bytes((number & 0x7F | 0x80, number >> 7 & 0x7F | 0x80)) + _varint(number >> 14)


def _unpack(payload: bytes) -> tuple[int, ...]:
    numbers, number, shift = [], 0, 0
    for byte in payload:
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            numbers.append(number)
            number, shift = 0, 0
    if not numbers or max(numbers) > _LARGEST:
        raise errors.TokenError("this link names no row that there could be")
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


def _decode_hex(token: str) -> bytes:
    try:
        raw = bytes.fromhex(token)
    except ValueError:
        raise errors.TokenError("this address is not one of ours") from None
    if len(raw) <= _LOCAL_MAC_BYTES or raw.hex() != token.lower():
        raise errors.TokenError("this address is not one of ours")
    return raw
