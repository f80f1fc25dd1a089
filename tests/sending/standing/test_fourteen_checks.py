"""Everything that a sender is judged by, one after the other: each verdict, and the record to publish."""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from newsletter.domain import errors
from newsletter.domain.diagnoses import Concern, Diagnosis, Verdict
from newsletter.providers import meeting
from newsletter.sending.standing import examination, sender
from newsletter.sending.standing.examination import Case, Met
from newsletter.sending.standing.names import WrittenZone
from newsletter.sending.standing.pages import Reply
from tests.sending.standing.test_examination import FINE, NOW, Pages
from tests.sending.standing.test_records import public_key

PASS, WARN, FAIL, UNKNOWN = Verdict.PASS, Verdict.WARN, Verdict.FAIL, Verdict.UNKNOWN
KEY, SHORT = public_key(2048), public_key(1024)
KEY_NAME = "s._domainkey.harbour.test"
KEY_RECORD = f'{KEY_NAME}. IN TXT "{f"v=DKIM1; k=rsa; p={KEY}"[:250]}" "{f"v=DKIM1; k=rsa; p={KEY}"[250:]}"'
ZONE = f"""
harbour.test MX 10 mx.harbour.test
harbour.test TXT v=spf1 ip4:93.184.216.34 ~all
mx.harbour.test A 93.184.216.34
93.184.216.34 PTR mx.harbour.test
_dmarc.harbour.test TXT v=DMARC1; p=reject; rua=mailto:d@harbour.test
{KEY_NAME} TXT v=DKIM1; k=rsa; p={KEY}
digest.harbour.net A 93.184.216.35
"""
CASE = Case(
    domain="harbour.test",
    kind="smtp",
    server=sender.Server(host="127.0.0.1", name="mx.harbour.test", own=True),
    selectors=["s"],
    public_key=KEY,
    mailbox="imaps://bounce@mx.harbour.test/INBOX",
    leave_url="https://digest.harbour.net/u/token",
    contact="postmaster@harbour.test",
)
MET = Met(connection=Concern("connection").holds("TLS"))
MOVED = Reply(status=301, location="https://www.harbour.net/u/token")


def unreachable(cause: OSError) -> Met:
    error = errors.ProviderError("mx.harbour.test:587 cannot be reached")
    error.__cause__ = cause
    return meeting.told(error, account=True)


def account(found: Diagnosis) -> Met:
    return dataclasses.replace(MET, account=[found])


def apart(minutes: float) -> Met:
    return dataclasses.replace(MET, date=NOW + timedelta(minutes=minutes))


@dataclass(frozen=True, kw_only=True)
class World:
    """All is well but for this."""

    #: Lines of the zone that begin so are not there.
    without: str = "nothing"
    plus: str = ""
    failing: tuple[str, ...] = ()
    case: Mapping[str, Any] = field(default_factory=dict)
    met: Met = MET
    posted: Reply = FINE
    shown: Reply = FINE


def spf(text: str) -> World:
    return World(without="harbour.test TXT", plus=f"harbour.test TXT {text}")


def key(text: str) -> World:
    return World(without=KEY_NAME, plus=f"{KEY_NAME} TXT {text}", case={"public_key": ""})


def dmarc(text: str) -> World:
    return World(without="_dmarc", plus=f"_dmarc.harbour.test TXT {text}")


