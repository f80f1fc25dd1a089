"""DKIM signatures of our own, for mail that a server of one's own delivers (RFC 6376).

RSA-2048 with SHA-256, relaxed/relaxed: Ed25519 alone is passed over by receivers.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter import ports
from newsletter.domain import deliveries, errors, messages

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

#: From is signed twice, so that nobody can add another one (RFC 6376 §8.15).
SIGNED = (
    b"from",
    b"from",
    b"to",
    b"subject",
    b"date",
    b"message-id",
    b"reply-to",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
    b"list-id",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"list-help",
    b"list-archive",
    b"feedback-id",
)
_SPACES = re.compile(rb"[ \t]+")
_TRAILING = re.compile(rb"[ \t]+(?=\r\n)")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_SHORTEST = 1024
#: Characters of a base64 line in the header.
_LINE = 72


@dataclass(frozen=True, kw_only=True)
class Key:
    """A private key, and where its public half is published."""

    domain: str
    selector: str
    private: RSAPrivateKey = field(repr=False)

    @property
    def public(self) -> str:
        """The public key in base64, as the DNS record has it."""
        from cryptography.hazmat.primitives import serialization

        der = self.private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return base64.b64encode(der).decode()


def read_key(path: Path, *, domain: str, selector: str) -> Key:
    """Read a private key in PEM.

    Raises:
        ProviderError: the file cannot be read, or holds no RSA key that receivers accept.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    hint = f"openssl genrsa -out {path} 2048; chmod 600 {path}"
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise errors.ProviderError(
            f"the DKIM key {path} cannot be read: {error.strerror}", hint=hint
        ) from error
    except (ValueError, TypeError) as error:
        raise errors.ProviderError(
            f"{path} holds no private key in PEM without a password", hint=hint
        ) from error
    if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < _SHORTEST:
        raise errors.ProviderError(f"{path} holds no RSA key of {_SHORTEST} bits or more", hint=hint)
    return Key(domain=domain, selector=selector, private=key)


class Signer:
    """Signs messages; what neighbouring messages begin alike is hashed once."""

    def __init__(self, key: Key) -> None:
        self._key = key
        self._shared = _SharedBody()
        self._start = f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={key.domain};\r\n\ts={key.selector};".encode()

    def sign(self, raw: bytes) -> bytes:
        """Return a message with its signature above it."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        head, _, body = raw.partition(b"\r\n\r\n")
        signed = _headers(head)
        names = b":".join(name for name, _ in signed)
        bound = base64.b64encode(self._shared.digest(body))
        value = b"%b\r\n\th=%b;\r\n\tbh=%b;\r\n\tb=" % (self._start, _folded(names), bound)
        lines = [line for _, line in signed if line]
        lines.append(b"dkim-signature:" + _relaxed(value))
        text = b"\r\n".join(lines)
        signature = self._key.private.sign(text, padding.PKCS1v15(), hashes.SHA256())
        encoded = base64.b64encode(signature)
        parts = (encoded[at : at + _LINE] for at in range(0, len(encoded), _LINE))
        return b"DKIM-Signature: " + value + b"\r\n\t".join(parts) + b"\r\n" + raw


class _SharedBody:
    """Hashes bodies in relaxed form (RFC 6376 §3.4.4), and remembers the state at their common beginning."""

    def __init__(self) -> None:
        self._last = b""
        self._prefix = b""
        self._state = hashlib.sha256()

    def digest(self, body: bytes) -> bytes:
        """Return the SHA-256 of a body in canonical form."""
        if not self._prefix or not body.startswith(self._prefix):
            self._learn(body)
        state, rest = self._state.copy(), body[len(self._prefix) :]
        state.update(relaxed_body(rest, continued=bool(self._prefix)))
        return state.digest()

    def _learn(self, body: bytes) -> None:
        """Take what this body has in common with the last one, up to a line that is not empty."""
        common = _common(self._last, body)
        end = body.rfind(b"\r\n", 0, common)
        # Empty lines at the end of a body do not count, so the cut may not stand after one.
        while end > 0 and body[body.rfind(b"\r\n", 0, end) + 2 : end].strip() == b"":
            end = body.rfind(b"\r\n", 0, end)
        self._last = body
        self._prefix = body[: end + 2] if end > 0 else b""
        self._state = hashlib.sha256(relaxed_body(self._prefix) if self._prefix else b"")


def relaxed_body(body: bytes, *, continued: bool = False) -> bytes:
    """Return a body in relaxed form; a continued one may come to nothing."""
    if b"  " in body or b"\t" in body or b" \r\n" in body:
        body = _TRAILING.sub(b"", _SPACES.sub(b" ", body))
    body = body.rstrip(b"\r\n") if body.endswith(b"\r\n\r\n") or not body.strip(b"\r\n") else body
    if body and not body.endswith(b"\r\n"):
        body = body.rstrip(b" ") + b"\r\n"
    return body


def _common(one: bytes, other: bytes) -> int:
    """Return how many bytes two texts begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[:middle] == other[:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _headers(head: bytes) -> list[tuple[bytes, bytes]]:
    """Return what is signed: names, and lines in relaxed form, empty for a header that is not there."""
    there: dict[bytes, list[bytes]] = {}
    for line in _FOLD.sub(b"", head).split(b"\r\n"):
        name, _, value = line.partition(b":")
        there.setdefault(name.strip().lower(), []).append(value)
    signed = []
    for name in SIGNED:
        values = there.get(name)
        if values:
            signed.append((name, name + b":" + _relaxed(values.pop())))
        elif name == b"from":
            signed.append((name, b""))
    return signed


def _relaxed(value: bytes) -> bytes:
    return _SPACES.sub(b" ", _FOLD.sub(b"", value)).strip(b" ")


def _folded(names: bytes) -> bytes:
    """Break the list of names into lines."""
    half = names.rfind(b":", 0, _LINE)
    second = names.rfind(b":", 0, half + _LINE)
    if second <= half:
        return names[: half + 1] + b"\r\n\t " + names[half + 1 :]
    return names[: half + 1] + b"\r\n\t " + names[half + 1 : second + 1] + b"\r\n\t " + names[second + 1 :]


class Signed:
    """A provider whose messages are signed on their way to it."""

    def __init__(self, provider: ports.Provider, key: Key) -> None:
        self._provider = provider
        self._signer = Signer(key)

    @property
    def limits(self) -> ports.Limits:
        """What the provider declares."""
        return self._provider.limits

    async def probe(self) -> str:
        """Ask the provider.

        Raises:
            ProviderError: it cannot be reached, or refuses us.
        """
        return await self._provider.probe()

    async def send(self, feed: ports.Feed) -> None:
        """Sign what the provider draws.

        Raises:
            ProviderError: nothing can be handed over.
        """
        await self._provider.send(_SigningFeed(feed, self._signer.sign))


class _SigningFeed:
    """Signs each message that is taken, and puts back what was taken unsigned."""

    def __init__(self, feed: ports.Feed, sign: Callable[[bytes], bytes]) -> None:
        self._feed = feed
        self._sign = sign
        self._out: dict[int, messages.Message] = {}

    def take(self) -> messages.Message | None:
        message = self._feed.take()
        if message is None:
            return None
        self._out[message.delivery] = message
        return message._replace(pieces=(self._sign(message.raw),))

    def give(self, receipt: deliveries.Receipt) -> None:
        self._out.pop(receipt.delivery, None)
        self._feed.give(receipt)

    def put_back(self, message: messages.Message) -> None:
        self._feed.put_back(self._out.pop(message.delivery, message))

    async def ready(self) -> bool:
        return await self._feed.ready()
