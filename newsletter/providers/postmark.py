"""Postmark: batches of complete messages, an answer for each, webhooks behind basic auth.

Source: https://postmarkapp.com/developer (Email API, Webhooks, API error codes).
"""

from __future__ import annotations

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

_STOP = {
    10: "the server token is not known",
    400: "the sender signature is not defined",
    401: "the sender signature is not confirmed",
    405: "the account has no credits left",
    412: "the account is pending approval",
    413: "the account may not send",
    1235: "the message stream does not exist",
}
_REJECT = {
    300: "Postmark calls the message or its address invalid",
    406: "the address is inactive at Postmark",
}


@dataclass(frozen=True, kw_only=True)
class Account(answers.ApiOptions):
    """What an account needs."""

    token: str = field(repr=False)
    #: A broadcast stream whose unsubscribe handling is “Custom”, so that our own links stay.
    stream: str = "broadcast"
    url: str = "https://api.postmarkapp.com"


class Api:
    """Postmark's batch endpoint."""

    Options = Account
    name = "Postmark"
    batch = 500
    batch_bytes = 50_000_000

    def __init__(self, options: Account) -> None:
        self.options = options
        self.limits = ports.Limits(
            raw=False, max_bytes=10_000_000, in_flight=self.batch * options.connections, batch=self.batch
        )

    def call(self, batch: Sequence[messages.Message], *, now: datetime) -> Call:
        """Write one batch."""
        content = answers.json_list(self._message(each) for each in batch)
        return Call(url=f"{self.options.url}/email/batch", headers=self._headers(), content=content)

    def parse(self, batch: Sequence[messages.Message], answer: Answer) -> Parsed:
        """Read one result a message: status 200 even if some of them failed."""
        plain = answer.json()
        if not answer.ok:
            code = plain.get("ErrorCode") if isinstance(plain, dict) else None
            verdict = _verdict(code) if isinstance(code, int) else None
            stop = verdict if verdict and verdict.kind is Kind.STOP else answers.refusal(answer)
            return (
                answers.everyone(batch, stop, answer) if stop else answers.split(batch, answer, _words(plain))
            )
        results = plain if isinstance(plain, list) else []
        return Parsed(
            receipts=[
                _receipt(each, code, result)
                for each, result in zip(batch, results, strict=False)
                if isinstance(result, dict) and isinstance(code := result.get("ErrorCode"), int)
            ]
        )

    def check(self, *, now: datetime) -> Call:
        """Ask for the server that the token belongs to."""
        return Call(method="GET", url=f"{self.options.url}/server", headers=self._headers())

    def stranger(self, answer: Answer) -> bool:
        """Read the status."""
        return answers.refused(answer)

    def pause(self, answer: Answer) -> float:
        """Postmark documents no rate headers; 429 is a verdict."""
        return 0.0

    def rate(self, answer: Answer) -> float:
        """Postmark declares none."""
        return 0.0

    def _headers(self) -> dict[str, str]:
        return {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "X-Postmark-Server-Token": self.options.token,
        }

    def _message(self, message: messages.Message) -> dict[str, Any]:
        parts = answers.opened(message)
        names, reply_to = answers.own_headers(parts), parts.headers.get("Reply-To", "")
        # Postmark writes a Message-ID of its own unless it is told to keep ours.
        names["X-PM-KeepID"] = "true"
        return {
            "From": answers.mailbox(parts.from_name, parts.from_email),
            "To": answers.mailbox(parts.to_name, message.recipient),
            **({"ReplyTo": reply_to} if reply_to else {}),
            "Subject": parts.subject,
            "TextBody": parts.text,
            "HtmlBody": parts.html,
            "MessageStream": self.options.stream,
            "Metadata": {"delivery": str(message.delivery)},
            "TrackOpens": False,
            "TrackLinks": "None",
            "Headers": [{"Name": name, "Value": value} for name, value in names.items()],
        }


def _receipt(message: messages.Message, code: int, result: Mapping[str, Any]) -> deliveries.Receipt:
    words = f"{code} {result.get('Message', '')}".strip()
    if code == 0:
        return deliveries.Receipt(message.delivery, ACCEPTED, words, str(result.get("MessageID", "")))
    verdict = _verdict(code) or Verdict(kind=Kind.REJECT, reason=_words(result))
    return deliveries.Receipt(message.delivery, verdict, words)


