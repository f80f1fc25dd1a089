"""SendGrid: one body with personalizations, no answer for each recipient, ECDSA-signed webhooks.

Source: https://www.twilio.com/docs/sendgrid/api-reference/mail-send and …/for-developers/tracking-events.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from newsletter import ports
from newsletter.domain import deliveries, events, messages
from newsletter.domain.events import Cause
from newsletter.domain.verdicts import ACCEPTED, Kind, Verdict
from newsletter.providers import answers, hooks, substitution
from newsletter.providers.answers import Answer, Call, Parsed

#: Headers that the API keeps for itself, and that it writes from other fields.
_RESERVED = frozenset({"content-type", "content-transfer-encoding", "received", "dkim-signature"})
_FIELD = re.compile(r"personalizations\.(\d+)\.")
_OFF = {"enable": False}


@dataclass(frozen=True, kw_only=True)
class Account(answers.ApiOptions):
    """What an account needs."""

    api_key: str = field(repr=False)
    #: ``https://api.eu.sendgrid.com`` for the EU region.
    url: str = "https://api.sendgrid.com"


class Api:
    """SendGrid's mail send endpoint."""

    Options = Account
    name = "SendGrid"
    batch = 1000
    batch_bytes = 20_000_000

    def __init__(self, options: Account) -> None:
        self.options = options
        self.limits = ports.Limits(
            raw=False,
            max_bytes=30_000_000,
            in_flight=self.batch * options.connections,
            batch=self.batch,
            refuses=_RESERVED,
        )

    def call(self, batch: Sequence[messages.Message], *, now: datetime) -> Call:
        """Write one batch: the body once, a personalization for each recipient."""
        first = answers.opened(batch[0])
        rendered = answers.template_of(first)
        reply_to = first.headers.get("Reply-To", "")
        plain = {
            "from": {"email": first.from_email, "name": first.from_name},
            **({"reply_to": {"email": reply_to}} if reply_to else {}),
            "subject": first.subject,
            "content": [
                {"type": "text/plain", "value": substitution.body(rendered.text, _tag, prefix="t")},
                {"type": "text/html", "value": substitution.body(rendered.html, _tag, prefix="h")},
            ],
            "personalizations": [_personal(each) for each in batch],
            "tracking_settings": {
                "click_tracking": _OFF,
                "open_tracking": _OFF,
                "subscription_tracking": _OFF,
            },
        }
        content = json.dumps(plain, ensure_ascii=False).encode()
        return Call(url=f"{self.options.url}/v3/mail/send", headers=self._headers(), content=content)

    def parse(self, batch: Sequence[messages.Message], answer: Answer) -> Parsed:
        """Read 202 with an empty body, or errors that name the personalization at fault."""
        if answer.ok:
            return answers.everyone(
                batch, ACCEPTED, answer, provider_id=answer.headers.get("x-message-id", "")
            )
        verdict = answers.refusal(answer)
        if verdict:
            return answers.everyone(batch, verdict, answer)
        return _blamed(batch, answer)

    def check(self, *, now: datetime) -> Call:
        """Ask what the key may do."""
        return Call(method="GET", url=f"{self.options.url}/v3/scopes", headers=self._headers())

    def stranger(self, answer: Answer) -> bool:
        """Read the status."""
        return answers.refused(answer)

    def pause(self, answer: Answer) -> float:
        """Wait for the window to reset when the last call used it up; the reset is a time in seconds."""
        left, reset = (
            answer.headers.get("x-ratelimit-remaining", ""),
            answer.headers.get("x-ratelimit-reset", ""),
        )
        if left != "0" or not reset.isdigit():
            return 0.0
        since = answers.http_date(answer.headers.get("date", ""))
        return min(60.0, max(0.0, float(reset) - since.timestamp())) if since else 1.0

    def rate(self, answer: Answer) -> float:
        """SendGrid limits calls, not messages."""
        return 0.0

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.options.api_key}", "Content-Type": "application/json"}


def _blamed(batch: Sequence[messages.Message], answer: Answer) -> Parsed:
    """Refuse the messages that the errors name, and hand over the others anew."""
    plain = answer.json()
    listed = plain.get("errors") if isinstance(plain, dict) else None
    guilty: dict[int, str] = {}
    for each in listed if isinstance(listed, list) else []:
        found = _FIELD.match(str(each.get("field", ""))) if isinstance(each, dict) else None
        if found and int(found[1]) < len(batch):
            guilty.setdefault(int(found[1]), str(each.get("message", ""))[:200])
    if not guilty:
        return answers.split(batch, answer, answers.said(answer))
    refused = [
        deliveries.Receipt(batch[index].delivery, Verdict(kind=Kind.REJECT, reason=words), words)
        for index, words in guilty.items()
    ]
    rest = [each for index, each in enumerate(batch) if index not in guilty]
    return Parsed(receipts=refused, again=(rest,) if rest else ())


