"""What there is to arrange with a vendor beside sending: its webhook, and how it sees our domain.

Sources: each vendor's API reference, named at its class. A vendor is spoken to in `Call`s alone.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from newsletter.domain.diagnoses import Concern, Diagnosis
from newsletter.providers import judging
from newsletter.providers.answers import Answer, Call

QUOTA = Concern("account: quota")
LINKS = Concern("account: unsubscribe links")


class Enrolment(Protocol):
    """A vendor's desk for everything that is not mail."""

    #: Whether the vendor signs webhooks with a secret that is ours to choose: ``user:password``.
    own_secret: bool

    def paste(self, url: str, secret: str) -> Sequence[str]:
        """Say where in the vendor's pages a webhook is made, and what goes into which field."""
        ...

    def creation(self, url: str, secret: str) -> Sequence[Call]:
        """Write the calls that make the webhook; none where the vendor has no such API."""
        ...

    def sealing(self, answers: Sequence[Answer]) -> Call | str:
        """Return what its webhooks are signed with, or the call whose answer tells; empty: its pages tell."""
        ...

    def hooks(self) -> Call | None:
        """Write the call that lists webhooks."""
        ...

    def questions(self, domain: str, *, now: datetime) -> Sequence[tuple[Call, judging.Judge]]:
        """Write the calls that tell how the account stands, each with how to judge its answer."""
        ...


class Desk:
    """What the vendors have in common: JSON calls under one base address."""

    own_secret = False

    def __init__(self, api: Any, *, now: datetime) -> None:
        check = api.check(now=now)
        self._options = api.options
        self._headers = {**check.headers, "Content-Type": "application/json"}

    def paste(self, url: str, secret: str) -> Sequence[str]:
        """Say where in the vendor's pages a webhook is made."""
        return ()

    def creation(self, url: str, secret: str) -> Sequence[Call]:
        """Return no calls: there is no such API."""
        return ()

    def sealing(self, answers: Sequence[Answer]) -> Call | str:
        """Return nothing: the vendor's pages tell the secret."""
        return ""

    def hooks(self) -> Call | None:
        """Return nothing: there is no such list."""
        return None

    def questions(self, domain: str, *, now: datetime) -> Sequence[tuple[Call, judging.Judge]]:
        """Return no questions."""
        return ()

    def _get(self, path: str) -> Call:
        return Call(method="GET", url=f"{self._options.url}{path}", headers=self._headers)

    def _post(self, path: str, plain: Mapping[str, Any], *, method: str = "POST") -> Call:
        content = json.dumps(plain).encode()
        return Call(method=method, url=f"{self._options.url}{path}", headers=self._headers, content=content)


class Postmark(Desk):
    """https://postmarkapp.com/developer/api/webhooks-api and …/message-streams-api."""

    own_secret = True

    def paste(self, url: str, secret: str) -> Sequence[str]:
        user, _, password = secret.partition(":")
        return (
            f"Postmark → Servers → yours → {self._options.stream} → Webhooks → Add webhook",
            f"Webhook URL: {url}",
            f"Basic auth credentials: username {user}, password {password}",
            "Events: Delivery, Bounce, Spam complaint, Subscription change",
        )

    def creation(self, url: str, secret: str) -> Sequence[Call]:
        user, _, password = secret.partition(":")
        wanted = ("Delivery", "Bounce", "SpamComplaint", "SubscriptionChange")
        triggers: dict[str, dict[str, bool]] = {name: {"Enabled": True} for name in wanted}
        triggers["Bounce"]["IncludeContent"] = triggers["SpamComplaint"]["IncludeContent"] = False
        auth = {"Username": user, "Password": password}
        plain = {"Url": url, "MessageStream": self._options.stream, "HttpAuth": auth, "Triggers": triggers}
        return [self._post("/webhooks", plain)]

    def hooks(self) -> Call | None:
        return self._get(f"/webhooks?MessageStream={urllib.parse.quote(self._options.stream)}")

    def questions(self, domain: str, *, now: datetime) -> Sequence[tuple[Call, judging.Judge]]:
        return [(self._get(f"/message-streams/{urllib.parse.quote(self._options.stream)}"), self._stream)]

    def _stream(self, answer: Answer) -> Diagnosis:
        told = judging.object_in(answer, "SubscriptionManagementConfiguration").get("UnsubscribeHandlingType")
        if told in ("Custom", "None"):
            return LINKS.holds(f"the stream {self._options.stream} leaves our own links alone")
        return LINKS.broken(
            f"the stream {self._options.stream} puts links of Postmark's own into every mail ({told})",
            "ask Postmark's support for custom unsubscribe handling on this stream",
        )