MX = "harbour.test. IN MX 10 mx.harbour.test."
RENTED = sender.Server(host="relay.test", name="relay.test")
#: (number, concern, world, verdict, the record to publish)
CHECKS: list[tuple[int, str, World, Verdict, str]] = [
    (1, "sender domain", World(), PASS, ""),
    (
        1,
        "sender domain",
        World(without="harbour.test MX", plus="harbour.test A 93.184.216.34"),
        WARN,
        "harbour.test. IN MX 10 mail.harbour.test.",
    ),
    (
        1,
        "sender domain",
        World(without="harbour.test MX"),
        FAIL,
        "harbour.test. IN MX 10 mail.harbour.test.",
    ),
    (
        1,
        "sender domain",
        World(without="harbour.test MX", plus="harbour.test MX 0 ."),
        FAIL,
        "harbour.test. IN MX 10 mail.harbour.test.",
    ),
    (1, "sender domain", World(failing=("harbour.test",)), UNKNOWN, ""),
    (2, "SPF", World(), PASS, ""),
    (
        2,
        "SPF",
        spf("v=spf1 ip4:93.184.216.34 ?all"),
        WARN,
        'harbour.test. IN TXT "v=spf1 ip4:93.184.216.34 ~all"',
    ),
    (
        2,
        "SPF",
        spf("v=spf1 redirect=o.test\no.test TXT v=spf1 +all"),
        FAIL,
        'harbour.test. IN TXT "v=spf1 ip4:93.184.216.34 redirect=o.test"',
    ),
    (
        2,
        "SPF",
        spf("v=spf1 redirect=o.test\no.test TXT v=spf1 ip4:93.184.216.34 ?all"),
        WARN,
        'harbour.test. IN TXT "v=spf1 include:o.test ~all"',
    ),
    (2, "SPF", spf("v=spf1 redirect=gone.test"), FAIL, ""),
    (
        2,
        "SPF",
        World(without="harbour.test TXT"),
        FAIL,
        'harbour.test. IN TXT "v=spf1 ip4:93.184.216.34 ~all"',
    ),
    (
        2,
        "SPF",
        World(without="harbour.test TXT", case={"server": RENTED}),
        FAIL,
        'harbour.test. IN TXT "v=spf1 mx a:relay.test ~all"',
    ),
    (
        2,
        "SPF",
        World(without="harbour.test TXT", case={"kind": "mailgun", "server": sender.Server()}),
        FAIL,
        'harbour.test. IN TXT "v=spf1 include:mailgun.org ~all"',
    ),
    (
        2,
        "SPF",
        World(plus="harbour.test TXT v=spf1 mx -all"),
        FAIL,
        'harbour.test. IN TXT "v=spf1 ip4:93.184.216.34 mx ~all"',
    ),
    (
        2,
        "SPF",
        spf("v=spf1 mx:other.test -all"),
        FAIL,
        'harbour.test. IN TXT "v=spf1 mx:other.test ip4:93.184.216.34 -all"',
    ),
    (2, "SPF", World(failing=("harbour.test",)), UNKNOWN, ""),
    (3, "DKIM", World(), PASS, ""),
    (3, "DKIM", key(f"v=DKIM1; p={SHORT}"), WARN, ""),
    (3, "DKIM", key(f"v=DKIM1; t=y; p={SHORT}"), WARN, f'{KEY_NAME}. IN TXT "v=DKIM1; p={SHORT}"'),
    (3, "DKIM", key("v=DKIM1; p="), FAIL, ""),
    (3, "DKIM", World(without=KEY_NAME), FAIL, KEY_RECORD),
    (3, "DKIM", World(without=KEY_NAME, plus=f"{KEY_NAME} TXT v=DKIM1; p="), FAIL, KEY_RECORD),
    (3, "DKIM", World(plus=f"{KEY_NAME} TXT v=DKIM1; p={SHORT}"), FAIL, KEY_RECORD),
    (3, "DKIM", World(failing=(KEY_NAME,)), UNKNOWN, ""),
    (3, "DKIM", World(case={"selectors": []}), UNKNOWN, ""),
    (4, "DMARC", World(), PASS, ""),
    (
        4,
        "DMARC",
        dmarc("v=DMARC1; p=reject; pct=50; rua=mailto:d@harbour.test"),
        WARN,
        '_dmarc.harbour.test. IN TXT "v=DMARC1; p=reject; rua=mailto:d@harbour.test"',
    ),
    (
        4,
        "DMARC",
        dmarc("v=DMARC1; p=reject; adkim=s"),
        WARN,
        '_dmarc.harbour.test. IN TXT "v=DMARC1; p=reject; adkim=s; rua=mailto:postmaster@harbour.test"',
    ),
    (
        4,
        "DMARC",
        dmarc("v=DMARC1; p=none; rua=mailto:d@elsewhere.test"),
        WARN,
        'harbour.test._report._dmarc.elsewhere.test. IN TXT "v=DMARC1"',
    ),
    (
        4,
        "DMARC",
        World(without="_dmarc"),
        FAIL,
        '_dmarc.harbour.test. IN TXT "v=DMARC1; p=none; rua=mailto:postmaster@harbour.test"',
    ),
    (
        4,
        "DMARC",
        dmarc("v=DMARC1; p=maybe; rua=mailto:d@harbour.test"),
        FAIL,
        '_dmarc.harbour.test. IN TXT "v=DMARC1; p=none; rua=mailto:d@harbour.test"',
    ),
    (
        4,
        "DMARC",
        World(plus="_dmarc.harbour.test TXT v=DMARC1; p=none"),
        FAIL,
        '_dmarc.harbour.test. IN TXT "v=DMARC1; p=reject; rua=mailto:d@harbour.test"',
    ),
    (4, "DMARC", World(failing=("_dmarc.harbour.test",)), UNKNOWN, ""),
    (5, "alignment", World(), PASS, ""),
    (5, "alignment", World(case={"signs_as": "esp.test"}), WARN, ""),
    (5, "alignment", World(case={"kind": "postmark", "signs_as": "esp.test"}), FAIL, ""),
    (
        5,
        "alignment",
        World(case={"signs_as": "news.harbour.test"}, failing=("_dmarc.harbour.test",)),
        UNKNOWN,
        "",
    ),
    (6, "bounces", World(), PASS, ""),
    (6, "bounces", World(case={"mailbox": "imaps://b@imap.elsewhere.test/INBOX"}), WARN, ""),
    (6, "bounces", World(without="harbour.test MX"), FAIL, MX),
    (6, "bounces", World(without="harbour.test MX", plus="harbour.test MX 0 ."), FAIL, MX),
    (6, "bounces", World(failing=("harbour.test",)), UNKNOWN, ""),
    (7, "one-click", World(), PASS, ""),
    (7, "one-click", World(shown=Reply(status=503)), WARN, ""),
    (7, "one-click", World(posted=MOVED), FAIL, ""),
    (7, "one-click", World(posted=Reply(failure="certificate has expired")), FAIL, ""),
    (7, "one-click", World(without="digest"), FAIL, "digest.harbour.net. IN A 192.0.2.1"),
    (7, "one-click", World(failing=("digest.harbour.net",)), UNKNOWN, ""),
    (8, "tracking", World(case={"clicks": True}), PASS, ""),
    (8, "tracking", World(case={"clicks": True}, shown=Reply(status=503)), WARN, ""),
    (8, "tracking", World(case={"opens": True}, posted=Reply(failure="certificate has expired")), FAIL, ""),
    (
        8,
        "tracking",
        World(case={"clicks": True}, without="digest"),
        FAIL,
        "digest.harbour.net. IN A 192.0.2.1",
    ),
    (8, "tracking", World(case={"clicks": True}, failing=("digest.harbour.net",)), UNKNOWN, ""),
    # What a server offers is met in tests/providers/test_meeting.py.
    (9, "connection", World(), PASS, ""),
    (9, "connection", World(met=unreachable(ConnectionRefusedError())), FAIL, ""),
    (
        9,
        "connection",
        World(met=unreachable(socket.gaierror(socket.EAI_AGAIN, "no name server"))),
        UNKNOWN,
        "",
    ),
    (10, "reverse DNS", World(), PASS, ""),
    (10, "reverse DNS", World(case={"server": RENTED}), WARN, "relay.test. IN A 192.0.2.1"),
    (
        10,
        "reverse DNS",
        World(without="93.184.216.34"),
        FAIL,
        "34.216.184.93.in-addr.arpa. IN PTR mx.harbour.test.",
    ),
    (10, "reverse DNS", World(failing=("93.184.216.34",)), UNKNOWN, ""),
    # For information: nothing is missing where they are not there.
    (11, "transport and logo", World(), PASS, ""),
    (11, "transport and logo", World(failing=("_mta-sts.harbour.test",)), UNKNOWN, ""),
    # What each vendor says is judged in tests/providers/test_meeting.py.
    (12, "account", World(met=account(Concern("account").holds("verified"))), PASS, ""),
    (12, "account", World(met=unreachable(ConnectionRefusedError())), UNKNOWN, ""),
    # There is nothing to look up: the names are known.
    (13, "free mail", World(), PASS, ""),
    (13, "free mail", World(case={"domain": "gmail.com"}), FAIL, ""),
    (14, "clock", World(met=apart(0.1)), PASS, ""),
    (14, "clock", World(met=apart(3)), WARN, ""),
    (14, "clock", World(met=apart(-6)), FAIL, ""),
    (14, "clock", World(posted=Reply(status=200)), UNKNOWN, ""),
]


