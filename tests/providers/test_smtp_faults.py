"""SMTP against a server that breaks off, refuses, stalls and lies: the right verdict for each recipient."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from newsletter.domain import errors, messages
from newsletter.domain.verdicts import Kind, Scope
from newsletter.providers.smtp.options import SmtpOptions, Timeouts
from newsletter.providers.smtp.provider import Smtp
from newsletter.providers.tray import Tray
from tests.providers.letters import letter, letters
from tests.providers.scripted_smtp import Act, After, Answer, Held, ScriptedServer, Slowly
from tests.providers.test_smtp import ALL, PIPELINING, PLAIN, QUICK, kinds, options, receipt

every_way = pytest.mark.parametrize("offers", [ALL, PIPELINING, PLAIN], ids=["chunks", "pipelining", "plain"])
#: No hang: everything in this module is over long before this.
PATIENCE = 60


async def send(server: ScriptedServer, tray: Tray, **more: object) -> Exception | None:
    """Send what is in the tray over one connection; return the error that ended it, if any."""
    try:
        async with asyncio.timeout(PATIENCE):
            await Smtp(options(server, **{"connections": 1, "attempts": 3, **more})).send(tray)
    except errors.ProviderError as error:
        return error
    finally:
        assert tray.out == 0, "every message taken has its receipt or is back"
    return None


# -- the connection is lost --------------------------------------------------------------------


@every_way
@pytest.mark.parametrize(
    "act", [Act.CLOSE, Act.RESET, (b"250 2.1", Act.CLOSE)], ids=["close", "reset", "torn"]
)
@pytest.mark.parametrize("stage", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
async def test_a_connection_lost_before_content_costs_nobody_anything(
    stage: str, act: Answer, offers: tuple[str, ...]
) -> None:
    if stage == "DATA" and "CHUNKING" in offers:
        offers = PIPELINING
    async with ScriptedServer({stage: [act]}, offers=offers) as server:
        tray = Tray(letters(8))
        assert await send(server, tray) is None
    accepted = [one for one in tray.receipts if one.verdict.kind is Kind.ACCEPTED]
    doubtful = [one for one in tray.receipts if one.verdict.kind is Kind.UNKNOWN]
    assert len(accepted) + len(doubtful) == 8
    # With BDAT content stands right behind the envelope, so that a loss there leaves a window in doubt.
    assert len(doubtful) <= (4 if "CHUNKING" in offers else 0)
    assert len(set(server.recipients)) == len(server.recipients)


@every_way
@pytest.mark.parametrize(
    "act", [Act.CLOSE, Act.RESET, (b"250 2.0", Act.CLOSE)], ids=["close", "reset", "torn"]
)
async def test_a_connection_lost_after_the_final_dot_leaves_that_one_unknown(
    act: Answer, offers: tuple[str, ...]
) -> None:
    async with ScriptedServer({"CONTENT": ["250 ok", act]}, offers=offers) as server:
        tray = Tray(letters(8))
        assert await send(server, tray, window=1) is None
    assert kinds(tray)[2] is Kind.UNKNOWN
    assert {one for one, kind in kinds(tray).items() if kind is Kind.ACCEPTED} == {1, 3, 4, 5, 6, 7, 8}
    assert server.recipients.count("reader2@example.org") == 0


async def test_a_loss_in_a_window_of_chunks_leaves_only_the_window_in_doubt() -> None:
    async with ScriptedServer({"CONTENT": ["250 ok", Act.CLOSE]}, offers=ALL) as server:
        tray = Tray(letters(50))
        assert await send(server, tray, window=4) is None
    doubtful = [one for one, kind in kinds(tray).items() if kind is Kind.UNKNOWN]
    assert 2 in doubtful
    assert len(doubtful) <= 4
    assert len(tray.receipts) == 50


async def test_a_loss_before_the_whole_message_left_is_no_doubt() -> None:
    # The server asks for content and reads none of it: a message larger than every buffer cannot leave.
    async with ScriptedServer(offers=PIPELINING, deaf=True) as server:
        tray = Tray(letters(1, size=30_000_000))
        error = await send(server, tray, timeouts=QUICK)
    assert kinds(tray) in ({}, {1: Kind.RETRY})
    assert error is None or "takes no more bytes" in str(error)


async def test_a_server_that_dies_for_good_ends_the_send_and_the_rest_is_still_there() -> None:
    script: dict[str, list[Answer]] = {
        "GREETING": ["220 ready", *[Act.CLOSE] * 9],
        "CONTENT": ["250 ok", "250 ok", Act.CLOSE],
    }
    async with ScriptedServer(script, offers=PIPELINING) as server:
        tray = Tray(letters(10))
        error = await send(server, tray)
    assert isinstance(error, errors.ProviderError)
    assert "closed the connection" in str(error)
    assert kinds(tray) == {1: Kind.ACCEPTED, 2: Kind.ACCEPTED, 3: Kind.UNKNOWN}
    assert tray.waiting == 7
    assert server.connections == 4


async def test_a_message_that_kills_every_connection_waits_for_its_next_turn() -> None:
    async with ScriptedServer({"RCPT": [Act.CLOSE] * 3}, offers=PLAIN) as server:
        tray = Tray([letter(1)])
        assert await send(server, tray, attempts=9) is None
    assert kinds(tray) == {1: Kind.RETRY}
    assert server.connections == 3


class Pausing(Tray):
    """Has its second message only when told so."""

    def __init__(self) -> None:
        super().__init__(letters(2))
        self.go_on = asyncio.Event()

    def take(self) -> messages.Message | None:
        return super().take() if self.waiting == 2 or self.go_on.is_set() else None

    async def ready(self) -> bool:
        if self.waiting == 1:
            await self.go_on.wait()
        return await super().ready()


async def test_an_idle_connection_that_the_server_closes_is_no_failure() -> None:
    goodbye = ("250 ok", "421 4.4.2 idle for too long", Act.CLOSE)
    async with ScriptedServer({"CONTENT": [goodbye]}, offers=PIPELINING) as server:
        tray = Pausing()
        task = asyncio.create_task(send(server, tray, attempts=1))
        while server.connected or not tray.receipts:
            await asyncio.sleep(0)
        tray.go_on.set()
        assert await task is None
    assert kinds(tray)[2] is Kind.ACCEPTED
    assert server.connections == 2


class Late(Tray):
    """Says that it has messages, and gives none past the first few before something has happened."""

    def __init__(self, count: int, *, first: int, happened: Callable[[], bool]) -> None:
        super().__init__(letters(count))
        self._first, self._happened = first, happened

    def take(self) -> messages.Message | None:
        return super().take() if len(self.receipts) < self._first or self._happened() else None

    async def ready(self) -> bool:
        await asyncio.sleep(0.001)
        return await super().ready()


async def test_a_connection_closed_before_it_had_anything_to_do_is_no_failure() -> None:
    closing = (b"250 scripted\r\n", Slowly(b"421 idle\r\n"), Act.CLOSE)
    async with ScriptedServer({"EHLO": [closing]}, offers=()) as server:
        tray = Late(3, first=0, happened=lambda: server.connections > 1)
        assert await send(server, tray, attempts=1) is None
    assert set(kinds(tray).values()) == {Kind.ACCEPTED}


async def test_a_connection_that_cannot_be_opened_does_not_end_what_others_do() -> None:
    full = ("421 4.3.2 too many connections", Act.CLOSE)
    async with ScriptedServer({"GREETING": ["220 ready", *[full] * 50]}, offers=PIPELINING) as server:
        tray = Late(20, first=1, happened=lambda: server.connections > 5)
        assert await send(server, tray, connections=2, attempts=2) is None
    assert set(kinds(tray).values()) == {Kind.ACCEPTED}


class Hasty(Tray):
    """Says that there is no more as soon as everything was taken."""

    async def ready(self) -> bool:
        return self.waiting > 0


async def test_what_comes_back_when_all_seemed_done_is_still_sent() -> None:
    script: dict[str, list[Answer]] = {"MAIL": ["250 ok", ("421 4.3.0 going down", Act.CLOSE)]}
    async with ScriptedServer(script, offers=ALL) as server:
        tray = Hasty(letters(2))
        assert await send(server, tray) is None
    assert kinds(tray) == {1: Kind.ACCEPTED, 2: Kind.ACCEPTED}


def test_it_waits_longer_after_each_failure_and_slots_wait_apart() -> None:
    made = SmtpOptions(host="127.0.0.1", backoff=0.5, connections=4)
    assert [made.pause(failures, slot=0) for failures in (1, 2, 3, 8, 100)] == [0.5, 1, 2, 60, 60]
    assert [made.pause(1, slot=slot) for slot in range(4)] == [0.5, 0.5625, 0.625, 0.6875]


async def test_only_failures_in_a_row_count() -> None:
    greetings: list[Answer] = ["220 ready", Act.CLOSE] * 6
    script: dict[str, list[Answer]] = {"GREETING": greetings, "CONTENT": [(b"250 ok\r\n", Act.CLOSE)] * 6}
    async with ScriptedServer(script, offers=PLAIN) as server:
        tray = Tray(letters(6))
        assert await send(server, tray, attempts=2) is None
    assert set(kinds(tray).values()) == {Kind.ACCEPTED}


# -- refusals ----------------------------------------------------------------------------------


@every_way
@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("550 5.1.1 no such user here", Kind.SUPPRESS),
        ("450 4.2.1 mailbox busy", Kind.RETRY),
        ("452 4.5.3 too many recipients", Kind.RETRY),
        ("552 too many recipients", Kind.RETRY),
        ("550-5.2.1 the mailbox\r\n550 5.2.1 is disabled", Kind.SUPPRESS),
        ("554 no", Kind.REJECT),
    ],
)
async def test_a_refused_recipient_never_costs_the_next_one(
    reply: str, kind: Kind, offers: tuple[str, ...]
) -> None:
    async with ScriptedServer({"RCPT": ["250 ok", reply]}, offers=offers) as server:
        tray = Tray(letters(6))
        assert await send(server, tray) is None
    assert kinds(tray) == {1: Kind.ACCEPTED, 2: kind} | dict.fromkeys(range(3, 7), Kind.ACCEPTED)
    assert receipt(tray, 2).reply == reply.replace("550-", "550 ").replace("\r\n550 ", " / ")
    assert server.connections == 1


@every_way
async def test_content_asked_for_a_refused_recipient_is_an_empty_message_and_the_refusal_stands(
    offers: tuple[str, ...],
) -> None:
    if "CHUNKING" in offers:
        offers = PIPELINING
    script: dict[str, list[Answer]] = {"RCPT": ["550 5.1.1 nobody"], "DATA": ["354 go on all the same"]}
    async with ScriptedServer(script, offers=offers) as server:
        tray = Tray(letters(3))
        assert await send(server, tray) is None
    assert kinds(tray) == {1: Kind.SUPPRESS, 2: Kind.ACCEPTED, 3: Kind.ACCEPTED}
    assert receipt(tray, 1).reply == "550 5.1.1 nobody"
    assert server.recipients == ["reader2@example.org", "reader3@example.org"]


@every_way
async def test_refused_content_concerns_that_message_alone(offers: tuple[str, ...]) -> None:
    async with ScriptedServer(
        {"CONTENT": ["250 ok", "451 4.3.0 later", "554 5.7.1 spam"]}, offers=offers
    ) as server:
        tray = Tray(letters(5))
        assert await send(server, tray) is None
    assert list(kinds(tray).values()) == [
        Kind.ACCEPTED,
        Kind.RETRY,
        Kind.REJECT,
        Kind.ACCEPTED,
        Kind.ACCEPTED,
    ]


async def test_a_refused_data_command_is_followed_by_rset() -> None:
    async with ScriptedServer({"DATA": ["451 4.3.0 later"]}, offers=PIPELINING) as server:
        tray = Tray(letters(3))
        assert await send(server, tray) is None
    assert kinds(tray) == {1: Kind.RETRY, 2: Kind.ACCEPTED, 3: Kind.ACCEPTED}


@every_way
@pytest.mark.parametrize(
    "script",
    [
        {"MAIL": ["250 ok", "550 5.7.1 sender refused"]},
        {"MAIL": ["250 ok", "530 5.7.0 Authentication required"]},
        {"RCPT": ["250 ok", "550 5.7.1 relaying denied"]},
        {"CONTENT": ["250 ok", "552 5.3.4 message too big"]},
        {"CONTENT": ["250 ok", "554 5.7.1 listed by Spamhaus ZEN"]},
    ],
)
async def test_a_refusal_that_concerns_us_stops_the_send(
    script: dict[str, list[Answer]], offers: tuple[str, ...]
) -> None:
    async with ScriptedServer(script, offers=offers) as server:
        tray = Tray(letters(50))
        error = await send(server, tray)
    assert isinstance(error, errors.ProviderRefusedError)
    (reply,) = [answers[1] for answers in script.values()]
    assert str(reply) in str(error)
    assert kinds(tray)[2] is Kind.STOP
    assert receipt(tray, 2).verdict.scope is Scope.MAILING
    # BDAT had handed over the window behind it, which the server went on to take.
    assert len(tray.receipts) <= (6 if "CHUNKING" in offers else 3)
    assert tray.waiting == 50 - len(tray.receipts)


async def test_a_stop_on_one_connection_stops_what_the_others_have_not_handed_over() -> None:
    both_out, stopped = asyncio.Event(), asyncio.Event()
    script: dict[str, list[Answer]] = {
        "CONTENT": ["250 ok", After(both_out, "552 5.3.4 message too big")],
        "DATA": ["354 go on", "354 go on", After(stopped, "354 go on")],
    }
    async with ScriptedServer(script, offers=PIPELINING) as server:
        tray = Tray(letters(10))
        task = asyncio.create_task(send(server, tray, connections=2))
        while server.said.count("DATA") < 3:
            await asyncio.sleep(0)
        both_out.set()
        while len(tray.receipts) < 2:
            await asyncio.sleep(0)
        stopped.set()
        assert isinstance(await task, errors.ProviderRefusedError)
    assert kinds(tray) == {1: Kind.ACCEPTED, 2: Kind.STOP}
    assert server.recipients == ["reader1@example.org"]
    assert tray.waiting == 8


# -- 421 ---------------------------------------------------------------------------------------


async def test_421_at_the_greeting_is_tried_again() -> None:
    busy = ("421 4.3.2 too busy", Act.CLOSE)
    async with ScriptedServer({"GREETING": [busy, busy]}) as server:
        tray = Tray(letters(3))
        assert await send(server, tray) is None
    assert set(kinds(tray).values()) == {Kind.ACCEPTED}
    assert server.connections == 3


async def test_421_at_every_greeting_is_an_error_that_quotes_it() -> None:
    async with ScriptedServer({"GREETING": [("421 4.3.2 too busy", Act.CLOSE)] * 9}) as server:
        tray = Tray(letters(3))
        error = await send(server, tray)
    assert "421 4.3.2 too busy" in str(error)
    assert not isinstance(error, errors.ProviderRefusedError)
    assert tray.waiting == 3


@every_way
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "CONTENT"])
async def test_421_in_mid_stream_loses_nobody_and_nothing_stays_unknown(
    stage: str, offers: tuple[str, ...]
) -> None:
    script: dict[str, list[Answer]] = {stage: ["250 ok", ("421 4.7.0 slow down", Act.CLOSE)]}
    async with ScriptedServer(script, offers=offers) as server:
        tray = Tray(letters(8))
        assert await send(server, tray) is None
    assert len(tray.receipts) == 8
    assert Kind.UNKNOWN not in kinds(tray).values()
    if stage == "MAIL":
        assert set(kinds(tray).values()) == {Kind.ACCEPTED}
    else:
        assert kinds(tray)[2] is Kind.RETRY
        assert receipt(tray, 2).verdict.scope is Scope.DOMAIN


async def test_a_server_that_says_421_to_everybody_is_not_asked_about_everybody() -> None:
    script: dict[str, list[Answer]] = {"RCPT": [("421 4.7.0 slow down", Act.CLOSE)] * 50}
    async with ScriptedServer(script, offers=PIPELINING) as server:
        tray = Tray(letters(50))
        error = await send(server, tray, attempts=3)
    assert "421 4.7.0 slow down" in str(error)
    assert list(kinds(tray).values()) == [Kind.RETRY] * 3
    assert tray.waiting == 47
    assert server.connections == 3


async def test_further_connections_wait_until_the_server_took_a_message() -> None:
    async with ScriptedServer({"RCPT": ["550 5.1.1 nobody"] * 30}, offers=PIPELINING) as server:
        tray = Tray(letters(30))
        assert await send(server, tray, connections=8) is None
        assert server.connections == 1
        assert await send(server, Tray(letters(200)), connections=8) is None
        assert 3 <= server.connections <= 9


# -- time-outs ---------------------------------------------------------------------------------


@every_way
@pytest.mark.parametrize("stage", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
async def test_silence_before_content_ends_at_the_time_out_and_loses_nobody(
    stage: str, offers: tuple[str, ...]
) -> None:
    if stage == "DATA" and "CHUNKING" in offers:
        offers = PIPELINING
    async with ScriptedServer({stage: [Act.SILENCE]}, offers=offers) as server:
        tray = Tray(letters(3))
        assert await send(server, tray, window=1, timeouts=QUICK) is None
    expected = (
        {Kind.ACCEPTED, Kind.UNKNOWN}
        if "CHUNKING" in offers and stage in {"MAIL", "RCPT"}
        else {Kind.ACCEPTED}
    )
    assert set(kinds(tray).values()) == expected


@every_way
async def test_silence_after_the_final_dot_is_unknown(offers: tuple[str, ...]) -> None:
    async with ScriptedServer({"CONTENT": [Act.SILENCE]}, offers=offers) as server:
        tray = Tray(letters(3))
        assert await send(server, tray, window=1, timeouts=QUICK) is None
    assert kinds(tray) == {1: Kind.UNKNOWN, 2: Kind.ACCEPTED, 3: Kind.ACCEPTED}
    assert "in time" in receipt(tray, 1).reply


async def test_the_time_for_an_answer_begins_when_a_silence_is_broken() -> None:
    slow = Slowly(b"250 ok\r\n", pause=0.08)
    async with ScriptedServer({"MAIL": ["250 ok", slow]}, offers=PIPELINING) as server:
        tray = Pausing()
        # The feed has nothing for longer than an answer may take.
        asyncio.get_running_loop().call_later(1.6, tray.go_on.set)
        patience = Timeouts(connect=9, greeting=9, command=1, block=1, content=1, quit=9)
        assert await send(server, tray, timeouts=patience) is None
    assert set(kinds(tray).values()) == {Kind.ACCEPTED}
    assert server.connections == 1


@pytest.mark.parametrize("stage", ["GREETING", "MAIL", "CONTENT"])
async def test_a_byte_at_a_time_is_not_progress(stage: str) -> None:
    crawl = Slowly(b"250 2.0.0 " + b"z" * 500, pause=0.05)
    async with ScriptedServer({stage: [crawl]}, offers=PLAIN) as server:
        tray = Tray(letters(2))
        assert await send(server, tray, timeouts=QUICK) is None
    assert len(tray.receipts) == 2
    assert server.connections == 2


@every_way
async def test_replies_in_single_bytes_are_understood(offers: tuple[str, ...]) -> None:
    slow = [Slowly(b"250 2.0.0 fine\r\n", pause=0.001)] * 3
    async with ScriptedServer({"MAIL": slow, "RCPT": slow, "CONTENT": slow}, offers=offers) as server:
        tray = Tray(letters(3))
        assert await send(server, tray) is None
    assert set(kinds(tray).values()) == {Kind.ACCEPTED}


# -- nonsense ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "nonsense",
    [
        b"250 " + b"x" * 10_000_000 + b"\r\n",
        b"250-line\r\n" * 100_000 + b"250 end\r\n",
        b"hello there\r\n",
        b"250-one\r\n550 two\r\n",
        b"\r\n",
        b"250 bell\x07\r\n",
        b"250 line\nfeed\r\n",
        b"999 what\r\n",
        b"25 short\r\n",
        b"220\xff\r\n",
    ],
    ids=[
        "10MB",
        "endless",
        "prose",
        "two codes",
        "empty",
        "control",
        "bare LF",
        "999",
        "short",
        "no separator",
    ],
)
@pytest.mark.parametrize("stage", ["GREETING", "MAIL", "CONTENT"])
async def test_what_is_no_reply_ends_the_connection_and_nobody_is_lost(stage: str, nonsense: bytes) -> None:
    async with ScriptedServer({stage: [nonsense]}, offers=PIPELINING) as server:
        tray = Tray(letters(3))
        assert await send(server, tray) is None
    first = Kind.UNKNOWN if stage == "CONTENT" else Kind.ACCEPTED
    assert kinds(tray) == {1: first, 2: Kind.ACCEPTED, 3: Kind.ACCEPTED}


@pytest.mark.parametrize("extra", [b"250 2.0.0 more\r\n", b"250 a\r\n250 b\r\n250 c\r\n"])
async def test_more_replies_than_commands_end_the_connection(extra: bytes) -> None:
    async with ScriptedServer(
        {"QUIT": ["221 bye"], "CONTENT": [b"250 ok\r\n" + extra]}, offers=PLAIN
    ) as server:
        tray = Tray(letters(4))
        assert await send(server, tray) is None
    assert len(tray.receipts) == 4
    assert kinds(tray)[1] is Kind.ACCEPTED


# -- pipelining announced and badly done -----------------------------------------------------------


async def test_a_server_that_throws_pipelined_commands_away_is_served_one_at_a_time() -> None:
    async with ScriptedServer(offers=PIPELINING, pipelines=False) as server:
        tray = Tray(letters(6))
        assert await send(server, tray, attempts=5, timeouts=QUICK) is None
    assert set(kinds(tray).values()) == {Kind.ACCEPTED}
    assert len(server.taken) == 6


async def test_merged_replies_are_noticed_and_pipelining_given_up() -> None:
    script: dict[str, list[Answer]] = {"MAIL": [b""], "RCPT": ["250 2.1.0 both are fine"]}
    async with ScriptedServer(script, offers=PIPELINING) as server:
        provider = Smtp(options(server, connections=1))
        tray = Tray(letters(3))
        await provider.send(tray)
        assert set(kinds(tray).values()) == {Kind.ACCEPTED}
        server.said.clear()
        await provider.send(Tray([letter(9)]))
    assert len(server.taken) == 4


async def test_reordered_replies_are_noticed() -> None:
    script: dict[str, list[Answer]] = {"RCPT": [Held("250 2.1.5 Ok")]}
    async with ScriptedServer(script, offers=PIPELINING) as server:
        tray = Tray(letters(3))
        assert await send(server, tray) is None
    assert set(kinds(tray).values()) == {Kind.ACCEPTED}
    assert server.connections == 2


@pytest.mark.parametrize(
    "reply",
    ["503 5.5.1 nested MAIL command", "554 SMTP synchronization error", "554 5.5.0 improper pipelining"],
)
async def test_a_complaint_about_the_order_of_commands_is_not_the_recipients_fault(reply: str) -> None:
    async with ScriptedServer({"MAIL": [reply]}, offers=PIPELINING) as server:
        tray = Tray(letters(3))
        assert await send(server, tray) is None
    assert set(kinds(tray).values()) == {Kind.ACCEPTED}


async def test_bdat_announced_and_not_understood_is_given_up_for_data() -> None:
    async with ScriptedServer({"CONTENT": ["500 5.5.2 What?"]}, offers=ALL) as server:
        tray = Tray(letters(3))
        assert await send(server, tray) is None
    assert set(kinds(tray).values()) == {Kind.ACCEPTED}
    assert "DATA" in server.said


async def test_bdat_badly_done_is_given_up_and_pipelining_is_not() -> None:
    async with ScriptedServer({"CONTENT": ["354 Go on"]}, offers=ALL) as server:
        tray = Tray(letters(5))
        assert await send(server, tray) is None
    assert [kind for kind in kinds(tray).values() if kind is not Kind.ACCEPTED] == [Kind.UNKNOWN]
    begun_anew = server.said[server.said.index("DATA") - 2 :]
    assert [line.split()[0] for line in begun_anew].count("DATA") == 4
    assert "BDAT" not in "".join(begun_anew)
    assert all(line in server.pipelined for line in begun_anew if line.startswith(("MAIL", "RCPT")))
