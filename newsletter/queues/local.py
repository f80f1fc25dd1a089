"""The queue of a single service: a clock in a thread of its own, beside the public pages."""

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


class LocalQueue:
    """`ports.Queue` of one process. The ledger knows what is due; this only wakes up in time.

    A mailing is sent in a thread with an event loop of its own, so that pages keep answering.
    """

    def __init__(self, make_duty: Callable[[], duty.Duty]) -> None:
        """Take what makes the duty; it is called in the queue's own thread."""
        self._make_duty = make_duty
        self._thread = threading.Thread(target=self._run, name="mailings", daemon=True)
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._scheduler: Any = None
        self._duty: duty.Duty | None = None

    def start(self) -> None:
        """Begin to look; what was left unfinished or came due meanwhile goes on at once."""
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        """Let senders finish what is in the air, then end the thread."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def put(self, mailing: int, *, at: datetime | None = None) -> None:
        """Have a mailing sent at a time, or now."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake, f"mailing-{mailing}", at)

    def every(self, trigger: Any, job: Callable[[], None], *, name: str) -> None:
        """Have something done by an APScheduler trigger, as by the cadence of the issues."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(
                lambda: self._scheduler.add_job(job, trigger, id=name, replace_existing=True)
            )

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        finally:
            # Whoever waits for the start must not wait for ever when it failed.
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        self._duty = self._make_duty()
        self._scheduler = AsyncIOScheduler(event_loop=self._loop, timezone="UTC")
        self._scheduler.add_job(
            self._look, IntervalTrigger(seconds=_LOOK), id="look", max_instances=1, coalesce=True
        )
        self._scheduler.start()
        await self._look()
        self._ready.set()
        await self._stop.wait()
        self._scheduler.shutdown(wait=False)
        await self._duty.stop()

    async def _look(self) -> None:
        assert self._duty is not None
        try:
            self._duty.look()
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
