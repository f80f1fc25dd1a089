"""How an account stands with its vendor: domain, quota, webhook, as the vendor's API tells it."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from newsletter.domain import errors
from newsletter.domain.diagnoses import Diagnosis, Verdict
from newsletter.providers import meeting
from newsletter.providers.outbox import Outbox, OutboxOptions
from newsletter.providers.smtp.options import Security, SmtpOptions
from newsletter.providers.smtp.provider import Smtp
from tests.providers.apis.harness import Asked, Told, serving
from tests.providers.apis.test_email_apis import APIS, NOW, provider
from tests.providers.scripted_smtp import ScriptedServer

HOOK = "https://digest.example.org/webhooks/mail"
DOMAIN = "news.example.org"
#: What each vendor answers for an account where all is well, by a part of the path.
FINE: dict[str, dict[str, Any]] = {
    "postmark": {
        "/webhooks": {"Webhooks": [{"Url": HOOK}]},
        "/message-streams/": {"SubscriptionManagementConfiguration": {"UnsubscribeHandlingType": "Custom"}},
    },
    "resend": {
        "/webhooks": {"data": [{"endpoint": HOOK}]},
        "/domains": {"data": [{"name": DOMAIN, "status": "verified"}]},
    },
    "mailgun": {
        "/webhooks": {"webhooks": {"delivered": {"urls": [HOOK]}}},
        "/v4/domains/": {"domain": {"state": "active"}},
    },
    "sendgrid": {
        "/webhooks/": {"webhooks": [{"url": HOOK}]},
        "/whitelabel/": [{"domain": "example.org", "valid": True}],
    },
    "brevo": {
        "/webhooks": {"webhooks": [{"url": HOOK}]},
        "/senders/": {"domains": [{"domain_name": DOMAIN, "authenticated": True}]},
    },
    "ses": {
        "/identities/": {
            "VerifiedForSendingStatus": True,
            "DkimAttributes": {"Status": "SUCCESS", "Tokens": ["a", "b"]},
        },
        "/account": {
            "ProductionAccessEnabled": True,
            "SendQuota": {"Max24HourSend": 1000.0, "SentLast24Hours": 250.0, "MaxSendRate": 14.0},
        },
    },
}
#: The same accounts with one thing wrong in each answer.
WRONG: dict[str, dict[str, Any]] = {
    "postmark": {
        "/webhooks": {"Webhooks": []},
        "/message-streams/": {"SubscriptionManagementConfiguration": {"UnsubscribeHandlingType": "Postmark"}},
    },
    "resend": {
        "/webhooks": {"data": [{"endpoint": "https://other.example.org/"}]},
        "/domains": {"data": [{"name": DOMAIN, "status": "pending"}]},
    },
    "mailgun": {"/webhooks": {"webhooks": {}}, "/v4/domains/": {"domain": {"state": "unverified"}}},
    "sendgrid": {"/webhooks/": {"webhooks": []}, "/whitelabel/": [{"domain": DOMAIN, "valid": False}]},
    "brevo": {"/webhooks": {"webhooks": []}, "/senders/": {"domains": []}},
    "ses": {
        "/identities/": {"VerifiedForSendingStatus": False, "DkimAttributes": {"Tokens": ["tok1", "tok2"]}},
        "/account": {"ProductionAccessEnabled": False, "SendQuota": {}},
    },
}


class Desk:
    """A vendor's account, told by paths; everything else is fine and empty."""

    def __init__(self, told: dict[str, Any], *, status: int = 200) -> None:
        self._told, self._status = told, status
        self.faults: deque[Told] = deque()
        self.taken: list[str] = []
        self.asked: list[Asked] = []

    def answer(self, asked: Asked) -> Told:
        self.asked.append(asked)
        for part, plain in self._told.items():
            if part in asked.path and len(self.asked) > 2:
                return Told(self._status, plain)
        return Told(200, {}, headers={"Date": "Fri, 20 Nov 2026 09:00:30 GMT"})


async def met(kind: str, desk: Desk) -> list[Diagnosis]:
    with serving(desk) as url:
        made = provider(APIS[kind][1](url))
        found = await meeting.meet(made, kind, domain=DOMAIN, hook=HOOK, now=NOW)
    assert found.connection.verdict is Verdict.PASS
    assert found.date is not None
    assert (found.date - NOW).total_seconds() == 30
    assert {asked.method for asked in desk.asked} == {"GET"}, "looking changes nothing"
    return list(found.account)


