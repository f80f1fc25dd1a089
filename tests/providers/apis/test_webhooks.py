# ruff: noqa: E501 - the table of events reads better one row an event
"""Webhooks: signed by whom they name, fresh, and read into one vocabulary."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from newsletter.domain.events import DEAD, Cause, Event, Kind
from newsletter.providers import brevo, hooks, mailgun, postmark, resend, sendgrid, sns

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
MINUTES = timedelta(minutes=1)

#: Signed by the vendors' own libraries: see tools/webhook_vectors.py.
VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))

# -- Svix (Resend) -------------------------------------------------------------------------------

SVIX_SECRET = VECTORS["svix"]["secret"]
SVIX_BODY = VECTORS["svix"]["body"].encode()
SVIX_HEADERS = {
    "svix-id": VECTORS["svix"]["id"],
    "svix-timestamp": VECTORS["svix"]["timestamp"],
    "svix-signature": VECTORS["svix"]["signature"],
}


def svix(body: bytes = SVIX_BODY, **changes: str) -> hooks.Hook:
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    return hooks.Hook(body=body, headers={**SVIX_HEADERS, **changed})


def test_a_svix_signature_is_accepted_also_among_others_and_with_either_of_two_secrets() -> None:
    resend.verify(svix(), secrets=[SVIX_SECRET], now=NOW)
    both = f"v1,AAAA {SVIX_HEADERS['svix-signature']} v2,BBBB"
    resend.verify(svix(svix_signature=both), secrets=["whsec_b2xkIHNlY3JldA==", SVIX_SECRET], now=NOW)


@pytest.mark.parametrize(
    "hook",
    [
        svix(SVIX_BODY.replace(b"delivered", b"bounced")),
        svix(json.dumps(json.loads(SVIX_BODY), indent=1).encode()),
        svix(svix_id="msg_other"),
        svix(svix_signature="v1,"),
        svix(svix_signature=""),
        svix(svix_timestamp="soon"),
        hooks.Hook(body=SVIX_BODY),
    ],
    ids=["other body", "re-serialised", "other id", "empty", "none", "no time", "unsigned"],
)
def test_a_svix_webhook_that_was_touched_is_refused(hook: hooks.Hook) -> None:
    with pytest.raises(hooks.SignatureError):
        resend.verify(hook, secrets=[SVIX_SECRET], now=NOW)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_svix_webhook_is_refused_when_the_clock_is_six_minutes_off(minutes: int) -> None:
    with pytest.raises(hooks.SignatureError):
        resend.verify(svix(), secrets=[SVIX_SECRET], now=NOW + minutes * MINUTES)


# -- SendGrid ------------------------------------------------------------------------------------

SG_KEY, SG_BODY = VECTORS["twilio"]["key"], VECTORS["twilio"]["body"].encode()
SG_SIGNATURE = VECTORS["twilio"]["signature"]


def twilio(body: bytes = SG_BODY, signature: str = SG_SIGNATURE, stamp: str = "1795165200") -> hooks.Hook:
    prefix = "x-twilio-email-event-webhook-"
    return hooks.Hook(body=body, headers={f"{prefix}signature": signature, f"{prefix}timestamp": stamp})


def test_twilio_s_signature_over_the_raw_body_is_accepted() -> None:
    sendgrid.verify(twilio(), secrets=[SG_KEY], now=NOW)


@pytest.mark.parametrize(
    "hook",
    [
        twilio(json.dumps(json.loads(SG_BODY)).encode()),
        twilio(SG_BODY.strip()),
        twilio(signature=""),
        twilio(signature="AAAA"),
        twilio(stamp="1795165201"),
    ],
    ids=["re-serialised", "trimmed", "unsigned", "garbage", "other time"],
)
def test_a_twilio_webhook_that_was_touched_is_refused(hook: hooks.Hook) -> None:
    with pytest.raises(hooks.SignatureError):
        sendgrid.verify(hook, secrets=[SG_KEY], now=NOW)


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_twilio_webhook_is_refused_when_the_clock_is_six_minutes_off(minutes: int) -> None:
    with pytest.raises(hooks.SignatureError):
        sendgrid.verify(twilio(), secrets=[SG_KEY], now=NOW + minutes * MINUTES)


def test_twilio_s_key_may_be_one_of_two_while_it_is_changed() -> None:
    other = ec.generate_private_key(ec.SECP256R1()).public_key()
    spki = other.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    sendgrid.verify(twilio(), secrets=[base64.b64encode(spki).decode(), SG_KEY], now=NOW)
    with pytest.raises(hooks.SignatureError):
        sendgrid.verify(twilio(), secrets=[base64.b64encode(spki).decode()], now=NOW)


# -- Mailgun -------------------------------------------------------------------------------------


def mailgun_hook(data: dict[str, Any], token: str, key: str = "signing-key") -> hooks.Hook:
    stamp = str(int(NOW.timestamp()))
    signature = hmac.new(key.encode(), (stamp + token).encode(), hashlib.sha256).hexdigest()
    plain = {"signature": {"timestamp": stamp, "token": token, "signature": signature}, "event-data": data}
    return hooks.Hook(body=json.dumps(plain).encode())


def test_mailgun_s_signature_is_accepted_and_the_same_webhook_may_come_again() -> None:
    hook = mailgun_hook({"event": "delivered", "id": "1"}, "t" * 50)
    for _ in range(2):
        mailgun.verify(hook, secrets=["signing-key"], now=NOW)


def test_mailgun_s_token_cannot_be_used_for_another_body() -> None:
    mailgun.verify(mailgun_hook({"event": "delivered"}, "u" * 50), secrets=["signing-key"], now=NOW)
    with pytest.raises(hooks.SignatureError, match="another body"):
        mailgun.verify(mailgun_hook({"event": "complained"}, "u" * 50), secrets=["signing-key"], now=NOW)


def test_a_mailgun_webhook_with_another_key_or_of_six_minutes_ago_is_refused() -> None:
    with pytest.raises(hooks.SignatureError):
        mailgun.verify(mailgun_hook({}, "v" * 50, key="guess"), secrets=["signing-key"], now=NOW)
    for minutes in (-6, 6):
        with pytest.raises(hooks.SignatureError):
            mailgun.verify(mailgun_hook({}, "w" * 50), secrets=["signing-key"], now=NOW + minutes * MINUTES)


def test_mailgun_s_key_may_be_one_of_two_while_it_is_changed() -> None:
    mailgun.verify(mailgun_hook({}, "x" * 50), secrets=["new-key", "signing-key"], now=NOW)


# -- basic auth ----------------------------------------------------------------------------------


def basic(pair: str) -> hooks.Hook:
    return hooks.Hook(
        body=b"{}", headers={"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    )


@pytest.mark.parametrize("verify", [postmark.verify, brevo.verify])
def test_basic_auth_accepts_either_of_two_secrets_and_nothing_else(verify: Callable[..., None]) -> None:
    secrets = ["old:pässword", "new:password"]
    verify(basic("old:pässword"), secrets=secrets, now=NOW)
    verify(basic("new:password"), secrets=secrets, now=NOW)
    for hook in (basic("new:wrong"), basic(""), hooks.Hook(body=b"{}")):
        with pytest.raises(hooks.SignatureError):
            verify(hook, secrets=secrets, now=NOW)


# -- SNS -----------------------------------------------------------------------------------------

TOPIC = "arn:aws:sns:us-east-1:123456789012:newsletter"
CERTIFICATE_URL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem"


@pytest.fixture(scope="module")
def amazon() -> tuple[rsa.RSAPrivateKey, bytes]:
    """A key and its certificate, as SNS would have them."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW - 10 * MINUTES)
        .not_valid_after(NOW + 10 * MINUTES)
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(serialization.Encoding.PEM)


