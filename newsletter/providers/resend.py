"""Resend: batches with an idempotency key, Svix-signed webhooks.

Source: https://resend.com/docs (batch emails, errors, rate limit, webhooks); https://docs.svix.com/receiving.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from newsletter import ports
from newsletter.domain import deliveries, events, messages
from newsletter.domain.events import Cause
from newsletter.domain.verdicts import ACCEPTED, Kind, Scope, Verdict
from newsletter.providers import answers, hooks
from newsletter.providers.answers import Answer, Call, Parsed

#: Names of errors after which no message of this account gets through.
_STOP = frozenset({"daily_quota_exceeded", "monthly_quota_exceeded", "invalid_from_address", "not_found"})
#: The key came within 24 hours with another body: that call was taken in, and what became of it is not said.
_HAD_BEFORE = "invalid_idempotent_request"
_RETRY = frozenset({"concurrent_idempotent_requests", "application_error", "rate_limit_exceeded"})


@dataclass(frozen=True, kw_only=True)
class Account(answers.ApiOptions):
    """What an account needs."""

    api_key: str = field(repr=False)
    url: str = "https://api.resend.com"
    #: The default limit is two calls a second for a whole team.
    connections: int = 1


class Api:
    """Resend's batch endpoint."""

    Options = Account
    name = "Resend"
    batch = 100
    batch_bytes = 35_000_000

    def __init__(self, options: Account) -> None:
        self.options = options
        self.limits = ports.Limits(
            raw=False, in_flight=self.batch * options.connections, batch=self.batch, idempotent=True
        )

    def call(self, batch: Sequence[messages.Message], *, now: datetime) -> Call:
        """Write one batch; the same messages always get the same idempotency key."""
        identity = hashlib.sha256("\n".join(each.message_id for each in batch).encode()).hexdigest()
        headers = {
            **self._headers(),
            "Idempotency-Key": f"newsletter-{identity}",
            # Without it one bad address refuses the whole batch.
            "x-batch-validation": "permissive",
        }
        content = answers.json_list(_message(each) for each in batch)
        return Call(url=f"{self.options.url}/emails/batch", headers=headers, content=content)

    def parse(self, batch: Sequence[messages.Message], answer: Answer) -> Parsed:
        """Read ids in order, and errors by index where some messages failed."""
        plain = answer.json()
        if not answer.ok:
            named = _named(plain)
            verdict = _verdict(named, answer) or answers.refusal(answer)
            words = answers.said(answer)
            return (
                answers.everyone(batch, verdict, answer) if verdict else answers.split(batch, answer, words)
            )
        failed = _failed(plain)
        listed = plain.get("data") if isinstance(plain, dict) else None
        ids = listed if isinstance(listed, list) else []
        taken = [each for index, each in enumerate(batch) if index not in failed]
        receipts = [
            deliveries.Receipt(each.delivery, ACCEPTED, f"{answer.status}", str(one["id"]))
            for each, one in zip(taken, ids, strict=False)
            if isinstance(one, dict) and one.get("id")
        ]
        for index, words in failed.items():
            if index < len(batch):
                verdict = Verdict(kind=Kind.REJECT, reason=words)
                receipts.append(deliveries.Receipt(batch[index].delivery, verdict, words))
        return Parsed(receipts=receipts)

    def check(self, *, now: datetime) -> Call:
        """Ask for the account's domains."""
        return Call(method="GET", url=f"{self.options.url}/domains", headers=self._headers())

    def stranger(self, answer: Answer) -> bool:
        """Tell an unknown key from one with “Sending access”, which may not list domains."""
        return answers.refused(answer) and _named(answer.json()) != "restricted_api_key"

    def pause(self, answer: Answer) -> float:
        """Wait for the window to reset when the last call used it up."""
        left, reset = answer.headers.get("ratelimit-remaining", ""), answer.headers.get("ratelimit-reset", "")
        return float(reset) if left == "0" and reset.isdigit() else 0.0

    def rate(self, answer: Answer) -> float:
        """Resend limits calls, not messages."""
        return 0.0

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.options.api_key}", "Content-Type": "application/json"}


def _message(message: messages.Message) -> dict[str, Any]:
    parts = answers.opened(message)
    reply_to = parts.headers.get("Reply-To", "")
    return {
        "from": answers.mailbox(parts.from_name, parts.from_email),
        "to": [answers.mailbox(parts.to_name, message.recipient)],
        **({"reply_to": [reply_to]} if reply_to else {}),
        "subject": parts.subject,
        "text": parts.text,
        "html": parts.html,
        "headers": answers.own_headers(parts),
        "tags": [{"name": "delivery", "value": str(message.delivery)}],
    }