def examined(world: World) -> dict[str, Diagnosis]:
    lines = [line for line in ZONE.strip().splitlines() if not line.startswith(world.without)]
    zone = WrittenZone("\n".join([*lines, world.plus]), failing=world.failing)
    case = dataclasses.replace(CASE, **world.case)
    asker = Pages(world.posted, world.shown)
    return {each.name: each for each in examination.examine(case, zone, asker, world.met, now=NOW)}


@pytest.mark.parametrize(
    ("number", "concern", "world", "verdict", "record"),
    CHECKS,
    ids=[f"{number} {concern}: {verdict} {n}" for n, (number, concern, _, verdict, _) in enumerate(CHECKS)],
)
def test_each_check_says_how_it_stands_and_what_to_publish(
    number: int, concern: str, world: World, verdict: Verdict, record: str
) -> None:
    found = examined(world)[concern]
    assert (found.verdict, found.record) == (verdict, record), found
    assert found.message
    assert bool(found.fix) == (verdict is not PASS), "what is not well comes with a way to mend it"


def test_every_check_is_tried_in_every_way_that_it_has() -> None:
    tried = {number: {each[3] for each in CHECKS if each[0] == number} for number in range(1, 15)}
    every = set(Verdict)
    fewer = {
        9: {PASS, FAIL, UNKNOWN},
        11: {PASS, UNKNOWN},
        12: {PASS, UNKNOWN},
        13: {PASS, FAIL},
    }
    assert tried == {number: fewer.get(number, every) for number in range(1, 15)}
