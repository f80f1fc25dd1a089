"""The examination as a whole: each concern, and what the big receivers make of them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.domain.diagnoses import Concern, Diagnosis, Verdict
from newsletter.sending.standing import examination, pages, sender
from newsletter.sending.standing.examination import Case, Met
from newsletter.sending.standing.names import WrittenZone
from newsletter.sending.standing.pages import Reply
from tests.sending.standing.test_records import good_key  # noqa: F401 - a fixture

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
ZONE = """
harbour.test MX 10 mx.harbour.test
harbour.test TXT v=spf1 ip4:93.184.216.34 ~all
mx.harbour.test A 93.184.216.34
digest.harbour.test.net A 93.184.216.34
93.184.216.34 PTR mx.harbour.test
_dmarc.harbour.test TXT v=DMARC1; p=reject; rua=mailto:d@harbour.test
"""
FINE = Reply(status=200, date=NOW)
HOST = "https://digest.harbour.test"


class Pages:
    """A web server that answers each method in one way."""

    def __init__(self, posted: Reply = FINE, shown: Reply = FINE) -> None:
        self._replies = {"POST": posted, "GET": shown}
        self.asked: list[tuple[str, str, bytes]] = []

    def ask(self, method: str, url: str, body: bytes = b"") -> Reply:
        self.asked.append((method, url, body))
        return self._replies[method]


@pytest.fixture
def case() -> Case:
    return Case(
        domain="harbour.test",
        kind="smtp",
        server=sender.Server(host="127.0.0.1", name="mx.harbour.test", own=True),
        selectors=["s"],
        mailbox="imaps://bounce@mx.harbour.test/INBOX",
        leave_url=f"{HOST}.net/u/token",
        contact="postmaster@harbour.test",
    )


def examine(
    case: Case, zone: str, asker: pages.Asker, account: list[Diagnosis] | None = None
) -> dict[str, Diagnosis]:
    met = Met(connection=Concern("connection").holds("TLS"), account=account or [])
    found = examination.examine(case, WrittenZone(zone), asker, met, now=NOW)
    return {each.name: each for each in found}


def test_where_all_is_well_every_receiver_is_content(case: Case, good_key: str) -> None:  # noqa: F811
    found = examine(case, f"{ZONE}s._domainkey.harbour.test TXT v=DKIM1; p={good_key}", Pages())
    assert {name: each.verdict for name, each in found.items() if each.verdict is not Verdict.PASS} == {}
    assert {"Gmail", "Yahoo", "Microsoft", "SPF", "DKIM", "DMARC", "alignment", "one-click"} <= set(found)
    assert "one-click unsubscription: yes" in found["Gmail"].message


def test_a_broken_click_fails_gmail_and_yahoo_and_not_microsoft(case: Case, good_key: str) -> None:  # noqa: F811
    moved = Pages(posted=Reply(status=301, location="https://www.harbour.test/u/token"))
    found = examine(case, f"{ZONE}s._domainkey.harbour.test TXT v=DKIM1; p={good_key}", moved)
    assert found["Gmail"].verdict is found["Yahoo"].verdict is Verdict.FAIL
    assert found["Microsoft"].verdict is Verdict.PASS


def test_with_nothing_in_the_dns_each_record_is_spelled_out(case: Case) -> None:
    found = examine(case, "mx.harbour.test A 93.184.216.34", Pages())
    for name in ("sender domain", "SPF", "DMARC", "bounces", "reverse DNS"):
        assert found[name].verdict is Verdict.FAIL, name
        assert " IN " in found[name].record, name
    assert found["reverse DNS"].record == "34.216.184.93.in-addr.arpa. IN PTR mx.harbour.test."
    assert found["SPF"].record == 'harbour.test. IN TXT "v=spf1 ip4:93.184.216.34 ~all"'


def test_a_null_mx_cannot_be_a_sender(case: Case) -> None:
    assert examine(case, "harbour.test MX 0 .", Pages())["sender domain"].verdict is Verdict.FAIL


def test_an_address_without_mx_receives_mail_all_the_same(case: Case) -> None:
    assert examine(case, "harbour.test A 192.0.2.1", Pages())["sender domain"].verdict is Verdict.WARN


def test_free_mail_is_no_sender(case: Case) -> None:
    found = examine(dataclasses.replace(case, domain="gmail.com"), "", Pages())
    assert found["free mail"].verdict is Verdict.FAIL


def test_a_mailbox_elsewhere_than_the_mx_is_doubtful(case: Case) -> None:
    other = dataclasses.replace(case, mailbox="imaps://b@imap.elsewhere.test/INBOX")
    assert examine(other, ZONE, Pages())["bounces"].verdict is Verdict.WARN
    none = dataclasses.replace(case, mailbox="")
    assert examine(none, ZONE, Pages())["bounces"].verdict is Verdict.WARN


def test_a_provider_that_signs_as_itself_leaves_from_unaligned(case: Case, good_key: str) -> None:  # noqa: F811
    zone = f"{ZONE}s._domainkey.esp.test TXT v=DKIM1; p={good_key}"
    found = examine(dataclasses.replace(case, kind="postmark", signs_as="esp.test"), zone, Pages())
    assert found["alignment"].verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("posted", "shown", "verdict"),
    [
        (FINE, FINE, Verdict.PASS),
        (FINE, Reply(status=503), Verdict.WARN),
        (Reply(status=302, location="/login"), FINE, Verdict.FAIL),
        (Reply(status=403), FINE, Verdict.FAIL),
        (Reply(failure="certificate has expired"), FINE, Verdict.FAIL),
    ],
)
def test_one_click_is_200_without_a_redirect(posted: Reply, shown: Reply, verdict: Verdict) -> None:
    asker = Pages(posted, shown)
    assert pages.one_click(f"{HOST}.net/u/token", asker)[0].verdict is verdict
    assert asker.asked[0] == ("POST", f"{HOST}.net/u/token", b"List-Unsubscribe=One-Click")


@pytest.mark.parametrize(
    ("url", "verdict"),
    [("http://digest.harbour.net/u/t", Verdict.FAIL), ("http://localhost:8000/u/t", Verdict.UNKNOWN)],
)
def test_an_address_that_nobody_can_click_is_not_asked(url: str, verdict: Verdict) -> None:
    asker = Pages()
    assert pages.one_click(url, asker)[0].verdict is verdict
    assert asker.asked == []


@pytest.mark.parametrize(("apart", "verdict"), [(2, Verdict.PASS), (-200, Verdict.WARN), (360, Verdict.FAIL)])
def test_a_clock_six_minutes_off_breaks_signatures(apart: int, verdict: Verdict) -> None:
    there = NOW + timedelta(seconds=apart)
    assert pages.clock(there, NOW, who="the provider").verdict is verdict


def test_what_could_not_be_looked_up_is_not_held_against_anybody(case: Case) -> None:
    met = Met(connection=Concern("connection").holds("TLS"))
    zone = WrittenZone("", failing=["harbour.test", "_dmarc.harbour.test", "s._domainkey.harbour.test"])
    found = {each.name: each for each in examination.examine(case, zone, Pages(), met, now=NOW)}
    for name in ("sender domain", "SPF", "DKIM", "DMARC"):
        assert found[name].verdict is Verdict.UNKNOWN, name