def _named(plain: object) -> str:
    return str(plain.get("name", "")) if isinstance(plain, dict) else ""


def _verdict(named: str, answer: Answer) -> Verdict | None:
    words = answers.said(answer)
    if named in _STOP:
        return Verdict(kind=Kind.STOP, scope=Scope.MAILING, reason=words)
    if named in _RETRY:
        wait = answers.retry_after(answer.headers)
        return Verdict(kind=Kind.RETRY, scope=Scope.MAILING, retry_after=wait, reason=words)
    if named == _HAD_BEFORE:
        return Verdict(kind=Kind.UNKNOWN, reason=words)
    return None


def _failed(plain: object) -> dict[int, str]:
    listed = plain.get("errors") if isinstance(plain, dict) else None
    if not isinstance(listed, list):
        return {}
    return {
        each["index"]: str(each.get("message", ""))[:200]
        for each in listed
        if isinstance(each, dict) and isinstance(each.get("index"), int)
    }


# -- webhooks ----------------------------------------------------------------------------------

_KINDS = {
    "email.sent": events.Kind.ACCEPTED,
    "email.delivered": events.Kind.DELIVERED,
    "email.delivery_delayed": events.Kind.DEFERRED,
    "email.bounced": events.Kind.BOUNCED,
    "email.complained": events.Kind.COMPLAINED,
    "email.suppressed": events.Kind.REJECTED,
    "email.failed": events.Kind.REJECTED,
    "email.opened": events.Kind.OPENED,
    "email.clicked": events.Kind.CLICKED,
}
_SUB_TYPES = {
    "MailboxFull": Cause.MAILBOX_FULL,
    "MessageTooLarge": Cause.TOO_BIG,
    "ContentRejected": Cause.CONTENT,
    "AttachmentRejected": Cause.CONTENT,
    "Suppressed": Cause.SUPPRESSED,
    "OnAccountSuppressionList": Cause.SUPPRESSED,
    "NoEmail": Cause.UNKNOWN_USER,
    "General": Cause.UNKNOWN_USER,
}


def verify(hook: hooks.Hook, *, secrets: Sequence[str], now: datetime) -> None:
    """Check a Svix signature: HMAC-SHA256 over ``id.timestamp.raw body``, five minutes either way.

    Raises:
        SignatureError: no signature fits any secret, or it is too old or too new.
    """
    identity = hook.headers.get("svix-id") or hook.headers.get("webhook-id", "")
    stamp = hook.headers.get("svix-timestamp") or hook.headers.get("webhook-timestamp", "")
    given = hook.headers.get("svix-signature") or hook.headers.get("webhook-signature", "")
    if not identity or not stamp.isdigit():
        raise hooks.SignatureError("the webhook is not signed")
    hooks.check_age(hooks.moment(stamp), now)
    signed = f"{identity}.{stamp}.".encode() + hook.body
    wanted = [
        base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()
        for secret in secrets
    ]
    theirs = [each.removeprefix("v1,") for each in given.split() if each.startswith("v1,")]
    if not sum(hooks.same(mine, each) for mine in wanted for each in theirs):
        raise hooks.SignatureError("the webhook's signature is not ours")


def parse_events(body: bytes) -> list[events.Event]:
    """Read the one event of a webhook."""
    plain = hooks.read_json(body)
    data = plain.get("data") if isinstance(plain, dict) else None
    return [_event(plain, data)] if isinstance(data, dict) else []


def _event(plain: Mapping[str, Any], data: Mapping[str, Any]) -> events.Event:
    sort, identity, at = str(plain.get("type", "")), str(data.get("email_id", "")), plain.get("created_at")
    recipients = data.get("to")
    bounce = hooks.mapping(data, "bounce")
    permanent = bounce.get("type") == "Permanent"
    cause = _SUB_TYPES.get(str(bounce.get("subType", "")), Cause.OTHER)
    return events.Event(
        kind=_KINDS.get(sort, events.Kind.UNKNOWN),
        at=hooks.moment(at),
        key=f"{sort}:{identity}:{at}",
        recipient=str(recipients[0]) if isinstance(recipients, list) and len(recipients) == 1 else "",
        delivery=hooks.number(hooks.mapping(data, "tags").get("delivery")),
        provider_id=identity,
        hard=permanent,
        cause=Cause.OTHER if cause is Cause.UNKNOWN_USER and not permanent else cause,
        detail=str(bounce.get("message", ""))[:500],
    )


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return secret.encode()
