"""SMTP over real sockets against a server that behaves."""

from __future__ import annotations

import pytest

from newsletter.domain import deliveries, errors
from newsletter.domain.verdicts import Kind
from newsletter.providers.smtp.options import Security, SmtpOptions, Timeouts
from newsletter.providers.smtp.provider import Smtp
from newsletter.providers.tray import Tray
from tests.providers.letters import letter, letters
from tests.providers.scripted_smtp import ScriptedServer

ALL = ("PIPELINING", "CHUNKING", "8BITMIME", "SMTPUTF8", "DSN", "SIZE 1000000", "ENHANCEDSTATUSCODES")
PLAIN = ("8BITMIME",)
PIPELINING = ("PIPELINING", "8BITMIME")
#: Where no time-out is to be met, however busy the machine is.
PATIENT = Timeouts(connect=30, greeting=30, command=30, block=30, content=30, quit=30)
#: Where one is.
QUICK = Timeouts(connect=2, greeting=0.5, command=0.5, block=0.5, content=0.5, quit=0.5)


def options(server: ScriptedServer, **more: object) -> SmtpOptions:
    """Options for a scripted server."""
    values: dict[str, object] = {
        "security": Security.NONE,
        "connections": 2,
        "backoff": 0.01,
        "timeouts": PATIENT,
    }
    return SmtpOptions(host="127.0.0.1", port=server.port, **{**values, **more})  # type: ignore[arg-type]  # mixed


def kinds(tray: Tray) -> dict[int, Kind]:
    """The verdict of each delivery."""
    return {receipt.delivery: receipt.verdict.kind for receipt in tray.receipts}


def receipt(tray: Tray, delivery: int) -> deliveries.Receipt:
    """The one receipt of a delivery."""
    (found,) = [one for one in tray.receipts if one.delivery == delivery]
    return found


@pytest.mark.parametrize(
    "offers", [ALL, PIPELINING, PLAIN, ()], ids=["chunks", "pipelining", "plain", "bare"]
)
@pytest.mark.parametrize("size", [0, 70_000])
async def test_every_message_arrives_byte_by_byte(offers: tuple[str, ...], size: int) -> None:
    sent = letters(40, size=size)
    async with ScriptedServer(offers=offers) as server:
        tray = Tray(sent)
        await Smtp(options(server)).send(tray)
    assert {(one.sender, one.recipient, one.content) for one in server.taken} == {
        (one.sender, one.recipient, one.raw) for one in sent
    }
    assert set(kinds(tray).values()) == {Kind.ACCEPTED}
    assert len(tray.receipts) == 40


async def test_the_receipt_carries_the_reply_and_the_queue_id() -> None:
    async with ScriptedServer() as server:
        tray = Tray([letter(7)])
        await Smtp(options(server)).send(tray)
    assert tray.receipts == [
        deliveries.Receipt(7, tray.receipts[0].verdict, "250 2.0.0 Ok: queued as Q1", "Q1"),
    ]


@pytest.mark.parametrize("offers", [ALL, PIPELINING, PLAIN], ids=["chunks", "pipelining", "plain"])
async def test_lines_that_begin_with_a_dot_survive(offers: tuple[str, ...]) -> None:
    raw = b".first\r\n\r\n.\r\n..\r\n. QUIT\r\n.\r\nMAIL FROM:<x>\r\nlast"
    async with ScriptedServer(offers=offers) as server:
        await Smtp(options(server)).send(Tray([letter(1, raw=raw)]))
    assert [one.content.removesuffix(b"\r\n") for one in server.taken] == [raw]


async def test_a_connection_is_renewed_after_so_many_messages() -> None:
    async with ScriptedServer(offers=PIPELINING) as server:
        tray = Tray(letters(20))
        await Smtp(options(server, per_connection=5, connections=1)).send(tray)
    assert server.connections == 4
    assert len(server.taken) == 20


async def test_one_message_needs_one_connection() -> None:
    async with ScriptedServer(offers=PIPELINING) as server:
        await Smtp(options(server, connections=8)).send(Tray([letter(1)]))
    assert server.connections == 1


async def test_an_empty_feed_connects_to_nobody() -> None:
    async with ScriptedServer() as server:
        await Smtp(options(server)).send(Tray([]))
    assert server.connections == 0


