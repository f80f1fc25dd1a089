"""Mailgun: one body with a thousand recipients' values, one answer for all of them.

Source: https://documentation.mailgun.com (Messages, Batch Sending, Webhooks: securing, event types).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import urllib.parse
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from newsletter import ports
from newsletter.domain import events, messages
from newsletter.domain.events import Cause
from newsletter.domain.verdicts import ACCEPTED, Kind, Scope, Verdict
from newsletter.providers import answers, hooks, substitution
from newsletter.providers.answers import Answer, Call, Parsed


@dataclass(frozen=True, kw_only=True)
class Account(answers.ApiOptions):
    """What an account needs."""

    api_key: str = field(repr=False)
    domain: str
    #: ``https://api.eu.mailgun.net`` for the EU region.
    url: str = "https://api.mailgun.net"


class Api:
    """Mailgun's messages endpoint with recipient variables."""

    Options = Account
    name = "Mailgun"
    batch = 1000
    batch_bytes = 20_000_000

    def __init__(self, options: Account) -> None:
        self.options = options
        self.limits = ports.Limits(
            raw=False, max_bytes=25_000_000, in_flight=self.batch * options.connections, batch=self.batch
        )

    def call(self, batch: Sequence[messages.Message], *, now: datetime) -> Call:
        """Write one batch: the body once, and each recipient's own values."""
        first = answers.opened(batch[0])
        rendered = answers.template_of(first)
        reply_to = first.headers.get("Reply-To", "")
        fields = [
            ("from", answers.mailbox(first.from_name, first.from_email)),
            ("subject", _tag("subject")),
            ("text", substitution.body(rendered.text, _tag, prefix="t")),
            ("html", substitution.body(rendered.html, _tag, prefix="h")),
            # Links and pixels stay as the editors wrote them.
            ("o:tracking", "no"),
            ("v:delivery", "%recipient.delivery%"),
            ("recipient-variables", json.dumps(dict(map(_variables, batch)), ensure_ascii=False)),
        ]
        fields += [("h:Reply-To", reply_to)] if reply_to else []
        fields += [(f"h:{name}", _tag(_header(name))) for name in answers.own_headers(first)]
        fields += [("to", answers.mailbox(answers.opened(each).to_name, each.recipient)) for each in batch]
        return Call(
            url=f"{self.options.url}/v3/{self.options.domain}/messages",
            headers={**self._headers(), "Content-Type": "application/x-www-form-urlencoded"},
            content=urllib.parse.urlencode(fields).encode(),
        )

    def parse(self, batch: Sequence[messages.Message], answer: Answer) -> Parsed:
        """Read one answer for all: a single bad address refuses the whole call."""
        if answer.ok:
            # The id in the answer is the batch's; events carry each message's own Message-ID.
            return answers.everyone(batch, ACCEPTED, answer)
        if answer.status == 404:
            reason = f"Mailgun does not know the domain {self.options.domain}"
            return answers.everyone(
                batch, Verdict(kind=Kind.STOP, scope=Scope.MAILING, reason=reason), answer
            )
        verdict = answers.refusal(answer)
        if verdict:
            return answers.everyone(batch, verdict, answer)
        return answers.split(batch, answer, answers.said(answer))

    def check(self, *, now: datetime) -> Call:
        """Ask for the sending domain."""
        url = f"{self.options.url}/v3/domains/{self.options.domain}"
        return Call(method="GET", url=url, headers=self._headers())

    def stranger(self, answer: Answer) -> bool:
        """Read the status: a domain sending key may not ask for the domain either."""
        return answers.refused(answer)

    def knock(self) -> Call:
        """Call the endpoint of messages without a message.

        A domain sending key may call this one alone (API reference, Authentication): what lacks its
        parameters is answered 400, “often missing a required parameter”, and 401 is “no valid API key”.
        """
        url = f"{self.options.url}/v3/{self.options.domain}/messages"
        return Call(url=url, headers={**self._headers(), "Content-Type": "application/x-www-form-urlencoded"})

    def pause(self, answer: Answer) -> float:
        """Mailgun documents no rate headers; 429 is a verdict."""
        return 0.0

    def rate(self, answer: Answer) -> float:
        """Mailgun declares none."""
        return 0.0

    def _headers(self) -> dict[str, str]:
        pair = base64.b64encode(f"api:{self.options.api_key}".encode()).decode()
        return {"Authorization": f"Basic {pair}"}


def _variables(message: messages.Message) -> tuple[str, dict[str, str]]:
    parts = answers.opened(message)
    rendered = answers.template_of(parts)
    return message.recipient, {
        "delivery": str(message.delivery),
        "subject": parts.subject,
        **substitution.values(rendered.text, parts.values, prefix="t", escape=False),
        **substitution.values(rendered.html, parts.values, prefix="h", escape=True),
        **{_header(name): value for name, value in answers.own_headers(parts).items()},
    }


