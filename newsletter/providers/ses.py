"""Amazon SES v2: one raw message a call, so that the mail is ours to the byte.

Source: https://docs.aws.amazon.com/ses/latest/APIReference-V2 (SendEmail, GetAccount, common errors).
SES writes Message-ID and Date anew; events are matched by the id that its answer gave.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from newsletter import ports
from newsletter.domain import messages
from newsletter.domain.verdicts import ACCEPTED, Kind, Scope, Verdict
from newsletter.providers import answers, sigv4, sns
from newsletter.providers.answers import Answer, Call, Parsed

_STOP = frozenset(
    {
        "AccountSuspendedException",
        "SendingPausedException",
        "MailFromDomainNotVerifiedException",
        "LimitExceededException",
        "NotFoundException",
    }
)
_THROTTLED = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling"})

#: SES's events come through SNS.
verify = sns.verify
parse_events = sns.parse_events


@dataclass(frozen=True, kw_only=True)
class Account(answers.ApiOptions):
    """What an account needs."""

    region: str
    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    configuration_set: str = ""
    #: Another endpoint than the region's own, for a VPC or a test.
    url: str = ""
    connections: int = 8


class Api:
    """SES's SendEmail with raw content."""

    Options = Account
    name = "Amazon SES"
    batch = 1
    batch_bytes = 40_000_000

    def __init__(self, options: Account) -> None:
        self.options = options
        self._url = options.url or f"https://email.{options.region}.amazonaws.com"
        self.limits = ports.Limits(raw=True, max_bytes=40_000_000, in_flight=options.connections)
        named = options.configuration_set
        self._tail = f', "ConfigurationSetName": {json.dumps(named)}}}'.encode() if named else b"}"
        self._credentials = sigv4.Credentials(
            access_key=options.access_key,
            secret_key=options.secret_key,
            session_token=options.session_token,
            region=options.region,
            service="ses",
        )

    def call(self, batch: Sequence[messages.Message], *, now: datetime) -> Call:
        """Write one message."""
        (message,) = batch
        # Written around the letter: base64 has nothing to escape, and a JSON writer would look at it twice.
        content = b"".join(
            (
                b'{"Destination": {"ToAddresses": [',
                json.dumps(message.recipient).encode(),
                b']}, "Content": {"Raw": {"Data": "',
                binascii.b2a_base64(message.raw, newline=False),
                b'"}}, "EmailTags": [{"Name": "delivery", "Value": "%d"}]' % message.delivery,
                self._tail,
            )
        )
        return self.signed("POST", "/v2/email/outbound-emails", content, now=now)

    def parse(self, batch: Sequence[messages.Message], answer: Answer) -> Parsed:
        """Read the id, or the exception that SES names."""
        plain = answer.json()
        if answer.ok and isinstance(plain, dict) and plain.get("MessageId"):
            return answers.everyone(batch, ACCEPTED, answer, provider_id=str(plain["MessageId"]))
        if answer.ok:
            return Parsed()
        verdict = _verdict(_exception(answer), answer) or answers.refusal(answer)
        rejected = Verdict(kind=Kind.REJECT, reason=answers.said(answer))
        return answers.everyone(batch, verdict or rejected, answer)

    def check(self, *, now: datetime) -> Call:
        """Ask for the account and its quota."""
        return self.signed("GET", "/v2/email/account", b"", now=now)

    def stranger(self, answer: Answer) -> bool:
        """Tell an unknown user from one whose policy grants no GetAccount, as AWS's own examples do not."""
        return answers.refused(answer) and _exception(answer) != "AccessDeniedException"

    def pause(self, answer: Answer) -> float:
        """SES sends no rate headers; throttling is a verdict."""
        return 0.0

    def rate(self, answer: Answer) -> float:
        """Read the account's messages a second."""
        plain = answer.json()
        quota = plain.get("SendQuota") if isinstance(plain, dict) else None
        rate = quota.get("MaxSendRate", 0) if isinstance(quota, dict) else 0
        return float(rate) if isinstance(rate, int | float) else 0.0

    def signed(self, method: str, path: str, content: bytes, *, now: datetime) -> Call:
        """Write a signed request."""
        url = self._url + path
        kind = {"Content-Type": "application/json"}
        headers = sigv4.sign(self._credentials, method, url, kind, content, now=now)
        return Call(method=method, url=url, headers=headers, content=content)


def _exception(answer: Answer) -> str:
    """Return the name of the exception, from header or body, without namespace and address."""
    plain = answer.json()
    named = answer.headers.get("x-amzn-errortype", "")
    if not named and isinstance(plain, dict):
        named = str(plain.get("__type") or plain.get("code") or "")
    return named.partition(":")[0].rpartition("#")[2]


def _verdict(exception: str, answer: Answer) -> Verdict | None:
    words = answers.said(answer)
    # The quota of a day and the rate of a second come under one name; only the words tell them apart:
    # “Daily message quota exceeded.” and “Maximum sending rate exceeded.”
    daily = exception in _THROTTLED and "daily" in words.lower()
    unverified = exception == "MessageRejected" and "not verified" in words.lower()
    if exception in _STOP or daily or unverified:
        return Verdict(kind=Kind.STOP, scope=Scope.MAILING, reason=words or exception)
    if exception in _THROTTLED:
        return Verdict(kind=Kind.RETRY, scope=Scope.MAILING, retry_after=1.0, reason=words or exception)
    return None
