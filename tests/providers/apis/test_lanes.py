"""A lane carries one call at a time, and takes nothing for an answer that is none."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trustme

from newsletter.domain.verdicts import Kind, Verdict
from newsletter.providers import lanes
from newsletter.providers.answers import Answer, Call

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers each request with the next script: bytes to send, or nothing, to hang up."""

    def __init__(self, *script: bytes) -> None:
        self.script = list(script)
        self.asked: list[bytes] = []
        self.connections = 0
        self.gone = asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        while self.script:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self.asked.append(head + await reader.readexactly(length))
            answer = self.script.pop(0)
            writer.write(answer)
            await writer.drain()
            if b"connection: close" in answer.lower() or b"content-length" not in answer.lower():
                break
        writer.close()
        await writer.wait_closed()
        self.gone.set()


@asynccontextmanager
async def listening(server: Any, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    guests: list[asyncio.Task[Any]] = []

    async def received(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        guests.append(task)
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await server(reader, writer)
        writer.close()

    door = await asyncio.start_server(received, "127.0.0.1", 0, ssl=tls)
    async with door:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{door.sockets[0].getsockname()[1]}/send?a=1"
    await asyncio.gather(*guests)


def call(url: str, content: bytes = b"letter") -> Call:
    return Call(url=url, headers={"X-Key": "k"}, content=content)


def carrier(*, timeout: float = 30.0, verify: Any = True) -> lanes.LaneCarrier:
    return lanes.LaneCarrier(timeout=timeout, verify=verify)


async def told(*script: bytes, times: int = 1) -> tuple[list[Answer | Verdict], Server]:
    server = Server(*script)
    async with listening(server) as url, carrier() as lane:
        return [await lane.ask(call(url)) for _ in range(times)], server


def verdict(answer: Answer | Verdict) -> Kind:
    assert isinstance(answer, Verdict), answer
    return answer.kind


def bodies(answers: Sequence[Answer | Verdict]) -> list[bytes]:
    return [each.body if isinstance(each, Answer) else each.reason.encode() for each in answers]


async def test_calls_share_a_connection_and_each_has_its_own_answer() -> None:
    second = b"HTTP/1.1 202 Accepted\r\nContent-Length: 3\r\nX-Id: 7\r\n\r\nyes"
    answers, server = await told(OK, second, times=2)
    assert server.connections == 1
    assert answers == [
        Answer(status=200, headers={"content-length": "2"}, body=b"ok"),
        Answer(status=202, headers={"content-length": "3", "x-id": "7"}, body=b"yes"),
    ]


async def test_the_call_is_written_as_rfc_9112_has_it() -> None:
    _, server = await told(OK)
    head, _, body = server.asked[0].partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /send?a=1 HTTP/1.1"
    assert lines[1].startswith(b"Host: 127.0.0.1:")
    assert {b"X-Key: k", b"Content-Length: 6"} <= set(lines)
    assert body == b"letter"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK,
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,
        b"HTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
    ids=["in chunks", "100 first", "103 first", "until the connection ends", "HTTP/1.0"],
)
async def test_every_form_of_an_answer_is_read(answer: bytes) -> None:
    answers, _ = await told(answer)
    assert bodies(answers) == [b"ok"]


async def test_a_connection_that_the_server_will_close_is_not_used_again() -> None:
    last = OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    answers, server = await told(last, OK, times=2)
    assert bodies(answers) == [b"ok", b"ok"]
    assert server.connections == 2


async def test_a_connection_that_died_while_it_was_idle_costs_nobody_a_message() -> None:
    server = Server(OK)
    async with listening(server) as url, carrier() as lane:
        assert bodies([await lane.ask(call(url))]) == [b"ok"]
        await server.gone.wait()
        await asyncio.sleep(0)
        server.script.append(OK)
        assert bodies([await lane.ask(call(url))]) == [b"ok"]
    assert server.connections == 2


async def test_what_nobody_asked_for_is_never_the_next_answer() -> None:
    stray = b"HTTP/1.1 500 Stray\r\nContent-Length: 0\r\n\r\n"
    answers, server = await told(OK + stray, OK, times=2)
    assert bodies(answers) == [b"ok", b"ok"]
    assert server.connections == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nServer: x\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\nok",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
    ids=["nothing", "half a head", "half a body", "no HTTP", "interim only"],
)
async def test_half_an_answer_leaves_the_message_unknown(answer: bytes) -> None:
    answers, _ = await told(answer)
    assert verdict(answers[0]) is Kind.UNKNOWN


