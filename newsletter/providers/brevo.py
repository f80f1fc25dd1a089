"""Brevo: versions of one message with an idempotency key inside the body, webhooks behind basic auth.

Source: https://developers.brevo.com (Send a transactional email, Batch send, Idempotent requests, Webhooks).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from typing import Any

from newsletter import ports
from newsletter.domain import deliveries, events, messages
from newsletter.domain.events import Cause
from newsletter.domain.verdicts import ACCEPTED, Kind, Scope, Verdict
from newsletter.providers import answers, hooks
from newsletter.providers.answers import Answer, Call, Parsed

#: What a key is answered that came within the last 30 minutes: “processes a request only once per unique key”
#: (https://developers.brevo.com/docs/heterogenous-versions-batch-emails).
_HAD_BEFORE = "duplicate_parameter"
_STOP = frozenset({"unauthorized", "not_enough_credits", "account_under_validation", "permission_denied"})


@dataclass(frozen=True, kw_only=True)
class Account(answers.ApiOptions):
    """What an account needs."""

    api_key: str = field(repr=False)
    url: str = "https://api.brevo.com"
    connections: int = 1


class Api:
    """Brevo's transactional endpoint with message versions."""

    Options = Account
    name = "Brevo"
    batch = 1000
    batch_bytes = 15_000_000

    def __init__(self, options: Account) -> None:
        self.options = options
        self.limits = ports.Limits(
            raw=False,
            max_bytes=15_000_000,
            in_flight=self.batch * options.connections,
            batch=self.batch,
            idempotent=True,
        )

    def call(self, batch: Sequence[messages.Message], *, now: datetime) -> Call:
        """Write one batch; the same messages always get the same idempotency key, a UUID."""
        first = answers.opened(batch[0])
        reply_to = first.headers.get("Reply-To", "")
        identity = uuid.uuid5(uuid.NAMESPACE_URL, "\n".join(each.message_id for each in batch))
        plain = {
            "sender": {"email": first.from_email, "name": first.from_name},
            **({"replyTo": {"email": reply_to}} if reply_to else {}),
            "subject": first.subject,
            "htmlContent": first.html,
            "textContent": first.text,
            "headers": {"idempotencyKey": str(identity)},
            "messageVersions": [_version(each) for each in batch],
        }
        content = json.dumps(plain, ensure_ascii=False).encode()
        return Call(url=f"{self.options.url}/v3/smtp/email", headers=self._headers(), content=content)

    def parse(self, batch: Sequence[messages.Message], answer: Answer) -> Parsed:
        """Read the ids in order; a refusal is for the whole call."""
        plain = answer.json()
        if not answer.ok:
            code = str(plain.get("code", "")) if isinstance(plain, dict) else ""
            verdict = answers.refusal(answer)
            if code in _STOP:
                verdict = Verdict(kind=Kind.STOP, scope=Scope.MAILING, reason=answers.said(answer))
            if self.had_before(answer):
                verdict = ACCEPTED
            if verdict:
                return answers.everyone(batch, verdict, answer)
            return answers.split(batch, answer, answers.said(answer))
        found = plain if isinstance(plain, dict) else {}
        listed = found.get("messageIds")
        ids = listed if isinstance(listed, list) else [found.get("messageId")]
        return Parsed(
            receipts=[
                deliveries.Receipt(each.delivery, ACCEPTED, str(answer.status), str(identity).strip("<>"))
                for each, identity in zip(batch, ids, strict=False)
                if identity
            ]
        )

    def had_before(self, answer: Answer) -> bool:
        """Say whether Brevo knows the key: the first call under it was processed, this one was not."""
        plain = answer.json()
        return not answer.ok and isinstance(plain, dict) and plain.get("code") == _HAD_BEFORE

    def check(self, *, now: datetime) -> Call:
        """Ask for the account that the key belongs to."""
        return Call(method="GET", url=f"{self.options.url}/v3/account", headers=self._headers())

    def stranger(self, answer: Answer) -> bool:
        """Read the status."""
        return answers.refused(answer)

    def pause(self, answer: Answer) -> float:
        """Wait for the window to reset, in seconds, when the last call used it up."""
        left = answer.headers.get("x-sib-ratelimit-remaining", "")
        reset = answer.headers.get("x-sib-ratelimit-reset", "")
        return min(3600.0, float(reset)) if left == "0" and reset.isdigit() else 0.0

    def rate(self, answer: Answer) -> float:
        """Brevo limits calls, not messages."""
        return 0.0

    def _headers(self) -> dict[str, str]:
        return {
            "api-key": self.options.api_key,
            "Accept": "application/json",
            "Content-Type": "application/json",
        }


