"""A million inputs for what reads a stranger's bytes: replies, dot-stuffing, the dialogue."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from newsletter.domain.replies import Reply
from newsletter.domain.verdicts import Kind
from newsletter.providers.smtp import envelopes
from newsletter.providers.smtp.dialogue import ClosingError, OutOfStepError
from newsletter.providers.smtp.reading import ReplyError, ReplyReader
from newsletter.providers.tray import Tray
from tests.providers.letters import letter, letters
from tests.providers.test_smtp_dialogue import REFUSALS, WAYS, MemoryServer, converse

pytestmark = pytest.mark.soak

_CODES = (220, 235, 250, 250, 250, 334, 354, 354, 421, 450, 451, 500, 503, 550, 552, 554)
_TEXTS = ("", "2.0.0 Ok", "5.1.1 nobody", "4.2.1 busy", "ä ✓", "x" * 300)
_PIECES = (
    b".",
    b"..",
    b"\r\n",
    b"\r\n.",
    b"\r\n.\r\n",
    b"\n",
    b"\r",
    b"a",
    b"DATA",
    b"\r\n.\r\nMAIL",
    b"\xff",
    b"\0",
)
#: What one server or another takes for the end of a message.
_END = re.compile(rb"(?:\r\n|\r|\n)\.(?:\r\n|\r|\n)")


def seeds(count: int) -> Iterator[random.Random]:
    """Give a generator of its own to each input, so that any one can be had again by its number."""
    for seed in range(count):
        yield random.Random(seed)


def written(rng: random.Random) -> tuple[bytes, Reply]:
    code, lines = rng.choice(_CODES), [rng.choice(_TEXTS) for _ in range(rng.choice((1, 1, 1, 2, 5)))]
    firsts = "".join(f"{code}-{line}\r\n" for line in lines[:-1])
    return f"{firsts}{code} {lines[-1]}\r\n".encode(), Reply(code, "\n".join(lines))


def pieces(rng: random.Random, stream: bytes) -> Iterator[bytes]:
    while stream:
        cut = rng.choice((1, 2, 7, 50, len(stream)))
        yield stream[:cut]
        stream = stream[cut:]


def test_500_000_streams_of_replies_cut_anywhere_are_read_as_they_were_written() -> None:
    for rng in seeds(500_000):
        sent = [written(rng) for _ in range(rng.randint(1, 4))]
        reader = ReplyReader()
        read = [one for piece in pieces(rng, b"".join(raw for raw, _ in sent)) for one in reader.feed(piece)]
        assert read == [reply for _, reply in sent]


def test_250_000_spoilt_streams_are_replies_or_errors_and_nothing_else() -> None:
    errors = 0
    for rng in seeds(250_000):
        stream = bytearray(b"".join(written(rng)[0] for _ in range(3)))
        for _ in range(rng.randint(1, 4)):
            stream[rng.randrange(len(stream))] = rng.randrange(256)
        reader = ReplyReader()
        try:
            for piece in pieces(rng, bytes(stream)):
                for reply in reader.feed(piece):
                    assert 200 <= reply.code <= 599
                    assert "\r" not in reply.text
        except ReplyError:
            errors += 1
    assert errors > 100_000


def test_200_000_messages_cannot_end_before_their_end() -> None:
    for rng in seeds(200_000):
        raw = b"".join(rng.choices(_PIECES, k=rng.randint(0, 12)))
        content = b"".join((*envelopes.content(letter(1, raw=raw)), b".\r\n"))
        assert [one.start() for one in _END.finditer(b"\r\n" + content)] == [len(content) - 3]
        unstuffed = (b"\r\n" + content[:-3]).replace(b"\r\n.", b"\r\n")[2:]
        lines = raw.splitlines()
        # What does not end with CRLF is given one.
        assert unstuffed.splitlines() in (lines, [*lines, b""])


@pytest.mark.parametrize("way", WAYS)
def test_10_000_conversations_give_each_message_its_own_verdict(way: str) -> None:
    for rng in seeds(10_000):
        wills = {str(n): rng.choice(sorted(REFUSALS)) for n in range(1, 21) if rng.random() < 0.4}
        tray, server = Tray(letters(20)), MemoryServer(dict(wills))
        converse(WAYS[way](tray), server, [rng.choice((1, 3, 20, 500)) for _ in range(40)])
        for receipt in tray.receipts:
            will = wills.get(str(receipt.delivery), "")
            refused = will and (will != "DATA" or way != "chunks")
            assert (receipt.verdict.kind is not Kind.ACCEPTED) == bool(refused)
        assert len(tray.receipts) == 20


@pytest.mark.parametrize("way", WAYS)
def test_10_000_hostile_servers_lose_nobody(way: str) -> None:
    for rng in seeds(10_000):
        tray = Tray(letters(10))
        talk = WAYS[way](tray)
        try:
            for _ in range(60):
                talk.next_block()
                talk.answer(Reply(rng.choice(_CODES), rng.choice(_TEXTS)))
        except (OutOfStepError, ClosingError):
            pass
        left = talk.leftovers(unsent=rng.random() < 0.5)
        named = [one.delivery for one in (*left.doubtful, *left.untouched)]
        assert len(named) == len(set(named)) == tray.out
