"""Sign the webhooks of tests/providers/apis/vectors.json with the vendors' own libraries.

    uv run --no-project --with svix --with sendgrid tools/webhook_vectors.py

svix signs for Resend. Twilio's library for SendGrid only checks: what is signed here must pass its check, and
what was touched must not.
"""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sendgrid import EventWebhook
from svix.webhooks import Webhook

VECTORS = Path(__file__).parent.parent / "tests" / "providers" / "apis" / "vectors.json"
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
STAMP = str(int(AT.timestamp()))
RESEND = (
    '{"type":"email.delivered","created_at":"2026-11-20T09:00:00.000Z",'
    '"data":{"email_id":"re-1","to":["ada@example.org"],"subject":"Ships — 茶"}}'
)
SENDGRID = (
    '[{"event":"delivered","email":"ada@example.org","sg_event_id":"e1","sg_message_id":"sg-1.filter",'
    f'"timestamp":{STAMP}}}]\r\n'
)


def svix() -> dict[str, str]:
    """Return a webhook as Svix signs it."""
    secret = "whsec_" + base64.b64encode(b"a test secret of ours 24").decode()
    return {
        "library": f"svix {version('svix')}",
        "secret": secret,
        "id": "msg_2vEk",
        "timestamp": STAMP,
        "body": RESEND,
        "signature": Webhook(secret).sign("msg_2vEk", AT, RESEND),
    }


def twilio() -> dict[str, str]:
    """Return a webhook that Twilio's library takes for SendGrid's."""
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    spki = base64.b64encode(public).decode()
    signed = key.sign((STAMP + SENDGRID).encode(), ec.ECDSA(hashes.SHA256()))
    signature = base64.b64encode(signed).decode()
    checker = EventWebhook(spki)
    if not checker.verify_signature(SENDGRID, signature, STAMP):
        raise SystemExit("Twilio's library does not take the signature")
    if checker.verify_signature(SENDGRID.strip(), signature, STAMP):
        raise SystemExit("Twilio's library takes a body that was touched")
    return {
        "library": f"sendgrid {version('sendgrid')}",
        "key": spki,
        "timestamp": STAMP,
        "body": SENDGRID,
        "signature": signature,
    }


def main() -> None:
    """Write both."""
    made = {"svix": svix(), "twilio": twilio()}
    VECTORS.write_text(json.dumps(made, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
