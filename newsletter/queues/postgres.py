"""The queue of many machines: a job is one process's share of a mailing, and procrastinate hands them out.

The ledger stays the truth. Every process looks into it as one that is alone does, and puts a job into the
queue where it used to begin itself: so a job that is lost, or stuck with a machine that died, is replaced.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

import psycopg
import psycopg_pool
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector, exceptions, jobs, retry, tasks
from procrastinate.worker import Worker

from newsletter.domain import errors
from newsletter.domain.deliveries import Mailing
from newsletter.queues import schema
from newsletter.queues.clockwork import Clockwork
from newsletter.sending import duty

_log = logging.getLogger(__name__)
_QUEUE = "mailings"
_SHARE = "share"
#: Mailings that a process sends at the same time, at most.
_CONCURRENCY = 16
#: Seconds after which a worker that gave no sign of life is taken for dead, and between its signs.
_STALLED, _BEAT = 30.0, 10.0
#: Seconds after which a job whose process cannot take it is offered again, to whoever comes first.
_ELSEWHERE = 2
#: Seconds between two looks for jobs whose time came, at least and at most; those for now are told at once.
#: Each process has a rhythm of its own: with the same one, whoever is at a mailing already might be the first
#: at its next share again and again.
_POLL = (0.5, 1.5)
#: Seconds after which a worker is started anew that lost the database.
_AGAIN = 2.0

_ALIVE = (
    "SELECT id FROM procrastinate_workers WHERE last_heartbeat > now() - make_interval(secs => %(seconds)s)"
)
_TROUBLE = (psycopg.Error, psycopg_pool.PoolTimeout, exceptions.ProcrastinateException)


class _BusyError(Exception):
    """This process cannot take the job; another may."""


class _Elsewhere(retry.BaseRetryStrategy):
    """Offers a job again that came to the wrong process."""

    def get_retry_decision(self, *, exception: BaseException, job: jobs.Job) -> retry.RetryDecision | None:
        if not isinstance(exception, _BusyError):
            return None
        return retry.RetryDecision(retry_in={"seconds": _ELSEWHERE})


class PostgresQueue(Clockwork):
    """`ports.Queue` of all processes that share one PostgreSQL database."""

    def __init__(
        self,
        conninfo: str,
        make_duty: Callable[[], duty.Duty],
        *,
        senders: int,
        rng: random.Random,
        loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    ) -> None:
        """Take how many processes may share a mailing, at most."""
        super().__init__(make_duty, loop_factory=loop_factory)
        self._conninfo, self._senders, self._rng = conninfo, senders, rng
        # Its methods carry no types.
        self._worker: Any = None
        self._working: asyncio.Task[None] | None = None

    def put(self, mailing: int, *, at: datetime | None = None) -> None:
        """Have a mailing sent at a time, or now, by whichever process comes first.

        Raises:
            StoreError: the database cannot be reached.
        """
        connector = SyncPsycopgConnector(
            conninfo=self._conninfo, kwargs=_connection(), min_size=1, max_size=1
        )
        try:
            with App(connector=connector).open() as app, contextlib.suppress(exceptions.AlreadyEnqueued):
                seat = _seat(mailing, 0)
                share = app.configure_task(
                    _SHARE, queue=_QUEUE, lock=seat, queueing_lock=seat, schedule_at=at
                )
                share.defer(mailing=mailing)
        except _TROUBLE as error:
            raise _said(error) from error

    # What the clock calls

    async def _open(self) -> None:
        schema.require_current(self._conninfo)
        self._app = App(
            connector=PsycopgConnector(conninfo=self._conninfo, min_size=1, max_size=4, kwargs=_connection())
        )
        self._task: tasks.Task[Any, Any, Any] = self._app.task(name=_SHARE, queue=_QUEUE, retry=_Elsewhere())(
            self._take
        )
        try:
            await self._app.open_async()
        except _TROUBLE as error:
            raise _said(error) from error
        self._working = asyncio.create_task(self._work())

    async def _pass_on(self, on_duty: duty.Duty) -> None:
        waiting = on_duty.waiting()
        try:
            alive = await self._alive()
            await self._bury()
            for mailing in waiting:
                await self._offer(mailing, on_duty.at_work(mailing), alive)
        except _TROUBLE as error:
            raise _said(error) from error

    async def _close(self) -> None:
        """Leave the jobs to others at once; the senders of this process finish what is in the air."""
        working, self._working = self._working, None
        if self._worker is not None:
            self._worker.stop()
        if working is not None:
            working.cancel()
            with contextlib.suppress(asyncio.CancelledError, *_TROUBLE):
                await working
        await self._app.close_async()

    # Jobs

    async def _take(self, mailing: int) -> None:
        """Take a share of a mailing: carry it out, until this process is done with its part."""
        try:
            taken = await self._duty.join(mailing)
        except errors.NewsletterError as error:
            _log.warning("a share of a mailing was not taken: %s", error, extra={"action": "share"})
            return
        if not taken:
            raise _BusyError

    async def _offer(self, mailing: Mailing, at_work: int, alive: int) -> None:
        """Put in as many shares of a mailing as there are processes for it."""
        there = await self._app.job_manager.list_jobs_async(queue=_QUEUE, task=_SHARE)
        mine = {one.queueing_lock: one.status for one in there}
        seats = [_seat(mailing.id, place) for place in range(min(self._senders, alive))]
        free = [seat for seat in seats if seat not in mine]
        offered = sum(mine.get(seat) == jobs.Status.TODO.value for seat in seats)
        for seat in free[: max(0, len(seats) - at_work - offered)]:
            # Another process may have looked at the same moment.
            with contextlib.suppress(exceptions.AlreadyEnqueued):
                await self._task.configure(lock=seat, queueing_lock=seat).defer_async(mailing=mailing.id)

    async def _bury(self) -> None:
        """Remove the jobs of workers that died: procrastinate leaves them as being done, for ever."""
        stalled = await self._app.job_manager.get_stalled_jobs(queue=_QUEUE, seconds_since_heartbeat=_STALLED)
        for job in stalled:
            _log.warning("a worker died with %s", job.call_string, extra={"action": "bury"})
            # Another process may have been first.
            with contextlib.suppress(exceptions.ConnectorException):
                await self._app.job_manager.finish_job(job, jobs.Status.FAILED, delete_job=True)

    async def _alive(self) -> int:
        """Count the workers that live, this one among them; start it anew where it only believes so.

        Without periodic tasks procrastinate does not notice that its own heartbeat failed.
        """
        rows = await self._app.connector.execute_query_all_async(_ALIVE, seconds=_STALLED)
        alive = {row["id"] for row in rows}
        worker = self._worker
        if worker is not None and worker.worker_id is not None and worker.worker_id not in alive:
            worker.stop()
        return max(1, len(alive))

    async def _work(self) -> None:
        """Run a worker, and another one whenever it ends for want of the database."""
        while True:
            self._worker = Worker(
                self._app,
                queues=[_QUEUE],
                concurrency=_CONCURRENCY,
                fetch_job_polling_interval=self._rng.uniform(*_POLL),
                # The sender goes on although its job is broken off: it drains by itself.
                shutdown_graceful_timeout=0,
                delete_jobs="always",
                install_signal_handlers=False,
                update_heartbeat_interval=_BEAT,
                stalled_worker_timeout=_STALLED,
            )
            try:
                await self._worker.run()
            except _TROUBLE as error:
                _log.warning("%s", _said(error), extra={"action": "work"})
            if self._working is None:
                return
            await asyncio.sleep(_AGAIN)


def _said(error: Exception) -> errors.StoreError:
    return errors.StoreError(
        f"the queue in PostgreSQL did not answer: {' '.join(str(error).split())}",
        hint="is the server up? `newsletter doctor` looks at the queue's tables",
    )


def _connection() -> dict[str, Any]:
    return {"options": schema.OPTIONS, "connect_timeout": 10, "application_name": "newsletter queue"}


def _seat(mailing: int, place: int) -> str:
    """Return the lock that keeps a share from being put in twice, or done twice at the same time."""
    return f"mailing-{mailing}/{place}"