def sns_hook(key: rsa.RSAPrivateKey, version: str = "2", **changes: str) -> hooks.Hook:
    plain: dict[str, str] = {
        "Type": "Notification",
        "MessageId": "m-1",
        "TopicArn": TOPIC,
        "Message": "{}",
        "Timestamp": "2026-11-20T09:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": CERTIFICATE_URL,
        **changes,
    }
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    signature = key.sign(sns.string_to_sign(plain), padding.PKCS1v15(), algorithm)
    plain["Signature"] = base64.b64encode(signature).decode()
    return hooks.Hook(body=json.dumps(plain).encode())


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize(
    "subject", [{}, {"Subject": "Amazon SES Email Event"}], ids=["no subject", "subject"]
)
def test_sns_is_accepted_in_both_versions(
    amazon: tuple[rsa.RSAPrivateKey, bytes], version: str, subject: dict[str, str]
) -> None:
    key, certificate = amazon
    sns.verify(sns_hook(key, version, **subject), secrets=[TOPIC], now=NOW, fetch=lambda _: certificate)


def test_the_string_to_sign_is_the_one_in_amazon_s_documentation() -> None:
    plain = {
        "Type": "Notification",
        "Message": "Test message",
        "MessageId": "4d4dc071",
        "Subject": "My subject",
        "Timestamp": "2019-01-31T04:37:04.321Z",
        "TopicArn": "arn:aws:sns:us-east-2:123456789012:s4",
    }
    assert sns.string_to_sign(plain) == (
        b"Message\nTest message\nMessageId\n4d4dc071\nSubject\nMy subject\nTimestamp\n2019-01-31T04:37:04.321Z\n"
        b"TopicArn\narn:aws:sns:us-east-2:123456789012:s4\nType\nNotification\n"
    )


