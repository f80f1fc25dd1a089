"""Amazon SNS: signed notifications that carry SES's events.

Source: https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html and
https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from newsletter.domain import events
from newsletter.domain.events import Cause
from newsletter.providers import hooks

#: A validly signed message could come from anybody's bucket on amazonaws.com: the host must be SNS itself.
_CERTIFICATE = re.compile(
    r"https://sns\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/SimpleNotificationService-[A-Za-z0-9]+\.pem"
)
_SUBSCRIBE = re.compile(r"https://sns\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/\?[A-Za-z0-9_.%:/&=+~-]+")
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")

#: Returns the PEM certificate at a URL that `_CERTIFICATE` allowed.
Fetch = Callable[[str], bytes]


def verify(hook: hooks.Hook, *, secrets: Sequence[str], now: datetime, fetch: Fetch | None = None) -> None:
    """Check an SNS signature, version 1 or 2; the secrets are the TopicArns that may talk to us.

    Raises:
        SignatureError: another topic, another host's certificate, or a signature that does not fit.
    """
    plain = hooks.read_json(hook.body)
    if not isinstance(plain, dict):
        raise hooks.SignatureError("the webhook is no SNS message")
    topic = str(plain.get("TopicArn", ""))
    if not sum(hooks.same(topic, each) for each in secrets):
        raise hooks.SignatureError("the webhook comes from a topic that is not ours")
    url = str(plain.get("SigningCertURL", ""))
    if not _CERTIFICATE.fullmatch(url) or fetch is None:
        raise hooks.SignatureError("the webhook names a certificate that is not SNS's own")
    _check_signature(plain, fetch(url))


def string_to_sign(plain: Mapping[str, Any]) -> bytes:
    """Return what SNS signed: name and value of each field that is there, a line each."""
    names = _NOTIFICATION if plain.get("Type") == "Notification" else _CONFIRMATION
    return "".join(f"{name}\n{plain[name]}\n" for name in names if plain.get(name) is not None).encode()


def confirmation(body: bytes) -> str:
    """Return the URL that confirms a subscription, or nothing; only SNS's own host is ever named."""
    plain = hooks.read_json(body)
    if not isinstance(plain, dict) or plain.get("Type") != "SubscriptionConfirmation":
        return ""
    url = str(plain.get("SubscribeURL", ""))
    return url if _SUBSCRIBE.fullmatch(url) else ""


def _check_signature(plain: Mapping[str, Any], certificate: bytes) -> None:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    versions: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 - version 1 is SHA-1
    algorithm = versions.get(str(plain.get("SignatureVersion", "")))
    key = x509.load_pem_x509_certificate(certificate).public_key()
    try:
        signature = base64.b64decode(str(plain.get("Signature", "")), validate=True)
        if algorithm is None or not isinstance(key, rsa.RSAPublicKey):
            raise hooks.SignatureError("the webhook is signed in a way that SNS does not sign")
        key.verify(signature, string_to_sign(plain), padding.PKCS1v15(), algorithm)
    except (InvalidSignature, binascii.Error, ValueError):
        raise hooks.SignatureError("the webhook's signature is not SNS's") from None


# -- events ------------------------------------------------------------------------------------

_KINDS = {
    "Send": events.Kind.ACCEPTED,
    "Delivery": events.Kind.DELIVERED,
    "DeliveryDelay": events.Kind.DEFERRED,
    "Bounce": events.Kind.BOUNCED,
    "Complaint": events.Kind.COMPLAINED,
    "Reject": events.Kind.REJECTED,
    "Rendering Failure": events.Kind.REJECTED,
    "Open": events.Kind.OPENED,
    "Click": events.Kind.CLICKED,
    "Subscription": events.Kind.UNSUBSCRIBED,
}
#: Name of the object that holds each event's details.
_DETAILS = {"DeliveryDelay": "deliveryDelay", "Rendering Failure": "failure"}
_SUB_TYPES = {
    "General": Cause.UNKNOWN_USER,
    "NoEmail": Cause.UNKNOWN_USER,
    "Suppressed": Cause.SUPPRESSED,
    "OnAccountSuppressionList": Cause.SUPPRESSED,
    "MailboxFull": Cause.MAILBOX_FULL,
    "MessageTooLarge": Cause.TOO_BIG,
    "ContentRejected": Cause.CONTENT,
    "AttachmentRejected": Cause.CONTENT,
}
#: Statuses that do not contradict “this address is dead” (RFC 3463 §3): the rest speaks of us, of the mail,
#: or of a mailbox that is full.
_OF_THE_READER = frozenset({"5.0.0", "5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1", "5.5.0"})


def parse_events(body: bytes) -> list[events.Event]:
    """Read the SES events that a notification carries; a confirmation carries none."""
    outer = hooks.read_json(body)
    if not isinstance(outer, dict) or outer.get("Type") != "Notification":
        return []
    plain = hooks.read_json(str(outer.get("Message", "")).encode())
    if not isinstance(plain, dict) or not isinstance(plain.get("mail"), dict):
        return []
    return [_event(plain, str(outer.get("MessageId", "")))]


def _event(plain: Mapping[str, Any], identity: str) -> events.Event:
    named = str(plain.get("eventType") or plain.get("notificationType") or "")
    details = plain.get(_DETAILS.get(named, named.lower()))
    found: Mapping[str, Any] = details if isinstance(details, dict) else {}
    mail = plain["mail"]
    permanent = named == "Bounce" and found.get("bounceType") == "Permanent"
    cause = _cause(found) if named == "Bounce" else Cause.OTHER
    recipients = mail.get("destination")
    return events.Event(
        kind=_KINDS.get(named, events.Kind.UNKNOWN),
        at=hooks.moment(found.get("timestamp") or mail.get("timestamp", "")),
        key=identity,
        recipient=str(recipients[0]) if isinstance(recipients, list) and len(recipients) == 1 else "",
        delivery=hooks.number(hooks.mapping(mail, "tags").get("delivery")),
        provider_id=str(mail.get("messageId", "")),
        hard=permanent,
        cause=Cause.OTHER if cause is Cause.UNKNOWN_USER and not permanent else cause,
        detail=_diagnosis(found),
    )


def _cause(found: Mapping[str, Any]) -> Cause:
    """Return why a mail bounced; “General” covers every refusal, and the server's status tells more."""
    named = str(found.get("bounceSubType", ""))
    status = str(_bounced(found).get("status", ""))
    if named == "General" and status and status not in _OF_THE_READER:
        return Cause.POLICY if status.startswith("5.7.") else Cause.OTHER
    return _SUB_TYPES.get(named, Cause.OTHER)


def _bounced(found: Mapping[str, Any]) -> Mapping[str, Any]:
    listed = found.get("bouncedRecipients")
    return listed[0] if isinstance(listed, list) and listed and isinstance(listed[0], dict) else {}


def _diagnosis(found: Mapping[str, Any]) -> str:
    return str(_bounced(found).get("diagnosticCode") or found.get("reason") or "")[:500]