def _version(message: messages.Message) -> dict[str, Any]:
    parts = answers.opened(message)
    to = {"email": message.recipient, **({"name": parts.to_name} if parts.to_name else {})}
    return {
        "to": [to],
        "subject": parts.subject,
        "htmlContent": parts.html,
        "textContent": parts.text,
        "headers": {
            **{name: _encoded(value) for name, value in answers.own_headers(parts).items()},
            # The one header that Brevo's events bring back.
            "X-Mailin-custom": f"delivery:{message.delivery}",
        },
    }


def _encoded(value: str) -> str:
    """Encode what is not ASCII (RFC 2047): Brevo sends header values on as raw 8-bit bytes."""
    return value if value.isascii() else Header(value, "utf-8", maxlinelen=990).encode()


# -- webhooks ----------------------------------------------------------------------------------

_KINDS = {
    "request": events.Kind.ACCEPTED,
    "delivered": events.Kind.DELIVERED,
    "deferred": events.Kind.DEFERRED,
    "hard_bounce": events.Kind.BOUNCED,
    "invalid_email": events.Kind.BOUNCED,
    "soft_bounce": events.Kind.BOUNCED,
    "blocked": events.Kind.REJECTED,
    "error": events.Kind.REJECTED,
    "spam": events.Kind.COMPLAINED,
    "complaint": events.Kind.COMPLAINED,
    "opened": events.Kind.OPENED,
    "unique_opened": events.Kind.OPENED,
    "proxy_open": events.Kind.OPENED,
    "unique_proxy_open": events.Kind.OPENED,
    "click": events.Kind.CLICKED,
    "unsubscribed": events.Kind.UNSUBSCRIBED,
}
_HARD = frozenset({"hard_bounce", "invalid_email"})


def verify(hook: hooks.Hook, *, secrets: Sequence[str], now: datetime) -> None:
    """Check basic auth, or a bearer token; a secret is ``user:password`` or the token.

    Raises:
        SignatureError: none of them fits.
    """
    scheme, _, given = hook.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        hooks.check_basic(hook, secrets)
    elif not sum(hooks.same(secret, given) for secret in secrets):
        raise hooks.SignatureError("the webhook brings no valid token")


def parse_events(body: bytes) -> list[events.Event]:
    """Read one event, or a batch of them."""
    plain = hooks.read_json(body)
    listed = plain if isinstance(plain, list) else [plain]
    return [_event(each) for each in listed if isinstance(each, dict)]


def _event(plain: Mapping[str, Any]) -> events.Event:
    named = str(plain.get("event", ""))
    at = plain.get("ts_epoch") or plain.get("ts_event") or plain.get("ts") or 0
    if isinstance(at, int | float) and at > 1e11:
        at = at / 1000  # ts_epoch counts milliseconds
    identity, recipient = str(plain.get("message-id", "")).strip("<>"), str(plain.get("email", ""))
    hard = named in _HARD
    return events.Event(
        kind=_KINDS.get(named, events.Kind.UNKNOWN),
        at=hooks.moment(at),
        # Brevo gives events no id of their own.
        key=f"{named}:{identity}:{recipient}:{at}",
        recipient=recipient,
        delivery=hooks.number(plain.get("X-Mailin-custom")),
        provider_id=identity,
        message_id=identity,
        hard=hard,
        cause=Cause.UNKNOWN_USER if hard else Cause.OTHER,
        detail=str(plain.get("reason", ""))[:500],
        machine="proxy" in named,
    )