def _tag(name: str) -> str:
    return f"%recipient.{name}%"


def _header(name: str) -> str:
    return f"x_{name.lower().replace('-', '_')}"


# -- webhooks ----------------------------------------------------------------------------------

_KINDS = {
    "accepted": events.Kind.ACCEPTED,
    "delivered": events.Kind.DELIVERED,
    "failed": events.Kind.BOUNCED,
    "rejected": events.Kind.REJECTED,
    "complained": events.Kind.COMPLAINED,
    "opened": events.Kind.OPENED,
    "clicked": events.Kind.CLICKED,
    "unsubscribed": events.Kind.UNSUBSCRIBED,
}
#: Mailgun's own codes for “did not exist” and “bounced before”, beside the SMTP ones.
_DEAD_CODES = frozenset({605, 607})
#: What of RFC 3463 §3.2 and RFC 7505 speaks of the reader's address; 5.1.7 and 5.1.8 speak of ours.
_DEAD_STATUS = {
    **dict.fromkeys(("5.1.1", "5.1.3", "5.1.6"), Cause.UNKNOWN_USER),
    **dict.fromkeys(("5.1.2", "5.1.10"), Cause.BAD_DOMAIN),
}


class Replays:
    """Remembers tokens: Mailgun's signature covers token and time but not the body."""

    def __init__(self, size: int = 20_000) -> None:
        self._seen: OrderedDict[str, bytes] = OrderedDict()
        self._size = size

    def check(self, token: str, body: bytes) -> None:
        """Refuse a token that came before with another body; the same mail of events may come again.

        Raises:
            SignatureError: the body was swapped under a valid signature.
        """
        mark = hashlib.sha256(body).digest()
        if self._seen.setdefault(token, mark) != mark:
            raise hooks.SignatureError("the webhook's token was used for another body")
        while len(self._seen) > self._size:
            self._seen.popitem(last=False)


_replays = Replays()


def verify(hook: hooks.Hook, *, secrets: Sequence[str], now: datetime) -> None:
    """Check ``hex(HMAC-SHA256(key, timestamp + token))``, its age, and that the token is not replayed.

    Raises:
        SignatureError: it is not Mailgun's, too old, or replayed with another body.
    """
    plain = hooks.read_json(hook.body)
    signature = plain.get("signature") if isinstance(plain, dict) else None
    if not isinstance(signature, dict):
        raise hooks.SignatureError("the webhook is not signed")
    stamp, token = str(signature.get("timestamp", "")), str(signature.get("token", ""))
    given = str(signature.get("signature", ""))
    signed = (stamp + token).encode("utf-8", "surrogatepass")
    wanted = [hmac.new(each.encode(), signed, hashlib.sha256).hexdigest() for each in secrets]
    if not token or not sum(hooks.same(mine, given) for mine in wanted):
        raise hooks.SignatureError("the webhook's signature is not ours")
    hooks.check_age(hooks.moment(stamp), now)
    _replays.check(token, hook.body)


def parse_events(body: bytes) -> list[events.Event]:
    """Read the one event of a webhook."""
    plain = hooks.read_json(body)
    data = plain.get("event-data") if isinstance(plain, dict) else None
    return [_event(data)] if isinstance(data, dict) else []


def _event(data: Mapping[str, Any]) -> events.Event:
    named, reason = str(data.get("event", "")), str(data.get("reason", ""))
    status = hooks.mapping(data, "delivery-status")
    kind = _KINDS.get(named, events.Kind.UNKNOWN)
    if named == "failed" and data.get("severity") == "temporary":
        kind = events.Kind.DEFERRED
    if named == "failed" and reason.startswith("suppress-"):
        kind = events.Kind.REJECTED
    code, enhanced = status.get("code"), str(status.get("enhanced-code", ""))
    cause = Cause.UNKNOWN_USER if code in _DEAD_CODES else _DEAD_STATUS.get(enhanced, Cause.OTHER)
    hard = kind is events.Kind.BOUNCED and cause is not Cause.OTHER
    headers = hooks.mapping(hooks.mapping(data, "message"), "headers")
    return events.Event(
        kind=kind,
        at=hooks.moment(data.get("timestamp", 0)),
        key=str(data.get("id", "")),
        recipient=str(data.get("recipient", "")),
        delivery=hooks.number(hooks.mapping(data, "user-variables").get("delivery")),
        message_id=str(headers.get("message-id", "")).strip("<>"),
        hard=hard,
        cause=cause if hard else Cause.OTHER,
        detail=str(status.get("message") or status.get("description") or reason)[:500],
    )
