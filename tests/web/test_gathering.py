"""Wishes that come together are done together, and nobody gets another's outcome."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from newsletter.web.gathering import Gathering


async def test_what_comes_while_a_batch_is_at_work_becomes_the_next_batch_in_order() -> None:
    batches: list[list[int]] = []
    go = threading.Event()

    def work(wishes: Sequence[int]) -> list[int]:
        batches.append(list(wishes))
        go.wait()
        return [-wish for wish in wishes]

    gathering = Gathering(work)
    asked = [asyncio.ensure_future(gathering.ask(0))]
    while not batches:
        await asyncio.sleep(0)
    asked += [asyncio.ensure_future(gathering.ask(wish)) for wish in range(1, 50)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*asked) == [-wish for wish in range(50)]
    assert batches == [[0], list(range(1, 50))]


async def test_an_error_reaches_everybody_of_its_batch_and_nobody_after() -> None:
    fails = True

    def work(wishes: Sequence[int]) -> list[int]:
        if fails:
            raise OSError("disk")
        return list(wishes)

    gathering = Gathering(work)
    outcomes = await asyncio.gather(*(gathering.ask(n) for n in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OSError] * 3
    fails = False
    assert await gathering.ask(7) == 7


async def test_who_gives_up_waiting_keeps_nobody_else_from_their_outcome() -> None:
    go = threading.Event()

    def work(wishes: Sequence[int]) -> list[int]:
        go.wait()
        return list(wishes)

    gathering = Gathering(work)
    one, two = (asyncio.ensure_future(gathering.ask(n)) for n in (1, 2))
    await asyncio.sleep(0)
    one.cancel()
    go.set()
    assert await two == 2
    with pytest.raises(asyncio.CancelledError):
        await one