def test_another_topic_of_sns_is_refused_though_its_signature_is_good(
    amazon: tuple[rsa.RSAPrivateKey, bytes],
) -> None:
    key, certificate = amazon
    foreign = sns_hook(key, TopicArn="arn:aws:sns:us-east-1:999999999999:mine")
    with pytest.raises(hooks.SignatureError, match="topic"):
        sns.verify(foreign, secrets=[TOPIC], now=NOW, fetch=lambda _: certificate)
    both = [TOPIC, "arn:aws:sns:us-east-1:999999999999:mine"]
    sns.verify(foreign, secrets=both, now=NOW, fetch=lambda _: certificate)


@pytest.mark.parametrize(
    "url",
    [
        "https://mybucket.s3.amazonaws.com/SimpleNotificationService-0a1b2c.pem",
        "https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-0a1b2c.pem",
        "https://sns.us-east-1.amazonaws.com@evil.example/SimpleNotificationService-0a1b2c.pem",
        "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem",
        "https://sns.us-east-1.amazonaws.com/evil.pem",
    ],
)
def test_a_certificate_that_is_not_on_sns_s_own_host_is_never_fetched(
    amazon: tuple[rsa.RSAPrivateKey, bytes], url: str
) -> None:
    fetched: list[str] = []

    def fetch(asked: str) -> bytes:
        fetched.append(asked)
        return amazon[1]

    with pytest.raises(hooks.SignatureError):
        sns.verify(sns_hook(amazon[0], SigningCertURL=url), secrets=[TOPIC], now=NOW, fetch=fetch)
    assert fetched == []


def test_an_sns_message_that_was_touched_is_refused(amazon: tuple[rsa.RSAPrivateKey, bytes]) -> None:
    key, certificate = amazon
    plain = json.loads(sns_hook(key).body)
    plain["Message"] = '{"eventType": "Complaint"}'
    with pytest.raises(hooks.SignatureError):
        sns.verify(
            hooks.Hook(body=json.dumps(plain).encode()), secrets=[TOPIC], now=NOW, fetch=lambda _: certificate
        )