async def test_a_server_that_never_answers_leaves_the_message_unknown() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(silent) as url, carrier(timeout=0.05) as lane:
        assert verdict(await lane.ask(call(url))) is Kind.UNKNOWN


async def test_a_server_that_nobody_reaches_may_be_tried_again() -> None:
    async with carrier() as lane:
        assert verdict(await lane.ask(call("http://127.0.0.1:9/"))) is Kind.RETRY


@pytest.mark.parametrize("value", ["two\nlines", "two\r\nX-Other: 1", "nul\x00", "ké"])
async def test_a_header_that_would_be_two_never_leaves_the_machine(value: str) -> None:
    server = Server(OK)
    async with listening(server) as url, carrier() as lane:
        answer = await lane.ask(Call(url=url, headers={"X-Key": value}, content=b""))
    assert verdict(answer) is Kind.STOP
    assert value not in str(answer)
    assert server.connections == 0


@pytest.mark.parametrize("url", ["", "ftp://127.0.0.1/", "https:///x", "http://127.0.0.1:port/"])
async def test_an_address_of_no_api_stops(url: str) -> None:
    async with carrier() as lane:
        assert verdict(await lane.ask(call(url))) is Kind.STOP


async def test_an_answer_that_does_not_end_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    # Four megabytes would only make the test slow.
    monkeypatch.setattr("newsletter.providers.carriers.MAX_ANSWER", 1000)
    answers, server = await told(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000, OK, times=2
    )
    assert bodies(answers) == [b"x" * 1000, b"ok"]
    assert server.connections == 2


async def test_an_answer_before_the_letter_is_through_is_taken_and_its_connection_dropped() -> None:
    async def hasty(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await reader.read()

    async with listening(hasty) as url, carrier() as lane:
        for _ in range(2):
            answer = await lane.ask(call(url, b"x" * 40_000_000))
            assert isinstance(answer, Answer)
            assert answer.status == 413


async def test_a_call_that_is_broken_off_leaves_no_answer_for_the_next() -> None:
    asked = asyncio.Event()
    late = asyncio.Event()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\nletter")
        if not asked.is_set():
            asked.set()
            await late.wait()
        writer.write(OK)

    async with listening(slow) as url, carrier() as lane:
        first = asyncio.create_task(lane.ask(call(url)))
        await asked.wait()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        late.set()
        assert bodies([await lane.ask(call(url))]) == [b"ok"]


async def test_only_a_certificate_that_somebody_vouches_for_is_believed() -> None:
    authority = trustme.CA()
    offered = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(offered)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    server = Server(OK)
    async with listening(server, tls=offered) as url:
        async with carrier() as lane:
            assert verdict(await lane.ask(call(url))) is Kind.RETRY
        async with carrier(verify=trusting) as lane:
            assert bodies([await lane.ask(call(url))]) == [b"ok"]
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("environment", "suits"),
    [
        ({}, True),
        ({"https_proxy": "http://proxy.example.org:3128"}, False),
        ({"all_proxy": "http://proxy.example.org:3128"}, False),
        ({"https_proxy": "http://proxy.example.org:3128", "no_proxy": "amazonaws.com"}, True),
        ({"http_proxy": "http://proxy.example.org:3128"}, True),
    ],
)
def test_who_must_go_through_a_proxy_takes_no_lane(
    environment: dict[str, str], suits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert lanes.suits("https://email.eu-west-1.amazonaws.com/v2/email/account") is suits


async def test_a_call_that_is_cancelled_while_it_connects_leaves_no_connection_behind() -> None:
    server = Server(*[OK] * 20)
    async with listening(server) as url:
        for turns in range(20):
            async with carrier() as lane:
                asking = asyncio.ensure_future(lane.ask(call(url)))
                for _ in range(turns):
                    await asyncio.sleep(0)
                asking.cancel()
                await asyncio.wait({asking})
    # A socket that was lost open says so when it is collected.
    gc.collect()
