"""What webhooks have in common: the raw request, basic auth, and times as providers write them."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from newsletter.domain import errors
from newsletter.domain import hooks as arrivals

Hook = arrivals.Hook

#: How far a signed time may lie from ours: what Svix and Twilio's own libraries allow.
TOLERANCE = timedelta(minutes=5)


class SignatureError(errors.ProviderError):
    """A webhook was not signed by whom it names."""


def same(mine: str | bytes, theirs: str | bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(_bytes(mine), _bytes(theirs))


def check_basic(hook: Hook, secrets: Sequence[str]) -> None:
    """Check HTTP basic auth (RFC 7617) against ``user:password`` pairs, two at once for rotation.

    Raises:
        SignatureError: none of them fits.
    """
    scheme, _, given = hook.headers.get("authorization", "").partition(" ")
    try:
        pair = base64.b64decode(given, validate=True) if scheme.lower() == "basic" else b""
    except (binascii.Error, ValueError):
        pair = b""
    if not pair or not _any(same(secret, pair) for secret in secrets):
        raise SignatureError("the webhook brings no valid user and password")


def check_age(at: datetime, now: datetime) -> None:
    """Refuse what was signed too long ago, or in the future.

    Raises:
        SignatureError: it lies more than five minutes from now.
    """
    if abs(now - at) > TOLERANCE:
        raise SignatureError(f"the webhook was signed at {at.isoformat()}, not now")


def read_json(body: bytes) -> Any:
    """Read JSON, or None where it is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def moment(value: object) -> datetime:
    """Read a time as ISO 8601 or seconds since 1970; the epoch itself where it cannot be read."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _since_epoch(float(value))
    text = str(value).strip()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        try:
            return _since_epoch(float(text))
        except ValueError:
            return datetime.fromtimestamp(0, UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def number(value: object) -> int:
    """Read our own delivery id as it comes back: a number, its text, or a list of one; 0 where it is none."""
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else ""
    text = str(value).removeprefix("delivery:")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


def mapping(plain: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the object under a name, or an empty one."""
    value = plain.get(name)
    return value if isinstance(value, dict) else {}


def _since_epoch(seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return datetime.fromtimestamp(0, UTC)


def _any(results: Any) -> bool:
    """Like `any`, without stopping at the first: which of two secrets fits is nobody's business."""
    return bool(sum(results))


def _bytes(value: str | bytes) -> bytes:
    # JSON can name half of a character, which UTF-8 has no place for.
    return value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