class Resend(Desk):
    """https://resend.com/docs/api-reference/webhooks/create-webhook and …/domains/list-domains."""

    _EVENTS = (
        "email.delivered",
        "email.delivery_delayed",
        "email.bounced",
        "email.complained",
        "email.failed",
        "email.suppressed",
    )

    def paste(self, url: str, secret: str) -> Sequence[str]:
        return (
            "Resend → Webhooks → Add webhook",
            f"Endpoint URL: {url}",
            f"Events: {', '.join(self._EVENTS)}",
            "then copy the signing secret (whsec_…)",
        )

    def creation(self, url: str, secret: str) -> Sequence[Call]:
        return [self._post("/webhooks", {"endpoint": url, "events": list(self._EVENTS)})]

    def sealing(self, answers: Sequence[Answer]) -> Call | str:
        return str((answers[0].json() or {}).get("signing_secret", ""))

    def hooks(self) -> Call | None:
        return self._get("/webhooks")

    def questions(self, domain: str, *, now: datetime) -> Sequence[tuple[Call, judging.Judge]]:
        def judge(answer: Answer) -> Diagnosis:
            states = {
                str(each.get("name")): str(each.get("status")) for each in judging.list_in(answer, "data")
            }
            return judging.of_domain(domain, states, good=("verified",))

        return [(self._get("/domains"), judge)]


class Mailgun(Desk):
    """https://documentation.mailgun.com/docs/mailgun/api-reference: domain webhooks, domains."""

    _EVENTS = ("delivered", "temporary_fail", "permanent_fail", "complained", "unsubscribed")

    def paste(self, url: str, secret: str) -> Sequence[str]:
        return (
            f"Mailgun → Send → Webhooks → domain {self._options.domain} → Add webhook, once for each of:",
            f"Event types: {', '.join(self._EVENTS)}",
            f"URL: {url}",
            "then copy the HTTP webhook signing key: Settings → API security",
        )

    def creation(self, url: str, secret: str) -> Sequence[Call]:
        # v3 makes one a call: a refusal in the middle would leave half of them.
        fields = [("url", url), *(("event_types", event) for event in self._EVENTS)]
        return [
            Call(
                url=f"{self._options.url}/v4/domains/{self._options.domain}/webhooks",
                headers={**self._headers, "Content-Type": "application/x-www-form-urlencoded"},
                content=urllib.parse.urlencode(fields).encode(),
            )
        ]

    def sealing(self, answers: Sequence[Answer]) -> Call | str:
        return self._get("/v5/accounts/http_signing_key")

    def hooks(self) -> Call | None:
        return self._get(f"/v3/domains/{self._options.domain}/webhooks")

    def questions(self, domain: str, *, now: datetime) -> Sequence[tuple[Call, judging.Judge]]:
        def judge(answer: Answer) -> Diagnosis:
            state = str(judging.object_in(answer, "domain").get("state"))
            return judging.of_domain(self._options.domain, {self._options.domain: state}, good=("active",))

        return [(self._get(f"/v4/domains/{self._options.domain}"), judge)]


class SendGrid(Desk):
    """https://www.twilio.com/docs/sendgrid/api-reference/webhooks and …/domain-authentication."""

    _EVENTS = (
        "delivered",
        "bounce",
        "deferred",
        "dropped",
        "spam_report",
        "unsubscribe",
        "group_unsubscribe",
    )
    #: Named and refused: an event that is left out is SendGrid's to decide.
    _OTHERS = ("processed", "open", "click", "group_resubscribe")

    def paste(self, url: str, secret: str) -> Sequence[str]:
        return (
            "SendGrid → Settings → Mail Settings → Event Webhooks → Create new webhook",
            f"Post URL: {url}",
            f"Actions: {', '.join(self._EVENTS)}",
            "Security features → Signed event webhook: on; then copy the verification key",
        )

    def creation(self, url: str, secret: str) -> Sequence[Call]:
        wanted: dict[str, Any] = {**dict.fromkeys(self._EVENTS, True), **dict.fromkeys(self._OTHERS, False)}
        plain = {"enabled": True, "url": url, "friendly_name": "newsletter", **wanted}
        return [self._post("/v3/user/webhooks/event/settings", plain)]

    def sealing(self, answers: Sequence[Answer]) -> Call | str:
        identity = str((answers[0].json() or {}).get("id", ""))
        path = f"/v3/user/webhooks/event/settings/signed/{identity}"
        return self._post(path, {"enabled": True}, method="PATCH") if identity else ""

    def hooks(self) -> Call | None:
        return self._get("/v3/user/webhooks/event/settings/all")

    def questions(self, domain: str, *, now: datetime) -> Sequence[tuple[Call, judging.Judge]]:
        def judge(answer: Answer) -> Diagnosis:
            plain = answer.json()
            listed = plain if isinstance(plain, list) else []
            states = {str(each.get("domain")): str(each.get("valid")).lower() for each in listed}
            return judging.of_domain(domain, states, good=("true",))

        return [(self._get(f"/v3/whitelabel/domains?domain={urllib.parse.quote(domain)}"), judge)]