def test_only_sns_s_own_host_is_ever_asked_to_confirm() -> None:
    def confirming(url: str) -> bytes:
        return json.dumps({"Type": "SubscriptionConfirmation", "SubscribeURL": url}).encode()

    good = (
        f"https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn={TOPIC}&Token=2336412f37"
    )
    assert sns.confirmation(confirming(good)) == good
    assert sns.confirmation(confirming("http://169.254.169.254/latest/meta-data")) == ""
    assert sns.confirmation(confirming("https://sns.us-east-1.amazonaws.com.evil.example/?Action=x")) == ""
    assert sns.confirmation(b'{"Type":"Notification"}') == ""


# -- what the events say -------------------------------------------------------------------------


def ses(event: dict[str, Any]) -> bytes:
    mail = {"messageId": "ses-1", "destination": ["ada@example.org"], "timestamp": "2026-11-20T08:59:00Z"}
    message = json.dumps({"mail": mail, **event})
    return json.dumps({"Type": "Notification", "MessageId": "m-1", "Message": message}).encode()


def ses_bounce(kind: str, sub: str, status: str = "5.1.1") -> bytes:
    return ses(
        {
            "eventType": "Bounce",
            "bounce": {
                "bounceType": kind,
                "bounceSubType": sub,
                "timestamp": "2026-11-20T09:00:00Z",
                "bouncedRecipients": [
                    {
                        "emailAddress": "ada@example.org",
                        "status": status,
                        "diagnosticCode": f"smtp; 550 {status} the server's words",
                    }
                ],
            },
        }
    )


def sg(**event: Any) -> bytes:
    return json.dumps(
        [{"email": "ada@example.org", "timestamp": 1795165200, "sg_event_id": "e", **event}]
    ).encode()


def mg(**event: Any) -> bytes:
    return json.dumps(
        {"event-data": {"recipient": "ada@example.org", "timestamp": 1795165200.5, **event}}
    ).encode()


def pm(**event: Any) -> bytes:
    return json.dumps({"Recipient": "ada@example.org", "MessageID": "pm-1", **event}).encode()


def suppressed_by_postmark(reason: str, origin: str) -> bytes:
    """https://postmarkapp.com/developer/webhooks/subscription-change-webhook."""
    return pm(RecordType="SubscriptionChange", SuppressSending=True, SuppressionReason=reason, Origin=origin)


def rs(named: str, **data: Any) -> bytes:
    data = {"email_id": "re-1", "to": ["ada@example.org"], **data}
    return json.dumps({"type": named, "created_at": "2026-11-20T09:00:00Z", "data": data}).encode()


def bv(named: str, **event: Any) -> bytes:
    plain = {"event": named, "email": "ada@example.org", "message-id": "<br-1>", "ts_epoch": 1795165200000}
    return json.dumps({**plain, **event}).encode()


