"""Look-ups, against a name server on this machine and against a zone that is written down."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.resolver
import dns.rrset
import pytest

from newsletter.providers.dns import Resolver
from newsletter.sending.standing.names import WrittenZone, Zone

RECORDS = """\
harbour.se TXT v=spf1 include:p.se ~all
harbour.se MX 10 mx.harbour.se
harbour.se MX 20 backup.harbour.se
none.se MX 0 .
harbour.se A 192.0.2.1
"""


class NameServer:
    """Answers from the records above; `broken.se` is a failure of the server, everything else not there."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.asked: list[str] = []

    def serve(self) -> None:
        while True:
            wire, peer = self.socket.recvfrom(4096)
            if wire == b"stop":
                return
            self.socket.sendto(self._answer(dns.message.from_wire(wire)).to_wire(), peer)

    def _answer(self, query: dns.message.Message) -> dns.message.Message:
        answer = dns.message.make_response(query)
        (question,) = query.question
        name, kind = question.name.to_text().rstrip(".").lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{name} {kind}")
        if name == "broken.se":
            answer.set_rcode(dns.rcode.SERVFAIL)
            return answer
        if name.endswith("in-addr.arpa"):
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", "PTR", "mx.harbour.se."))
            return answer
        lines = [line.split(None, 2) for line in RECORDS.splitlines()]
        found = [value for owner, type_, value in lines if (owner, type_) == (name, kind)]
        if found:
            if kind == "TXT":
                found = [f'"{text[:9]}" "{text[9:]}"' for text in found]
            if kind == "MX":
                found = [text if text.endswith(".") else f"{text}." for text in found]
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *found))
        elif name not in {owner for owner, *_ in lines}:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        return answer


@pytest.fixture
def server() -> Iterator[NameServer]:
    made = NameServer()
    thread = threading.Thread(target=made.serve)
    thread.start()
    yield made
    made.socket.sendto(b"stop", made.socket.getsockname())
    thread.join()
    made.socket.close()


@pytest.fixture
def resolver(server: NameServer) -> Resolver:
    settings = dns.resolver.Resolver(configure=False)
    settings.nameservers = ["127.0.0.1"]
    settings.port = server.socket.getsockname()[1]
    return Resolver(settings)


@pytest.fixture(params=["asked", "written"])
def zone(request: pytest.FixtureRequest, resolver: Resolver) -> Zone:
    return resolver if request.param == "asked" else WrittenZone(RECORDS, failing=["broken.se"])


def test_records_come_as_they_stand_in_a_zone(zone: Zone) -> None:
    assert zone.look_up("harbour.se", "TXT").values == ("v=spf1 include:p.se ~all",)
    assert sorted(zone.look_up("harbour.se", "MX").values) == ["10 mx.harbour.se", "20 backup.harbour.se"]
    assert zone.look_up("Harbour.SE", "A").values == ("192.0.2.1",)
    assert zone.look_up("none.se", "MX").values == ("0 .",)


@pytest.mark.parametrize(("name", "kind"), [("harbour.se", "AAAA"), ("nowhere.se", "TXT")])
def test_what_is_not_there_is_a_certain_answer(zone: Zone, name: str, kind: str) -> None:
    found = zone.look_up(name, kind)
    assert (found.values, found.failure) == ((), "")


def test_a_server_that_fails_is_no_missing_record(zone: Zone) -> None:
    found = zone.look_up("broken.se", "TXT")
    assert found.values == ()
    assert found.failure


def test_an_address_leads_back_to_its_name(resolver: Resolver) -> None:
    assert resolver.look_up("192.0.2.1", "PTR").values == ("mx.harbour.se",)


def test_a_name_is_asked_for_once(resolver: Resolver, server: NameServer) -> None:
    for _ in range(3):
        resolver.look_up("harbour.se", "TXT")
    assert server.asked == ["harbour.se TXT"]


@pytest.mark.parametrize("name", ["news.example.org", "mail.test", "localhost", "a..b", "x" * 64 + ".se"])
def test_names_that_cannot_be_looked_up_are_not_asked_for(
    resolver: Resolver, server: NameServer, name: str
) -> None:
    assert resolver.look_up(name, "TXT").failure
    assert server.asked == []
