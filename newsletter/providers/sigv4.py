"""AWS Signature Version 4: what Amazon's APIs ask of every request.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import urllib.parse
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """An access key and the place it is used for."""

    access_key: str
    secret_key: str = field(repr=False)
    region: str
    service: str
    #: Of temporary credentials; empty for a user's own.
    session_token: str = field(default="", repr=False)


def sign(
    credentials: Credentials,
    method: str,
    url: str,
    headers: Mapping[str, str],
    content: bytes,
    *,
    now: datetime,
) -> dict[str, str]:
    """Return the headers of a request together with X-Amz-Date and Authorization."""
    parsed = urllib.parse.urlsplit(url)
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    whole = {**headers, "Host": parsed.netloc, "X-Amz-Date": stamp}
    if credentials.session_token:
        whole["X-Amz-Security-Token"] = credentials.session_token
    names = {name.lower(): " ".join(value.split()) for name, value in whole.items()}
    signed = ";".join(sorted(names))
    canonical = "\n".join(
        (
            method,
            urllib.parse.quote(parsed.path or "/", safe="/-_.~%"),
            _query(parsed.query),
            *(f"{name}:{names[name]}" for name in sorted(names)),
            "",
            signed,
            hashlib.sha256(content).hexdigest(),
        )
    )
    scope = f"{stamp[:8]}/{credentials.region}/{credentials.service}/aws4_request"
    to_sign = "\n".join((_ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()))
    signature = hmac.new(_key(credentials, stamp[:8]), to_sign.encode(), hashlib.sha256).hexdigest()
    claim = f"Credential={credentials.access_key}/{scope}, SignedHeaders={signed}"
    whole["Authorization"] = f"{_ALGORITHM} {claim}, Signature={signature}"
    return whole


def _query(query: str) -> str:
    pairs = sorted(urllib.parse.parse_qsl(query, keep_blank_values=True))
    return "&".join(
        f"{urllib.parse.quote(name, safe='-_.~')}={urllib.parse.quote(value, safe='-_.~')}"
        for name, value in pairs
    )


@functools.lru_cache(maxsize=8)
def _key(credentials: Credentials, day: str) -> bytes:
    key = f"AWS4{credentials.secret_key}".encode()
    for part in (day, credentials.region, credentials.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key