CASES: list[tuple[Callable[[bytes], list[Event]], bytes, Kind, bool]] = [
    (sns.parse_events, ses({"eventType": "Send", "send": {}}), Kind.ACCEPTED, False),
    (sns.parse_events, ses({"eventType": "Delivery", "delivery": {}}), Kind.DELIVERED, False),
    (sns.parse_events, ses({"eventType": "DeliveryDelay", "deliveryDelay": {}}), Kind.DEFERRED, False),
    (sns.parse_events, ses_bounce("Permanent", "NoEmail"), Kind.BOUNCED, True),
    (sns.parse_events, ses_bounce("Permanent", "General"), Kind.BOUNCED, True),
    (sns.parse_events, ses_bounce("Transient", "MailboxFull"), Kind.BOUNCED, False),
    (sns.parse_events, ses_bounce("Undetermined", "Undetermined"), Kind.BOUNCED, False),
    (sns.parse_events, ses({"eventType": "Complaint", "complaint": {}}), Kind.COMPLAINED, False),
    (sns.parse_events, ses({"eventType": "Reject", "reject": {}}), Kind.REJECTED, False),
    (sns.parse_events, ses({"eventType": "Subscription", "subscription": {}}), Kind.UNSUBSCRIBED, False),
    (sns.parse_events, ses({"eventType": "Novelty"}), Kind.UNKNOWN, False),
    (sendgrid.parse_events, sg(event="processed"), Kind.ACCEPTED, False),
    (sendgrid.parse_events, sg(event="delivered"), Kind.DELIVERED, False),
    (sendgrid.parse_events, sg(event="deferred"), Kind.DEFERRED, False),
    (sendgrid.parse_events, sg(event="bounce", type="bounce", bounce_classification="Invalid Address"), Kind.BOUNCED, True),
    (sendgrid.parse_events, sg(event="bounce", type="blocked", bounce_classification="Invalid Address"), Kind.BOUNCED, False),
    (sendgrid.parse_events, sg(event="bounce", type="bounce", bounce_classification="Content"), Kind.BOUNCED, False),
    (sendgrid.parse_events, sg(event="bounce", type="bounce", bounce_classification="Technical"), Kind.BOUNCED, False),
    (sendgrid.parse_events, sg(event="dropped"), Kind.REJECTED, False),
    (sendgrid.parse_events, sg(event="spamreport"), Kind.COMPLAINED, False),
    (sendgrid.parse_events, sg(event="group_unsubscribe"), Kind.UNSUBSCRIBED, False),
    (sendgrid.parse_events, sg(event="novelty"), Kind.UNKNOWN, False),
    (mailgun.parse_events, mg(event="delivered"), Kind.DELIVERED, False),
    (mailgun.parse_events, mg(event="failed", severity="temporary"), Kind.DEFERRED, False),
    (mailgun.parse_events, mg(event="failed", severity="permanent", **{"delivery-status": {"code": 605}}), Kind.BOUNCED, True),
    (
        mailgun.parse_events,
        mg(event="failed", severity="permanent", **{"delivery-status": {"code": 550, "enhanced-code": "5.1.1"}}),
        Kind.BOUNCED,
        True,
    ),
    (mailgun.parse_events, mg(event="failed", severity="permanent", **{"delivery-status": {"code": 552}}), Kind.BOUNCED, False),
    (mailgun.parse_events, mg(event="failed", severity="permanent", reason="suppress-bounce"), Kind.REJECTED, False),
    (mailgun.parse_events, mg(event="complained"), Kind.COMPLAINED, False),
    (mailgun.parse_events, mg(event="novelty"), Kind.UNKNOWN, False),
    (postmark.parse_events, pm(RecordType="Delivery", DeliveredAt="2026-11-20T09:00:00Z"), Kind.DELIVERED, False),
    (postmark.parse_events, pm(RecordType="Bounce", Type="HardBounce", ID=1), Kind.BOUNCED, True),
    (postmark.parse_events, pm(RecordType="Bounce", Type="SoftBounce", ID=1), Kind.BOUNCED, False),
    (postmark.parse_events, pm(RecordType="Bounce", Type="SpamNotification", ID=1), Kind.BOUNCED, False),
    (postmark.parse_events, pm(RecordType="Bounce", Type="Transient", ID=1), Kind.DEFERRED, False),
    (postmark.parse_events, pm(RecordType="Bounce", Type="AutoResponder", ID=1), Kind.AUTO_REPLIED, False),
    (postmark.parse_events, pm(RecordType="Bounce", Type="ManuallyDeactivated", ID=1), Kind.REJECTED, False),
    (postmark.parse_events, pm(RecordType="SpamComplaint", ID=1), Kind.COMPLAINED, False),
    (postmark.parse_events, pm(RecordType="SubscriptionChange", SuppressSending=True), Kind.UNSUBSCRIBED, False),
    (postmark.parse_events, pm(RecordType="SubscriptionChange", SuppressSending=False), Kind.UNKNOWN, False),
    (postmark.parse_events, suppressed_by_postmark("ManualSuppression", "Recipient"), Kind.UNSUBSCRIBED, False),
    # A bounce and a complaint are told by webhooks of their own, with their causes; staff are no readers.
    (postmark.parse_events, suppressed_by_postmark("HardBounce", "Recipient"), Kind.UNKNOWN, False),
    (postmark.parse_events, suppressed_by_postmark("SpamComplaint", "Recipient"), Kind.UNKNOWN, False),
    (postmark.parse_events, suppressed_by_postmark("ManualSuppression", "Customer"), Kind.UNKNOWN, False),
    (postmark.parse_events, suppressed_by_postmark("ManualSuppression", "Admin"), Kind.UNKNOWN, False),
    (postmark.parse_events, pm(RecordType="Novelty"), Kind.UNKNOWN, False),
    (resend.parse_events, SVIX_BODY, Kind.DELIVERED, False),
    (resend.parse_events, rs("email.bounced", bounce={"type": "Permanent", "subType": "General"}), Kind.BOUNCED, True),
    (resend.parse_events, rs("email.bounced", bounce={"type": "Transient", "subType": "MailboxFull"}), Kind.BOUNCED, False),
    (resend.parse_events, rs("email.delivery_delayed"), Kind.DEFERRED, False),
    (resend.parse_events, rs("email.complained"), Kind.COMPLAINED, False),
    (resend.parse_events, rs("email.suppressed"), Kind.REJECTED, False),
    (resend.parse_events, rs("email.novelty"), Kind.UNKNOWN, False),
    (brevo.parse_events, bv("delivered"), Kind.DELIVERED, False),
    (brevo.parse_events, bv("hard_bounce"), Kind.BOUNCED, True),
    (brevo.parse_events, bv("soft_bounce"), Kind.BOUNCED, False),
    (brevo.parse_events, bv("deferred"), Kind.DEFERRED, False),
    (brevo.parse_events, bv("blocked"), Kind.REJECTED, False),
    (brevo.parse_events, bv("spam"), Kind.COMPLAINED, False),
    (brevo.parse_events, bv("unsubscribed"), Kind.UNSUBSCRIBED, False),
    (brevo.parse_events, bv("novelty"), Kind.UNKNOWN, False),
]  # fmt: skip