def _verdict(code: int) -> Verdict | None:
    if code in _STOP:
        return Verdict(kind=Kind.STOP, scope=Scope.MAILING, reason=_STOP[code])
    if code in _REJECT:
        return Verdict(kind=Kind.REJECT, reason=_REJECT[code])
    return Verdict(kind=Kind.RETRY, scope=Scope.MAILING, reason="Postmark is busy") if code == 100 else None


def _words(plain: object) -> str:
    return str(plain.get("Message", ""))[:200] if isinstance(plain, dict) else "the batch was refused"


# -- webhooks ----------------------------------------------------------------------------------

_BOUNCES = {
    "HardBounce": (True, Cause.UNKNOWN_USER),
    "BadEmailAddress": (True, Cause.UNKNOWN_USER),
    "ManuallyDeactivated": (False, Cause.SUPPRESSED),
    "SoftBounce": (False, Cause.OTHER),
    "DnsError": (False, Cause.OTHER),
    "SpamNotification": (False, Cause.CONTENT),
    "Blocked": (False, Cause.POLICY),
    "DMARCPolicy": (False, Cause.AUTHENTICATION),
    "Transient": (False, Cause.OTHER),
}
_KINDS = {
    "Delivery": events.Kind.DELIVERED,
    "Bounce": events.Kind.BOUNCED,
    "SpamComplaint": events.Kind.COMPLAINED,
    "Open": events.Kind.OPENED,
    "Click": events.Kind.CLICKED,
    "SubscriptionChange": events.Kind.UNSUBSCRIBED,
}
_MOMENTS = ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt")


def verify(hook: hooks.Hook, *, secrets: Sequence[str], now: datetime) -> None:
    """Check basic auth, the only thing Postmark offers; a secret is ``user:password``."""
    hooks.check_basic(hook, secrets)


def parse_events(body: bytes) -> list[events.Event]:
    """Read the one event of a webhook."""
    plain = hooks.read_json(body)
    return [_event(plain)] if isinstance(plain, dict) else []


def _by_reader(plain: Mapping[str, Any]) -> bool:
    """Say whether a reader unsubscribed: Postmark also stops after bounces and complaints, and for staff.

    Source: https://postmarkapp.com/developer/webhooks/subscription-change-webhook.
    """
    reason, origin = plain.get("SuppressionReason"), plain.get("Origin")
    by_reader = reason in (None, "ManualSuppression") and origin in (None, "Recipient")
    return by_reader and bool(plain.get("SuppressSending"))


def _event(plain: Mapping[str, Any]) -> events.Event:
    record, sort = str(plain.get("RecordType", "")), str(plain.get("Type", ""))
    kind = _KINDS.get(record, events.Kind.UNKNOWN)
    hard, cause = _BOUNCES.get(sort, (False, Cause.OTHER))
    if kind is events.Kind.BOUNCED:
        kind = {
            "Transient": events.Kind.DEFERRED,
            "AutoResponder": events.Kind.AUTO_REPLIED,
            "ManuallyDeactivated": events.Kind.REJECTED,
            "SpamComplaint": events.Kind.COMPLAINED,
            "Unsubscribe": events.Kind.UNSUBSCRIBED,
        }.get(sort, kind)
    if record == "SubscriptionChange" and not _by_reader(plain):
        kind = events.Kind.UNKNOWN
    identity = str(plain.get("MessageID", ""))
    moment = next((plain[name] for name in _MOMENTS if plain.get(name)), "")
    return events.Event(
        kind=kind,
        at=hooks.moment(moment),
        key=f"{record}:{identity}:{plain.get('ID', moment)}",
        recipient=str(plain.get("Recipient") or plain.get("Email") or ""),
        delivery=hooks.number(hooks.mapping(plain, "Metadata").get("delivery")),
        provider_id=identity,
        hard=hard,
        cause=cause,
        detail=str(plain.get("Description") or plain.get("Details") or "")[:500],
    )
