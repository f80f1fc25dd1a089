"""The machine of mail transactions without a socket, against a server in memory with a will of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.domain.replies import Reply
from newsletter.domain.verdicts import Kind
from newsletter.providers.smtp import envelopes
from newsletter.providers.smtp.by_chunks import ByChunks
from newsletter.providers.smtp.by_data import ByData
from newsletter.providers.smtp.dialogue import ClosingError, Dialogue, OutOfStepError
from newsletter.providers.smtp.reading import ReplyReader
from newsletter.providers.smtp.terms import Terms
from newsletter.providers.tray import Tray
from tests.providers.letters import letter, letters

WAYS: dict[str, Callable[[Tray], Dialogue]] = {
    "chunks": lambda tray: ByChunks(tray, Terms(pipelining=True, chunking=True), window=4),
    "pipelining": lambda tray: ByData(tray, Terms(pipelining=True), pipelining=True),
    "plain": lambda tray: ByData(tray, Terms(), pipelining=False),
}
every_way = pytest.mark.parametrize("way", WAYS)

#: The stage at which a server refuses a message, and how.
REFUSALS = {
    "MAIL": "452 4.2.2 refused at MAIL",
    "RCPT": "450 4.2.1 refused at RCPT",
    "DATA": "451 4.3.0 refused at DATA",
    "CONTENT": "554 refused at the dot",
    "RCPT, yet asks for content": "450 4.2.1 refused at RCPT",
}


@dataclass
class MemoryServer:
    """A server by the book: bytes in, replies out; what each message meets is decided beforehand."""

    wills: dict[str, str]
    taken: dict[str, bytes] = field(default_factory=dict)
    sender: str = ""
    recipient: str = ""
    #: None outside content; else the octets still to come, -1 up to a dot.
    content: int | None = None
    rest: bytes = b""

    def receive(self, data: bytes) -> bytes:
        self.rest += data
        replies = []
        while (reply := self._next()) is not None:
            replies.append(reply)
        return "".join(f"{reply}\r\n" for reply in replies if reply).encode()

    def _next(self) -> str | None:
        if self.content is not None:
            return self._content()
        line, end, rest = self.rest.partition(b"\r\n")
        if not end:
            return None
        self.rest = rest
        return self._command(line.decode())

    def _content(self) -> str | None:
        assert self.content is not None
        if self.content >= 0:
            if len(self.rest) < self.content:
                return None
            raw, self.rest = self.rest[: self.content], self.rest[self.content :]
        else:
            # An empty message is the dot alone.
            whole, dot, rest = (b"\r\n" + self.rest).partition(b"\r\n.\r\n")
            if not dot:
                return None
            raw, self.rest = (whole + b"\r\n").replace(b"\r\n.", b"\r\n")[2:], rest
        self.content = None
        return self._end(raw)

    def _command(self, line: str) -> str:
        verb = line.partition(" ")[0]
        if verb == "MAIL":
            return self._mail(line)
        if verb == "RCPT":
            return self._rcpt(line)
        if verb == "RSET":
            self.sender = self.recipient = ""
            return "250 reset"
        self.content = -1 if verb == "DATA" else int(line.split()[1])
        if verb == "BDAT":
            return ""
        will = self.wills.get(_number(self.sender), "")
        if (self.recipient and will != "DATA") or (self.sender and will == "RCPT, yet asks for content"):
            return "354 go on"
        self.content = None
        return REFUSALS["DATA"] if self.recipient else "503 no recipients"

    def _mail(self, line: str) -> str:
        if self.sender:
            return "503 nested MAIL command"
        sender = line.partition("<")[2].partition(">")[0]
        if self.wills.get(_number(sender)) == "MAIL":
            return REFUSALS["MAIL"]
        self.sender = sender
        return "250 ok"

    def _rcpt(self, line: str) -> str:
        if not self.sender:
            return "503 need MAIL"
        if self.wills.get(_number(self.sender), "").startswith("RCPT"):
            return REFUSALS["RCPT"]
        self.recipient = line.partition("<")[2].partition(">")[0]
        return "250 ok"

    def _end(self, raw: bytes) -> str:
        sender, recipient = self.sender, self.recipient
        if not recipient:
            # The transaction stays open, as some servers have it.
            return "554 no valid recipients"
        self.sender = self.recipient = ""
        if self.wills.get(_number(sender)) == "CONTENT":
            return REFUSALS["CONTENT"]
        self.taken[recipient] = raw
        return f"250 ok id={_number(sender)}"


def _number(sender: str) -> str:
    return sender.partition("+")[2].partition("@")[0]


def converse(talk: Dialogue, server: MemoryServer, cuts: Sequence[int] = ()) -> None:
    """Let dialogue and server speak until neither has anything to say; replies come cut into pieces."""
    reader, sizes = ReplyReader(), list(cuts)
    while block := talk.next_block():
        back = server.receive(block)
        while back:
            size = sizes.pop() if sizes else len(back)
            talk.answer_all(reader.feed(back[:size]))
            back = back[size:]
            if block := talk.next_block():
                back += server.receive(block)


wills = st.dictionaries(st.integers(1, 25).map(str), st.sampled_from(sorted(REFUSALS)), max_size=25)


@every_way
@given(wills=wills, cuts=st.lists(st.integers(1, 30), max_size=60))
def test_each_message_gets_the_verdict_of_its_own_replies(
    way: str, wills: dict[str, str], cuts: list[int]
) -> None:
    sent = letters(25)
    tray = Tray(sent)
    talk = WAYS[way](tray)
    server = MemoryServer(dict(wills))
    converse(talk, server, cuts)
    assert len(tray.receipts) == 25
    assert talk.idle
    for receipt in tray.receipts:
        will = wills.get(str(receipt.delivery), "")
        if way == "chunks" and will == "DATA":
            will = ""  # there is no DATA to refuse
        expected = REFUSALS.get(will, f"250 ok id={receipt.delivery}")
        assert receipt.reply == expected
    accepted = {one.delivery for one in tray.receipts if one.verdict.kind is Kind.ACCEPTED}
    assert server.taken == {one.recipient: one.raw for one in sent if one.delivery in accepted}


replies = st.builds(
    Reply,
    st.sampled_from(
        (220, 235, 250, 250, 250, 250, 334, 354, 354, 421, 450, 451, 500, 503, 535, 550, 552, 554)
    ),
    st.sampled_from(("", "2.0.0 Ok", "5.1.1 nobody", "5.7.1 relaying denied", "4.2.1 busy", "5.3.4 too big")),
)


@every_way
@given(answers=st.lists(st.one_of(replies, st.none()), max_size=80), unsent=st.booleans())
def test_whatever_a_server_says_every_message_taken_is_accounted_for_once(
    way: str, answers: list[Reply | None], unsent: bool
) -> None:
    tray = Tray(letters(30))
    talk = WAYS[way](tray)
    handed = b""
    try:
        for answer in answers:
            if answer is None:
                handed += talk.next_block()
            else:
                talk.answer(answer)
    except (OutOfStepError, ClosingError):
        pass
    leftovers = talk.leftovers(unsent=unsent)
    named = [one.delivery for one in (*leftovers.doubtful, *leftovers.untouched)]
    assert sorted(named) == sorted(tray._out)
    assert len(set(named)) == len(named)
    for message in leftovers.untouched:
        if way != "chunks" and not unsent:
            assert message.raw not in handed, "what was handed over whole is in doubt"
    for message in leftovers.doubtful:
        assert message.raw in handed


#: What is usually answered at once, with a little going wrong in most of it.
USUAL = {
    "chunks": (250, 250, 250, 250),
    "pipelining": (250, 250, 250, 354),
    "plain": (250,),
}
upsets = st.tuples(
    st.sampled_from(("replace", "leave out", "put in", "nothing", "nothing")), st.integers(0, 3), replies
)


def upset(way: str, change: tuple[str, int, Reply]) -> list[Reply]:
    """Return the usual replies with one change."""
    act, at, reply = change
    usual = [Reply(code, f"ok id={number}") for number, code in enumerate(USUAL[way])]
    kept = 0 if act == "put in" else 1
    return usual if act == "nothing" else [*usual[:at], *[reply][act == "leave out" :], *usual[at + kept :]]


def heard(way: str, batches: list[list[Reply]], *, together: bool) -> list[object]:
    """Have a dialogue answered, batch by batch or reply by reply; return all that can be seen of it."""
    tray = Tray(letters(30))
    talk = WAYS[way](tray)
    seen: list[object] = []
    try:
        for batch in batches:
            seen.append(talk.next_block())
            if together:
                talk.answer_all(batch)
            else:
                for reply in batch:
                    talk.answer(reply)
            seen.append((talk.stage, talk.idle, talk.finished, talk.accepted, talk.stop))
    except (OutOfStepError, ClosingError) as error:
        seen.append(repr(error))
    return [*seen, tray.receipts, talk.leftovers(unsent=False), talk.leftovers(unsent=True), talk.accepted]


@every_way
@given(data=st.data())
def test_replies_that_come_together_are_taken_as_if_each_had_come_alone(
    way: str, data: st.DataObject
) -> None:
    first = (
        [Reply(250, "ok")] * 3 if way == "chunks" else [Reply(250, "ok"), Reply(250, "ok"), Reply(354, "")]
    )
    changes = data.draw(st.lists(upsets, max_size=12))
    batches = [first[: len(USUAL[way])], *(upset(way, change) for change in changes)]
    assert heard(way, batches, together=True) == heard(way, batches, together=False)


def under_way(count: int = 4) -> tuple[Tray, Dialogue]:
    """Return a dialogue whose first message and second envelope are on their way."""
    tray = Tray(letters(count))
    talk = WAYS["pipelining"](tray)
    talk.next_block()
    talk.answer_all([Reply(250, "ok"), Reply(250, "ok"), Reply(354, "go")])
    assert (b"\r\n.\r\nMAIL FROM:<bounce+2@" in talk.next_block()) == (count > 1)
    return tray, talk


@pytest.mark.parametrize(
    ("codes", "why"),
    [
        ((250, 250, 354, 354), "RCPT was answered with"),
        ((250, 354, 250, 354), "MAIL was answered with"),
        ((250, 250, 250, 250), "DATA was answered with"),
        ((250, 250, 354, 250), "RCPT was answered with"),
        ((250, 250, 250, 354, 250), "an answer to nothing"),
        ((250, 250, 503, 354), "RCPT was answered with"),
    ],
)
def test_a_round_of_replies_that_is_out_of_step_is_noticed(codes: tuple[int, ...], why: str) -> None:
    tray, talk = under_way()
    with pytest.raises(OutOfStepError, match=why):
        talk.answer_all([Reply(code, "") for code in codes])
    assert [one.reply for one in tray.receipts] == ["250"]
    assert [one.delivery for one in talk.leftovers(unsent=False).untouched] == [2]


def test_content_answered_with_a_question_is_out_of_step_and_in_doubt() -> None:
    tray, talk = under_way()
    with pytest.raises(OutOfStepError, match="message was answered with"):
        talk.answer_all([Reply(354, ""), *[Reply(250, "")] * 2, Reply(354, "")])
    assert tray.receipts == []
    assert [one.delivery for one in talk.leftovers(unsent=False).doubtful] == [1]


def test_a_server_that_closes_behind_its_answer_to_content_took_that_alone() -> None:
    tray, talk = under_way()
    with pytest.raises(ClosingError):
        talk.answer_all([Reply(250, "ok"), Reply(421, "bye"), Reply(250, "ok"), Reply(354, "go")])
    assert [(one.delivery, one.verdict.kind) for one in tray.receipts] == [(1, Kind.ACCEPTED)]
    assert [one.delivery for one in talk.leftovers(unsent=False).untouched] == [2]


def test_a_recipient_refused_in_a_round_gets_no_content() -> None:
    tray, talk = under_way()
    talk.answer_all([Reply(250, "ok"), Reply(250, "ok"), Reply(550, "5.1.1 nobody"), Reply(354, "go")])
    assert [(one.delivery, one.verdict.kind) for one in tray.receipts] == [
        (1, Kind.ACCEPTED),
        (2, Kind.SUPPRESS),
    ]
    assert talk.next_block() == b".\r\n"
    assert talk.next_block().startswith(b"RSET\r\nMAIL FROM:<bounce+3@")
    talk.answer_all([Reply(code, "") for code in (554, 250, 250, 250, 354)])
    block = talk.next_block()
    assert b"letter 3" in block
    assert b"\r\n.\r\nMAIL FROM:<bounce+4@" in block, "one RSET was enough"


def test_a_usual_round_where_an_answer_to_rset_is_awaited_too_is_out_of_step() -> None:
    _, talk = under_way()
    talk.answer_all([Reply(250, "ok"), Reply(250, "ok"), Reply(550, "5.1.1 nobody"), Reply(354, "go")])
    assert talk.next_block() == b".\r\n"
    assert talk.next_block().startswith(b"RSET\r\n")
    with pytest.raises(OutOfStepError, match="RCPT was answered with"):
        talk.answer_all([Reply(code, "") for code in (250, 250, 250, 354)])
    assert [one.delivery for one in talk.leftovers(unsent=False).untouched] == [3]


def test_a_usual_round_where_nothing_stood_behind_the_message_is_out_of_step() -> None:
    tray, talk = under_way(1)
    with pytest.raises(OutOfStepError, match="an answer to nothing"):
        talk.answer_all([Reply(code, "") for code in (250, 250, 250, 354)])
    assert [one.verdict.kind for one in tray.receipts] == [Kind.ACCEPTED]


def test_a_server_that_closes_instead_of_taking_content_is_heard_in_a_round_too() -> None:
    tray, talk = under_way()
    with pytest.raises(ClosingError):
        talk.answer_all([Reply(421, "bye"), Reply(250, "ok"), Reply(250, "ok"), Reply(354, "go")])
    assert [one.verdict.kind for one in tray.receipts] == [Kind.RETRY]
    assert [one.delivery for one in talk.leftovers(unsent=False).untouched] == [2]


def test_a_usual_round_asks_for_the_next_content() -> None:
    tray, talk = under_way()
    talk.answer_all([Reply(250, "2.0.0 Ok: queued as 4Xy"), Reply(250, ""), Reply(250, ""), Reply(354, "")])
    assert [(one.reply, one.provider_id) for one in tray.receipts] == [("250 2.0.0 Ok: queued as 4Xy", "4Xy")]
    assert talk.stage is None
    assert not talk.idle
    assert talk.next_block().startswith(b"Subject: letter 2")


@pytest.mark.parametrize(
    ("text", "known_as"),
    [
        ("2.0.0 Ok: queued as 4Xy", "4Xy"),
        ("2.0.0 Ok: 10239 bytes queued as 4Xy", "4Xy"),
        ("2.6.0 <x@y> queued as 4Xy", "4Xy"),
        ("OK id=1abcde-000001-2B", "1abcde-000001-2B"),
        ("Ok 01000189-abcd", "01000189-abcd"),
        ("2.0.0 Ok 01000189-abcd", "01000189-abcd"),
        ("2.0.0 Ok: queued as ", ""),
        ("2.0.0 Ok", ""),
    ],
)
def test_the_receipt_has_the_id_that_the_servers_logs_know_the_message_by(text: str, known_as: str) -> None:
    tray, talk = under_way()
    talk.answer_all([Reply(250, text)])
    assert tray.receipts[0].provider_id == known_as


@every_way
def test_a_closed_dialogue_takes_no_more_and_ends_what_is_under_way(way: str) -> None:
    tray = Tray(letters(10))
    talk, server = WAYS[way](tray), MemoryServer({})
    server.receive(b"")
    block = talk.next_block()
    talk.close()
    reader = ReplyReader()
    while block:
        for reply in reader.feed(server.receive(block)):
            talk.answer(reply)
        block = talk.next_block()
    assert talk.finished
    assert 1 <= len(tray.receipts) <= 4
    assert tray.out == 0


def test_the_next_envelope_rides_behind_the_final_dot() -> None:
    talk = WAYS["pipelining"](Tray([letter(1), letter(2)]))
    first = talk.next_block()
    assert first.startswith(b"MAIL FROM:<bounce+1@")
    assert first.endswith(b"DATA\r\n")
    for reply in (Reply(250, "ok"), Reply(250, "ok"), Reply(354, "go")):
        talk.answer(reply)
    second = talk.next_block()
    content, _, envelope = second.partition(b"\r\n.\r\n")
    assert content.startswith(b"Subject: letter 1")
    assert envelope.startswith(b"MAIL FROM:<bounce+2@")
    assert talk.next_block() == b""


def test_nothing_rides_behind_a_message_that_may_leave_in_pieces() -> None:
    talk = WAYS["pipelining"](Tray(letters(2, size=200_000)))
    talk.next_block()
    for reply in (Reply(250, "ok"), Reply(250, "ok"), Reply(354, "go")):
        talk.answer(reply)
    assert talk.next_block().endswith(b"\r\n.\r\n")
    assert talk.leftovers(unsent=True).untouched
    assert not talk.leftovers(unsent=True).doubtful
    assert talk.leftovers(unsent=False).doubtful
    assert talk.next_block().startswith(b"MAIL FROM:<bounce+2@")


def test_a_message_whose_envelope_cannot_be_written_goes_back() -> None:
    broken = letter(1)._replace(message_id="\ud800@example.org")
    tray = Tray([broken])
    with pytest.raises(UnicodeError):
        ByData(tray, Terms(dsn=True), pipelining=True).next_block()
    assert (tray.out, tray.waiting) == (0, 1)


def test_dots_that_are_doubled_count_in_how_much_leaves_at_once() -> None:
    talk = WAYS["pipelining"](Tray([letter(1, raw=b".x\r\n" * 30_000), letter(2)]))
    talk.next_block()
    talk.answer_all([Reply(250, "ok"), Reply(250, "ok"), Reply(354, "go")])
    assert len(content := talk.next_block()) == 150_003
    assert content.endswith(b"..x\r\n.\r\n")


def test_a_window_opens_only_when_one_chunk_was_taken() -> None:
    talk = WAYS["chunks"](Tray(letters(10)))
    assert talk.next_block().count(b"BDAT") == 1
    assert talk.next_block() == b""
    for _ in range(3):
        talk.answer(Reply(250, "ok"))
    blocks = [talk.next_block() for _ in range(5)]
    assert [block.count(b"BDAT") for block in blocks] == [1, 1, 1, 1, 0]
    assert all(block.startswith(b"RSET\r\n") for block in blocks[:4])


def test_after_a_stop_nothing_more_is_handed_over() -> None:
    talk = WAYS["pipelining"](Tray(letters(3)))
    talk.next_block()
    for reply in (Reply(250, "ok"), Reply(250, "ok"), Reply(354, "go")):
        talk.answer(reply)
    assert b"bounce+2@" in talk.next_block()
    for reply in (Reply(552, "5.3.4 too big"), Reply(250, "ok"), Reply(250, "ok"), Reply(354, "go")):
        talk.answer(reply)
    assert talk.stop is not None
    assert talk.stop.delivery == 1
    assert talk.next_block() == b""
    assert talk.finished
    assert [one.delivery for one in talk.leftovers(unsent=False).untouched] == [2]


@pytest.mark.parametrize("way", WAYS)
def test_a_halted_dialogue_waits_only_for_what_was_handed_over(way: str) -> None:
    talk = WAYS[way](Tray(letters(3)))
    talk.next_block()
    talk.halt()
    assert talk.finished == (way != "chunks")
    assert talk.next_block() == b""


@pytest.mark.parametrize("way", ["pipelining", "plain"])
def test_one_command_at_a_time_where_the_server_does_not_pipeline(way: str) -> None:
    talk = WAYS[way](Tray([letter(1)]))
    assert talk.next_block().count(b"\r\n") == (3 if way == "pipelining" else 1)


def test_an_answer_to_nothing_is_out_of_step() -> None:
    with pytest.raises(OutOfStepError, match="an answer to nothing"):
        WAYS["plain"](Tray([])).answer(Reply(250, "what?"))
    with pytest.raises(ClosingError):
        WAYS["plain"](Tray([])).answer(Reply(421, "idle"))


@pytest.mark.parametrize("way", ["chunks", "pipelining"])
def test_a_server_that_closes_instead_of_resetting_took_nothing_that_stood_behind(way: str) -> None:
    """It may say so the moment a new transaction is on its way: its idle time was over, or its session."""
    tray = Tray(letters(3))
    talk = WAYS[way](tray)
    talk.next_block()
    # The first recipient is refused, so that the next transaction begins with RSET.
    for code in (250, 550, 554):
        talk.answer(Reply(code, "5.1.1 nobody" if code > 500 else ""))
    assert talk.next_block().startswith(b"RSET")
    with pytest.raises(ClosingError):
        talk.answer(Reply(421, "4.4.2 idle for too long"))
    leftovers = talk.leftovers(unsent=False)
    assert leftovers.doubtful == ()
    assert [one.delivery for one in leftovers.untouched] == [2]


lines = st.lists(st.sampled_from((b"", b".", b"..", b".x", b"x.", b"x", b". QUIT", b"..x")), max_size=12)


@given(lines=lines)
def test_whatever_lines_begin_with_arrives_as_it_was(lines: list[bytes]) -> None:
    raw = b"".join(line + b"\r\n" for line in (b"Subject: x", *lines))
    server = MemoryServer({})
    converse(WAYS["plain"](Tray([letter(1, raw=raw), letter(2)])), server)
    assert server.taken["reader1@example.org"] == raw
    assert set(server.taken) == {"reader1@example.org", "reader2@example.org"}


@pytest.mark.parametrize("end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n"])
def test_a_bare_line_end_before_a_dot_is_no_end_of_message(end: bytes) -> None:
    content = envelopes.content(letter(1, raw=b"one" + end + b"two\r\n"))
    assert b"".join(content) == b"one\r\n..\r\ntwo\r\n"


def test_a_message_known_to_need_no_stuffing_is_sent_as_it_is() -> None:
    talk = WAYS["plain"](Tray([letter(1)._replace(canonical=True)]))
    talk.next_block()
    for reply in (Reply(250, "ok"), Reply(250, "ok")):
        talk.answer(reply)
        talk.next_block()
    talk.answer(Reply(354, "go"))
    assert talk.next_block() == letter(1).raw + b".\r\n"