class Brevo(Desk):
    """https://developers.brevo.com/reference/create-webhook and …/get-domains."""

    own_secret = True
    _EVENTS = (
        "delivered",
        "hardBounce",
        "softBounce",
        "deferred",
        "blocked",
        "spam",
        "invalid",
        "unsubscribed",
    )

    def paste(self, url: str, secret: str) -> Sequence[str]:
        return (
            "Brevo → Transactional → Settings → Webhook → Add a new webhook",
            f"URL to call: {url}",
            f"Authentication: token {secret}",
            f"Events: {', '.join(self._EVENTS)}",
        )

    def creation(self, url: str, secret: str) -> Sequence[Call]:
        auth = {"type": "bearer", "token": secret}
        plain = {"url": url, "type": "transactional", "description": "newsletter", "auth": auth}
        return [self._post("/v3/webhooks", {**plain, "events": list(self._EVENTS)})]

    def hooks(self) -> Call | None:
        return self._get("/v3/webhooks?type=transactional")

    def questions(self, domain: str, *, now: datetime) -> Sequence[tuple[Call, judging.Judge]]:
        def judge(answer: Answer) -> Diagnosis:
            listed = judging.list_in(answer, "domains")
            states = {str(each.get("domain_name")): str(each.get("authenticated")).lower() for each in listed}
            return judging.of_domain(domain, states, good=("true",))

        return [(self._get("/v3/senders/domains"), judge)]


class Ses(Desk):
    """https://docs.aws.amazon.com/ses/latest/APIReference-V2: GetEmailIdentity, GetAccount."""

    def __init__(self, api: Any, *, now: datetime) -> None:
        super().__init__(api, now=now)
        self._api = api

    def paste(self, url: str, secret: str) -> Sequence[str]:
        return (
            "1. Amazon SNS → Topics → Create topic (Standard); its ARN is webhook_topic in newsletter.toml",
            f"2. the topic → Create subscription: protocol HTTPS, endpoint {url}, raw message delivery off;",
            "   `newsletter serve` confirms it by itself",
            "3. Amazon SES → Configuration sets → yours → Event destinations → Add destination:",
            "   Hard bounces, Complaints, Deliveries, Delivery delays, Rejects → SNS → the topic",
            "4. the name of that set is configuration_set in newsletter.toml",
        )

    def questions(self, domain: str, *, now: datetime) -> Sequence[tuple[Call, judging.Judge]]:
        identity = self._api.signed("GET", f"/v2/email/identities/{domain}", b"", now=now)
        account = self._api.signed("GET", "/v2/email/account", b"", now=now)
        return [(identity, lambda answer: self._identity(domain, answer)), (account, self._account)]

    @staticmethod
    def _identity(domain: str, answer: Answer) -> Diagnosis:
        plain = answer.json() or {}
        signing = judging.object_in(answer, "DkimAttributes")
        verified = str(bool(plain.get("VerifiedForSendingStatus"))).lower()
        found = judging.of_domain(domain, {domain: verified}, good=("true",))
        tokens = [str(each) for each in signing.get("Tokens") or []]
        if not tokens or (verified == "true" and signing.get("Status") == "SUCCESS"):
            return found
        lines = [f"{each}._domainkey.{domain}. IN CNAME {each}.dkim.amazonses.com." for each in tokens]
        return judging.DOMAIN.broken(found.message, "publish these records", record="\n".join(lines))

    @staticmethod
    def _account(answer: Answer) -> Diagnosis:
        plain, quota = answer.json() or {}, judging.object_in(answer, "SendQuota")
        left = float(quota.get("Max24HourSend", 0)) - float(quota.get("SentLast24Hours", 0))
        if plain.get("ProductionAccessEnabled") is False:
            return QUOTA.broken(
                "the account is in the sandbox: it mails verified addresses only",
                "Amazon SES → Account dashboard → Request production access",
            )
        return QUOTA.holds(f"{left:,.0f} of {float(quota.get('Max24HourSend', 0)):,.0f} mails left today")


DESKS: Mapping[str, type[Desk]] = {
    "postmark": Postmark,
    "resend": Resend,
    "mailgun": Mailgun,
    "sendgrid": SendGrid,
    "brevo": Brevo,
    "ses": Ses,
}
