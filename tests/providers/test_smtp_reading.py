"""The reader of replies: any split, no nonsense."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.domain.replies import Reply
from newsletter.providers.smtp import reading
from newsletter.providers.smtp.reading import ReplyError, ReplyReader

words = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), max_size=60)
codes = st.integers(200, 599)
whole_replies = st.builds(
    lambda code, lines: Reply(code, "\n".join(lines)), codes, st.lists(words, min_size=1, max_size=5)
)


def written(reply: Reply) -> bytes:
    """Write a reply as a server does."""
    *firsts, last = reply.text.split("\n")
    lines = [f"{reply.code}-{line}\r\n" for line in firsts] + [f"{reply.code} {last}\r\n"]
    return "".join(lines).encode()


@given(st.lists(whole_replies, max_size=6), st.lists(st.integers(1, 40), max_size=40))
def test_a_stream_cut_anywhere_gives_the_same_replies(sent: list[Reply], cuts: list[int]) -> None:
    stream = b"".join(written(reply) for reply in sent)
    reader, read = ReplyReader(), list[Reply]()
    for cut in cuts:
        piece, stream = stream[:cut], stream[cut:]
        read += reader.feed(piece)
    read += reader.feed(stream)
    assert read == sent
    assert not reader.pending


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_whatever_comes_is_a_reply_or_an_error(pieces: list[bytes]) -> None:
    reader = ReplyReader()
    try:
        for piece in pieces:
            for reply in reader.feed(piece):
                assert 200 <= reply.code <= 599
                assert "\r" not in reply.text
    except ReplyError:
        pass


#: What a server answers to a whole message and the envelope behind it, and what may be wrong with it.
ROUND = b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go on\r\n"
fragments = st.sampled_from(
    (
        b"250 2.0.0 Ok: queued as 4Xy\r\n",
        b"250 2.0.0 Ok: queued as 5Zz\r\n",
        b"250-several\r\n",
        b"550-no\r\n",
        b"354 go on\r\n",
        b"250\r\n",
        b"250 na\xc3\xafve\r\n",
        b"250 tab\there\r\n",
        b"250 \xff\r\n",
        b"250 nul\0\r\n",
        b"250 " + b"x" * reading.MOST_IN_LINE + b"\r\n",
        b"250 torn",
        b"\r\n",
        b"nonsense\r\n",
    )
)
#: Rounds often enough for the reader to meet them right behind each other.
readings = st.lists(
    st.lists(st.one_of(fragments, st.just(ROUND), st.just(ROUND)), min_size=1, max_size=3).map(b"".join),
    max_size=8,
)


def understood(pieces: Iterable[bytes]) -> tuple[list[Reply], bool, bool]:
    """Feed a reader; return the replies, whether all were some, and whether part of one is left."""
    reader, read = ReplyReader(), list[Reply]()
    try:
        for piece in pieces:
            read += reader.feed(piece)
    except ReplyError:
        return read, False, False
    return read, True, reader.pending


@given(readings)
def test_what_came_before_changes_nothing_in_how_a_stream_is_understood(pieces: list[bytes]) -> None:
    stream = b"".join(pieces)
    singly, *expected = understood(stream[at : at + 1] for at in range(len(stream)))
    together, *found = understood(pieces)
    assert found == expected
    # What is read together with nonsense is lost with it.
    assert together == singly[: len(together)]
    assert len(together) == len(singly) or not found[0]


@pytest.mark.parametrize(
    "first",
    [b"25x no", b"250:no", b"250 nul\0", b"250 lone\rreturn", b"", b"250 " + b"x" * 4096, b"550-no"],
)
def test_a_first_line_that_is_no_reply_is_an_error_before_the_usual_others_too(first: bytes) -> None:
    reader = ReplyReader()
    for number in range(3):
        assert len(reader.feed(b"250 queued as %d\r\n" % number + ROUND)) == 4
    with pytest.raises(ReplyError):
        reader.feed(first + b"\r\n" + ROUND)


def test_an_empty_line_behind_a_reply_is_an_error() -> None:
    with pytest.raises(ReplyError):
        ReplyReader().feed(b"250 ok\r\n\r\n")


def test_a_reply_of_several_lines_takes_one_of_the_usual_others_for_its_last() -> None:
    reader = ReplyReader()
    reader.feed(b"250 queued as 1\r\n" + ROUND)
    assert reader.feed(b"250-queued\r\n" + ROUND) == [
        Reply(250, "queued\n2.1.0 Ok"),
        Reply(250, "2.1.5 Ok"),
        Reply(354, "go on"),
    ]
    assert not reader.pending


def test_the_last_line_of_a_reply_stays_a_reply_where_it_stands_alone() -> None:
    reader = ReplyReader()
    for _ in range(2):
        assert len(reader.feed(b"250-queued\r\n" + ROUND)) == 3
        assert len(reader.feed(b"250 queued\r\n" + ROUND)) == 4


def test_half_a_reply_behind_the_usual_ones_is_not_lost() -> None:
    reader = ReplyReader()
    for _ in range(3):
        assert len(reader.feed(b"250 queued\r\n" + ROUND + b"25")) == 4
        assert reader.pending
        assert reader.feed(b"0 ok\r\n") == [Reply(250, "ok")]


@pytest.mark.parametrize(
    "stream",
    [
        b"250 a\r\n 250 b\r\n",
        b"250-a\r\n251 b\r\n",
        b"25x no\r\n",
        b"250:no\r\n",
        b"2500 no\r\n",
        b"250 nul\0\r\n",
        b"250 lone\rreturn\r\n",
        b"150 no such family\r\n",
        b"600 no such family\r\n",
        b"\xff\xff\xff ok\r\n",
    ],
)
def test_what_is_no_reply_is_an_error(stream: bytes) -> None:
    with pytest.raises(ReplyError):
        ReplyReader().feed(stream)


def test_a_code_alone_is_a_reply() -> None:
    assert ReplyReader().feed(b"250\r\n") == [Reply(250, "")]


def test_a_line_without_end_is_an_error_long_before_memory_is_gone() -> None:
    reader = ReplyReader()
    for _ in range(4):
        reader.feed(b"x" * 1000)
    with pytest.raises(ReplyError, match="a line of more than 4096 bytes"):
        reader.feed(b"x" * 1000)


def test_a_reply_without_end_is_an_error() -> None:
    reader = ReplyReader()
    reader.feed(b"250-more\r\n" * (reading.MOST_LINES - 1))
    with pytest.raises(ReplyError, match="more than 128 lines"):
        reader.feed(b"250-more\r\n")


def test_a_line_that_was_read_before_is_understood_again_in_the_middle_of_a_reply() -> None:
    reader = ReplyReader()
    assert reader.feed(b"250 Ok\r\n") == [Reply(250, "Ok")]
    assert reader.feed(b"250-first\r\n250 Ok\r\n") == [Reply(250, "first\nOk")]
    with pytest.raises(ReplyError, match="two codes"):
        reader.feed(b"550-first\r\n250 Ok\r\n")


def test_the_replies_it_keeps_do_not_grow_for_ever() -> None:
    reader = ReplyReader()
    for number in range(10_000):
        reader.feed(b"250 queued as %d\r\n" % number)
    assert len(reader._kept) <= 256


def test_half_a_reply_is_pending() -> None:
    reader = ReplyReader()
    for part in (b"25", b"0-a", b"\r\n"):
        reader.feed(part)
        assert reader.pending
    reader.feed(b"250 b\r\n")
    assert not reader.pending