def _personal(message: messages.Message) -> dict[str, Any]:
    parts = answers.opened(message)
    rendered = answers.template_of(parts)
    filled = {
        **substitution.values(rendered.text, parts.values, prefix="t", escape=False),
        **substitution.values(rendered.html, parts.values, prefix="h", escape=True),
    }
    to = {"email": message.recipient, **({"name": parts.to_name} if parts.to_name else {})}
    return {
        "to": [to],
        "subject": parts.subject,
        "headers": {
            name: value for name, value in answers.own_headers(parts).items() if name.lower() not in _RESERVED
        },
        "substitutions": {_tag(name): value for name, value in filled.items()},
        "custom_args": {"delivery": str(message.delivery), "message_id": message.message_id},
    }


def _tag(name: str) -> str:
    return f"%nl-{name}-nl%"


# -- webhooks ----------------------------------------------------------------------------------

_KINDS = {
    "processed": events.Kind.ACCEPTED,
    "delivered": events.Kind.DELIVERED,
    "deferred": events.Kind.DEFERRED,
    "bounce": events.Kind.BOUNCED,
    "dropped": events.Kind.REJECTED,
    "spamreport": events.Kind.COMPLAINED,
    "open": events.Kind.OPENED,
    "click": events.Kind.CLICKED,
    "unsubscribe": events.Kind.UNSUBSCRIBED,
    "group_unsubscribe": events.Kind.UNSUBSCRIBED,
}
#: Only this classification says that the address is dead.
_CAUSES = {
    "Invalid Address": Cause.UNKNOWN_USER,
    "Mailbox Unavailable": Cause.MAILBOX_FULL,
    "Content": Cause.CONTENT,
    "Reputation": Cause.REPUTATION,
    "Frequency or Volume Too High": Cause.POLICY,
}


def verify(hook: hooks.Hook, *, secrets: Sequence[str], now: datetime) -> None:
    """Check ECDSA P-256 with SHA-256 over timestamp and raw body; a secret is the base64 public key.

    Raises:
        SignatureError: it is not signed with any of the keys, or too old or too new.
    """
    stamp = hook.headers.get("x-twilio-email-event-webhook-timestamp", "")
    given = hook.headers.get("x-twilio-email-event-webhook-signature", "")
    try:
        signature = base64.b64decode(given, validate=True)
    except (binascii.Error, ValueError):
        signature = b""
    if not signature or not any(_signed(key, signature, stamp.encode() + hook.body) for key in secrets):
        raise hooks.SignatureError("the webhook's signature is not ours")
    hooks.check_age(hooks.moment(stamp), now)


def _signed(key: str, signature: bytes, data: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        public = serialization.load_der_public_key(base64.b64decode(key))
        if not isinstance(public, ec.EllipticCurvePublicKey):
            return False
        public.verify(signature, data, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, ValueError):  # ValueError: the key in the settings is none
        return False
    return True


def parse_events(body: bytes) -> list[events.Event]:
    """Read the array of events of a webhook."""
    plain = hooks.read_json(body)
    listed = plain if isinstance(plain, list) else [plain]
    return [_event(each) for each in listed if isinstance(each, dict)]


def _event(plain: Mapping[str, Any]) -> events.Event:
    named, cause = (
        str(plain.get("event", "")),
        _CAUSES.get(str(plain.get("bounce_classification", "")), Cause.OTHER),
    )
    blocked = plain.get("type") == "blocked"
    hard = named == "bounce" and not blocked and cause is Cause.UNKNOWN_USER
    return events.Event(
        kind=_KINDS.get(named, events.Kind.UNKNOWN),
        at=hooks.moment(plain.get("timestamp", 0)),
        key=str(plain.get("sg_event_id", "")),
        recipient=str(plain.get("email", "")),
        delivery=hooks.number(plain.get("delivery")),
        # The events append a suffix of their own to the id of the answer.
        provider_id=str(plain.get("sg_message_id", "")).partition(".")[0],
        message_id=str(plain.get("message_id", "")),
        hard=hard,
        cause=Cause.OTHER if cause is Cause.UNKNOWN_USER and not hard else cause,
        detail=str(plain.get("reason") or plain.get("response") or "")[:500],
        machine=bool(plain.get("sg_machine_open")),
    )
