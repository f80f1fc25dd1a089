"""A call reaches the provider whole, however long it is."""

from __future__ import annotations

import json
from collections import deque
from typing import Any

import pytest

from newsletter.providers import answers, carriers
from newsletter.providers.answers import Answer, Call
from tests.providers.apis.harness import Asked, Told, serving


class Ear:
    """Takes whatever comes."""

    def __init__(self) -> None:
        self.faults: deque[Told] = deque()
        self.taken: list[str] = []
        self.heard: list[Asked] = []

    def answer(self, asked: Asked) -> Told:
        self.heard.append(asked)
        return Told(200, {})


@pytest.mark.parametrize("size", [0, 1, carriers._PIECE, carriers._PIECE + 1, 3 * carriers._PIECE + 7])
async def test_a_call_of_any_length_arrives_whole_and_with_its_length(size: int) -> None:
    ear, content = Ear(), bytes(index % 251 for index in range(size))
    with serving(ear) as url:
        async with carriers.HttpxCarrier(connections=1, timeout=30, verify=True) as carrier:
            # Twice: what is read once must not be gone for the next call.
            call = Call(url=f"{url}/messages", headers={"Content-Type": "text/plain"}, content=content)
            for _ in range(2):
                answer = await carrier.ask(call)
                assert isinstance(answer, Answer)
                assert answer.ok
    assert [each.body for each in ear.heard] == [content, content]
    for each in ear.heard:
        # Not every vendor's edge takes a chunked body.
        assert "transfer-encoding" not in each.headers
        assert each.headers["content-length"] == str(size)


def test_a_list_is_the_same_json_as_in_one_go() -> None:
    items: list[dict[str, Any]] = [{"name": "Åsa 🙂", "lines": 'a\n"b"'}, {}, {"n": 1}]
    written = answers.json_list(items)
    assert json.loads(written) == items
    assert "Åsa 🙂".encode() in written
    assert json.loads(answers.json_list([])) == []