@pytest.mark.parametrize(("parse", "body", "kind", "hard"), CASES)
def test_an_event_is_read_into_our_words(
    parse: Callable[[bytes], list[Event]], body: bytes, kind: Kind, hard: bool
) -> None:
    (event,) = parse(body)
    assert (event.kind, event.hard) == (kind, hard)
    assert event.recipient == "ada@example.org"


def test_only_an_address_that_does_not_exist_is_given_a_cause_that_suppresses() -> None:
    (policy,) = sns.parse_events(ses_bounce("Transient", "General"))
    assert policy.cause is Cause.OTHER
    (dead,) = sns.parse_events(ses_bounce("Permanent", "NoEmail"))
    assert dead.cause is Cause.UNKNOWN_USER
    # “General” is whatever a server refused for good; RFC 3463 names our sender or its policy, not the reader.
    for status in ("5.7.1", "5.7.26", "5.1.8", "5.1.7", "5.3.4", "5.2.2"):
        (refused,) = sns.parse_events(ses_bounce("Permanent", "General", status))
        assert refused.cause not in DEAD
    (suppressed,) = sns.parse_events(ses_bounce("Permanent", "OnAccountSuppressionList"))
    assert suppressed.cause is Cause.SUPPRESSED


@pytest.mark.parametrize(
    ("parse", "body"),
    [
        (
            sns.parse_events,
            json.dumps(
                {
                    "Type": "Notification",
                    "MessageId": "m",
                    "Message": json.dumps({"eventType": "Send", "mail": {"tags": {"delivery": ["42"]}}}),
                }
            ).encode(),
        ),
        (sendgrid.parse_events, sg(event="delivered", delivery="42")),
        (mailgun.parse_events, mg(event="delivered", **{"user-variables": {"delivery": "42"}})),
        (postmark.parse_events, pm(RecordType="Delivery", Metadata={"delivery": "42"})),
        (resend.parse_events, rs("email.delivered", tags={"delivery": "42"})),
        (brevo.parse_events, bv("delivered", **{"X-Mailin-custom": "delivery:42"})),
    ],
)
def test_our_own_number_comes_back_with_the_event(parse: Callable[[bytes], list[Event]], body: bytes) -> None:
    assert parse(body)[0].delivery == 42