async def test_parameters_are_sent_only_where_they_are_offered() -> None:
    async with ScriptedServer(offers=ALL) as server:
        await Smtp(options(server)).send(Tray([letter(1)]))
    assert (
        "MAIL FROM:<bounce+1@news.example.org> SIZE=50 RET=HDRS ENVID=v2n23.key1@news.example.org"
        in server.said
    )
    assert "RCPT TO:<reader1@example.org> NOTIFY=FAILURE ORCPT=rfc822;reader1@example.org" in server.said
    async with ScriptedServer(offers=()) as server:
        await Smtp(options(server)).send(Tray([letter(1)]))
    assert "MAIL FROM:<bounce+1@news.example.org>" in server.said
    assert "RCPT TO:<reader1@example.org>" in server.said


async def test_an_address_outside_ascii_goes_where_the_server_can_take_it() -> None:
    async with ScriptedServer(offers=ALL) as server:
        await Smtp(options(server)).send(Tray([letter(1, recipient="δοκιμή@example.org")]))
    assert server.recipients == ["δοκιμή@example.org"]


async def test_an_address_outside_ascii_is_rejected_alone_where_the_server_cannot() -> None:
    async with ScriptedServer(offers=PIPELINING) as server:
        tray = Tray([letter(1), letter(2, recipient="δοκιμή@example.org"), letter(3)])
        await Smtp(options(server)).send(tray)
    assert kinds(tray) == {1: Kind.ACCEPTED, 2: Kind.REJECT, 3: Kind.ACCEPTED}
    assert "SMTPUTF8" in receipt(tray, 2).reply


async def test_a_domain_outside_ascii_needs_no_smtputf8() -> None:
    async with ScriptedServer(offers=PIPELINING) as server:
        await Smtp(options(server)).send(Tray([letter(1, recipient="anna@bücher.example")]))
    assert server.recipients == ["anna@xn--bcher-kva.example"]


@pytest.mark.parametrize(
    "recipient", ["a@b>\r\nRSET", "a\r\nDATA", "a@b\n", "<a@b", "", "a\0@b", "a\ud800@b", "x" * 300 + "@b.c"]
)
async def test_an_address_cannot_speak_smtp(recipient: str) -> None:
    async with ScriptedServer(offers=PIPELINING) as server:
        bad = letter(1)._replace(recipient=recipient)
        tray = Tray([bad, letter(2)])
        await Smtp(options(server)).send(tray)
    assert kinds(tray) == {1: Kind.REJECT, 2: Kind.ACCEPTED}
    assert not any("RSET" in line for line in server.said)


async def test_a_message_over_the_servers_size_is_refused_before_the_first() -> None:
    async with ScriptedServer(offers=("PIPELINING", "SIZE 1000")) as server:
        tray = Tray(letters(5, size=2000))
        with pytest.raises(errors.ProviderRefusedError, match="the server takes 1,000"):
            await Smtp(options(server)).send(tray)
    assert not any(line.startswith("MAIL") for line in server.said)
    assert receipt(tray, 1).verdict.kind is Kind.STOP
    assert tray.out == 0


async def test_probing_says_what_the_server_offers() -> None:
    async with ScriptedServer(offers=ALL) as server:
        provider = Smtp(options(server))
        said = await provider.probe()
    assert said == ("scripted.example.org offers SIZE 1000000, PIPELINING, CHUNKING, 8BITMIME, SMTPUTF8, DSN")
    assert provider.limits.max_bytes == 1_000_000
    assert provider.limits.utf8_addresses
    assert server.said[-1] == "QUIT"


async def test_probing_a_port_where_nobody_listens_says_so() -> None:
    async with ScriptedServer() as server:
        port = server.port
    with pytest.raises(errors.ProviderError, match=f"127.0.0.1:{port} cannot be reached"):
        await Smtp(SmtpOptions(host="127.0.0.1", port=port)).probe()


async def test_sending_to_a_port_where_nobody_listens_fails_at_once_and_takes_nothing() -> None:
    async with ScriptedServer() as server:
        pass
    tray = Tray(letters(3))
    with pytest.raises(errors.ProviderError, match="cannot be reached"):
        await Smtp(options(server)).send(tray)
    assert tray.waiting == 3
