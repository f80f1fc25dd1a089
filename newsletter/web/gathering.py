"""What many ask for at the same time, done at once: while one batch is written, the next one gathers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

_Wish = TypeVar("_Wish")
_Outcome = TypeVar("_Outcome")
#: Wishes of one transaction.
_MOST = 200
#: Seconds to wait, when some came together, for those on their way: one alone costs as much as ten together.
_PAUSE = 0.001


class Gathering(Generic[_Wish, _Outcome]):
    """Hands wishes over in batches, in the order they came; whoever asks waits for their own outcome."""

    def __init__(self, work: Callable[[Sequence[_Wish]], Sequence[_Outcome]]) -> None:
        self._work = work
        self._waiting: list[tuple[_Wish, asyncio.Future[_Outcome]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, wish: _Wish) -> _Outcome:
        """Have a wish done, and return what came of it; an error of the batch is everybody's in it."""
        outcome: asyncio.Future[_Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((wish, outcome))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._drain())
        return await outcome

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
            try:
                wishes = [wish for wish, _ in batch]
                outcomes = await asyncio.get_running_loop().run_in_executor(None, self._work, wishes)
            except BaseException as error:
                for _, waiting in batch:
                    if not waiting.done():
                        waiting.set_exception(error)
                if not isinstance(error, Exception):
                    raise
                continue
            for (_, waiting), outcome in zip(batch, outcomes, strict=True):
                if not waiting.done():
                    waiting.set_result(outcome)
            if len(batch) > 1:
                await asyncio.sleep(_PAUSE)
