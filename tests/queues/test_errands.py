"""An errand is run at the start, when somebody calls and when it asks to be; nothing that fails ends it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from newsletter.queues.errands import Errand

PATIENCE = 60.0
NEVER = timedelta(days=1)


class Job:
    """Counts how often it was done."""

    def __init__(self, rest: timedelta = NEVER) -> None:
        self.done = threading.Semaphore(0)
        self.before: Callable[[], None] = lambda: None
        self.rest = rest

    def __call__(self) -> timedelta:
        try:
            self.before()
        finally:
            self.done.release()
        return self.rest

    def was_done(self) -> bool:
        return self.done.acquire(timeout=PATIENCE)


@contextmanager
def running(job: Job, *, rest: timedelta = NEVER) -> Iterator[Errand]:
    errand = Errand(job, name="letters", rest=rest)
    errand.start()
    try:
        yield errand
    finally:
        errand.stop()


def test_it_begins_with_what_was_left_and_goes_on_when_called() -> None:
    job = Job()
    with running(job) as errand:
        assert job.was_done()
        errand.call()
        assert job.was_done()


def test_it_is_done_again_when_it_asks_to_be() -> None:
    job = Job(rest=timedelta(milliseconds=1))
    with running(job):
        assert all(job.was_done() for _ in range(3))


def test_calls_that_come_together_are_one_errand() -> None:
    job = Job()
    with running(job) as errand:
        assert job.was_done()
        for _ in range(100):
            errand.call()
        assert job.was_done()
    assert not job.done.acquire(blocking=False)


def test_a_job_that_fails_is_done_again_after_a_rest() -> None:
    job = Job()

    def fail() -> None:
        job.before = lambda: None
        raise RuntimeError("a bad day")

    job.before = fail
    with running(job, rest=timedelta(milliseconds=1)):
        assert job.was_done()
        assert job.was_done()


def test_whoever_calls_does_not_wait_for_a_job_that_hangs() -> None:
    job, released = Job(), threading.Event()
    job.before = lambda: _wait(released)
    with running(job) as errand:
        for _ in range(1000):
            errand.call()
        assert not job.done.acquire(blocking=False)
        released.set()
        assert job.was_done()


def test_a_call_before_the_start_is_not_lost_and_an_end_without_one_is_no_error() -> None:
    job = Job()
    errand = Errand(job, name="letters", rest=NEVER)
    errand.call()
    errand.start()
    assert job.was_done()
    errand.stop()
    Errand(job, name="letters", rest=NEVER).stop()


def _wait(released: threading.Event) -> None:
    assert released.wait(PATIENCE)