@pytest.mark.parametrize("kind", sorted(FINE))
async def test_an_account_where_all_is_well_passes(kind: str) -> None:
    found = await met(kind, Desk(FINE[kind]))
    assert len(found) == 2
    assert {each.verdict for each in found} == {Verdict.PASS}, found


@pytest.mark.parametrize("kind", sorted(WRONG))
async def test_each_thing_that_is_wrong_fails_with_the_way_out(kind: str) -> None:
    found = await met(kind, Desk(WRONG[kind]))
    assert len(found) == 2
    assert {each.verdict for each in found} == {Verdict.FAIL}, found
    assert all(each.fix for each in found)


async def test_the_records_of_ses_are_spelled_out() -> None:
    (domain, _) = await met("ses", Desk(WRONG["ses"]))
    assert domain.record.splitlines() == [
        f"{token}._domainkey.{DOMAIN}. IN CNAME {token}.dkim.amazonses.com." for token in ("tok1", "tok2")
    ]


async def test_a_key_that_may_not_ask_is_no_fault_of_the_account() -> None:
    found = await met("brevo", Desk(FINE["brevo"], status=403))
    assert {each.verdict for each in found} == {Verdict.UNKNOWN}


class SendingOnly(Desk):
    """An account whose key has Resend's “Sending access”: whatever it asks is answered alike."""

    def answer(self, asked: Asked) -> Told:
        self.asked.append(asked)
        said = {"name": "restricted_api_key", "message": "This API key is restricted to only send emails"}
        return Told(401, said, headers={"Date": "Fri, 20 Nov 2026 09:00:30 GMT"})


async def test_a_key_that_may_only_send_is_well_connected_and_cannot_look_up_the_rest() -> None:
    found = await met("resend", SendingOnly({}))
    assert [each.verdict for each in found] == [Verdict.UNKNOWN, Verdict.UNKNOWN]
    assert all("restricted to only send emails" in each.message and each.fix for each in found)


class SendingKey(Desk):
    """An account whose key is a domain sending key of Mailgun's: it may POST messages and nothing else."""

    def answer(self, asked: Asked) -> Told:
        self.asked.append(asked)
        if asked.method == "POST" and asked.path.endswith("/messages"):
            return Told(400, {"message": "'from' parameter is missing"})
        return Told(401, {"message": "Forbidden"}, headers={"Date": "Fri, 20 Nov 2026 09:00:30 GMT"})


async def test_a_sending_key_of_mailgun_is_known_by_a_call_without_a_message() -> None:
    desk = SendingKey({})
    with serving(desk) as url:
        made = provider(APIS["mailgun"][1](url))
        found = await meeting.meet(made, "mailgun", domain=DOMAIN, hook=HOOK, now=NOW)
    assert found.connection.verdict is Verdict.PASS
    assert [each.verdict for each in found.account] == [Verdict.UNKNOWN, Verdict.UNKNOWN]
    assert all(each.fix for each in found.account)
    assert {asked.body for asked in desk.asked if asked.method == "POST"} == {b""}, "nothing is handed over"


async def test_a_server_on_this_machine_may_be_spoken_to_in_the_clear() -> None:
    async with ScriptedServer(offers=("PIPELINING",)) as server:
        smtp = Smtp(SmtpOptions(host="127.0.0.1", port=server.port, security=Security.NONE))
        found = await meeting.meet(smtp, "smtp", domain=DOMAIN, hook=HOOK, now=NOW)
    assert found.connection.verdict is Verdict.PASS
    assert "lacks SIZE, 8BITMIME, SMTPUTF8, DSN" in found.connection.message


async def test_an_outbox_has_no_account(tmp_path: Any) -> None:
    found = await meeting.meet(
        Outbox(OutboxOptions(path=tmp_path / "o")), "outbox", domain=DOMAIN, hook=HOOK, now=NOW
    )
    assert (found.connection.verdict, list(found.account)) == (Verdict.PASS, [])


def test_a_provider_that_does_not_answer_is_a_failed_connection() -> None:
    found = meeting.told(errors.ProviderError("nobody there", hint="call them"))
    assert (found.connection.verdict, found.connection.fix) == (Verdict.FAIL, "call them")