@pytest.mark.parametrize("value", ["", "-1", "1e3", "٤٢", "9" * 30, ["1", "2"], None, {}, 1.5])
def test_what_is_no_number_of_ours_is_none(value: object) -> None:
    assert hooks.number(value) == 0


def test_an_event_has_the_time_that_the_provider_says() -> None:
    for parse, body in ((sendgrid.parse_events, SG_BODY), (brevo.parse_events, bv("delivered"))):
        assert parse(body)[0].at == NOW


def test_opens_by_machines_are_told_from_opens_by_people() -> None:
    assert sendgrid.parse_events(sg(event="open", sg_machine_open=True))[0].machine
    assert not sendgrid.parse_events(sg(event="open"))[0].machine
    assert brevo.parse_events(bv("proxy_open"))[0].machine


@pytest.mark.parametrize(
    "parse",
    [each.parse_events for each in (sns, sendgrid, mailgun, postmark, resend, brevo)],
)
@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b'"x"', b"[1]", b"\xff\xfe", b'{"Type":"Notification"}']
)
def test_a_body_of_another_shape_is_read_as_nothing_known(
    parse: Callable[[bytes], list[Event]], body: bytes
) -> None:
    assert all(event.kind is Kind.UNKNOWN for event in parse(body))


DEEP = b'{"signature": ' + b"[" * 5000


@pytest.mark.parametrize(
    "body",
    [
        DEEP,
        *(
            json.dumps(
                {"signature": {"timestamp": "1", "token": "t", "signature": "s", name: "\ud800"}}
            ).encode()
            for name in ("timestamp", "token", "signature")
        ),
        json.dumps({"TopicArn": "\ud800"}).encode(),
    ],
)
@pytest.mark.parametrize("verify", [mailgun.verify, sns.verify])
def test_a_stranger_s_odd_json_is_refused_like_any_other(verify: Callable[..., None], body: bytes) -> None:
    with pytest.raises(hooks.SignatureError):
        verify(hooks.Hook(body=body, headers={}), secrets=["key"], now=NOW)


def test_a_key_of_twilio_s_that_was_mistyped_refuses_and_spares_the_other() -> None:
    with pytest.raises(hooks.SignatureError):
        sendgrid.verify(twilio(), secrets=["no key!"], now=NOW)
    sendgrid.verify(twilio(), secrets=["no key!", SG_KEY], now=NOW)


@pytest.mark.parametrize(
    ("status", "cause"),
    [
        ("5.1.1", Cause.UNKNOWN_USER),
        ("5.1.3", Cause.UNKNOWN_USER),
        ("5.1.6", Cause.UNKNOWN_USER),
        ("5.1.2", Cause.BAD_DOMAIN),
        ("5.1.10", Cause.BAD_DOMAIN),
        # RFC 3463 §3.2: the sender's own address is refused, for every reader alike.
        ("5.1.7", Cause.OTHER),
        ("5.1.8", Cause.OTHER),
        ("5.1.0", Cause.OTHER),
        ("5.7.1", Cause.OTHER),
    ],
)
def test_of_mailgun_s_failures_those_are_hard_whose_status_speaks_of_the_reader(
    status: str, cause: Cause
) -> None:
    body = mg(
        event="failed", severity="permanent", **{"delivery-status": {"code": 550, "enhanced-code": status}}
    )
    (event,) = mailgun.parse_events(body)
    assert (event.kind, event.hard, event.cause) == (Kind.BOUNCED, cause in DEAD, cause)
