"""The clock of a service: a thread with an event loop of its own, beside the public pages."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger
from apscheduler.triggers.interval import IntervalTrigger

from newsletter.domain import errors
from newsletter.sending import duty

_log = logging.getLogger(__name__)
#: Seconds between two looks into the ledger: retries that come due, and what other processes planned.
_LOOK = 5


class Clockwork:
    """Looks into the ledger every few seconds, and at the moment at which something comes due.

    Mailings are sent in this thread, so that pages keep answering.
    """

    def __init__(
        self,
        make_duty: Callable[[], duty.Duty],
        *,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    ) -> None:
        """Take what makes the duty, called in the clock's own thread, and its event loop; None: asyncio's."""
        self._make_duty, self._loop_factory = make_duty, loop_factory
        self._thread = threading.Thread(target=self._run, name="mailings", daemon=True)
        self._ready = threading.Event()
        self._failure: Exception | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._scheduler: Any = None

    def start(self) -> None:
        """Begin to look; what was left unfinished or came due meanwhile goes on at once.

        Raises:
            StoreError: the database does not have what is needed.
        """
        self._thread.start()
        self._ready.wait()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """Let senders finish what is in the air, then end the thread."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def every(self, trigger: Any, job: Callable[[], None], *, name: str) -> None:
        """Have something done by an APScheduler trigger, as by the cadence of the issues."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(
                lambda: self._scheduler.add_job(job, trigger, id=name, replace_existing=True)
            )

    # What each queue does in its own way

    async def _open(self) -> None:
        """Make ready, in the thread."""

    async def _pass_on(self, on_duty: duty.Duty) -> None:
        """Have what is due carried out."""
        raise NotImplementedError

    async def _close(self) -> None:
        """Leave, while senders are finishing."""

    # The thread

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=self._loop_factory) as runner:
                runner.run(self._serve())
        except Exception as error:
            self._failure = error
            if self._ready.is_set():
                _log.critical("mailings are not sent any more: %s", error, extra={"action": "clock"})
        finally:
            # Whoever waits for the start must not wait for ever when it failed.
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._duty = self._make_duty()
        await self._open()
        self._scheduler = AsyncIOScheduler(event_loop=self._loop, timezone="UTC")
        self._scheduler.add_job(
            self._look, IntervalTrigger(seconds=_LOOK), id="look", max_instances=1, coalesce=True
        )
        self._scheduler.start()
        await self._look()
        self._ready.set()
        await self._stop.wait()
        self._scheduler.shutdown(wait=False)
        await asyncio.gather(self._duty.stop(), self._close())

    async def _look(self) -> None:
        try:
            await self._pass_on(self._duty)
            for mailing in self._duty.scheduled():
                self._wake(f"mailing-{mailing.id}", mailing.due_at)
        except errors.StoreError as error:
            _log.warning("the ledger did not answer: %s", error, extra={"action": "look"})

    def _wake(self, name: str, at: datetime | None) -> None:
        # Without a grace time the scheduler would drop what came due while the loop was busy.
        self._scheduler.add_job(
            self._look,
            DateTrigger(run_date=at) if at else None,
            id=name,
            replace_existing=True,
            misfire_grace_time=None,
        )
