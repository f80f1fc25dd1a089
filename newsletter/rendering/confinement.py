"""Renders of a workspace's own templates, in a process of their own that can be stopped.

A template is a program, and no reading of it says whether it ends: loops inside loops, macros that double a
text, a filter that pads to a thousand million blanks. The packaged templates are known, rendered in place.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from newsletter.domain import errors

#: Seconds of processor time that one render may take; the first takes a third of one, any other a hundredth.
SECONDS = 3.0
#: Bytes of memory that the process may have.
MEMORY = 1_000_000_000
#: Seconds after which the process is ended from outside, should it not have ended itself.
_PATIENCE = 30
#: Seconds for a process that has said its last word to end by itself.
_LAST_BREATH = 5
_HINT = "look for loops inside loops, macros that call themselves, and filters that make texts longer"
_Parameters = ParamSpec("_Parameters")
_Result = TypeVar("_Result")


def run(
    job: Callable[_Parameters, _Result], /, *values: _Parameters.args, **named: _Parameters.kwargs
) -> _Result:
    """Do a job of a module elsewhere: same values, same result, and never a hang.

    Raises:
        RenderError: the job raised one, took too long or too much memory, or broke the process down.
    """
    with _LOCK:
        return _worker().ask((SECONDS, job, values, named))  # type: ignore[no-any-return]  # pickled by the job


class _Worker:
    """The other process; it does one job after the other."""

    def __init__(self) -> None:
        # -P: a module that lies in the workspace is no module of ours.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "newsletter.rendering.confined"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": _search_path()},
        )

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, request: Any) -> Any:
        assert self._process.stdin
        assert self._process.stdout
        timer = threading.Timer(_PATIENCE, self._process.kill)
        timer.start()
        try:
            pickle.dump(request, self._process.stdin)
            self._process.stdin.flush()
            kind, answer = pickle.load(self._process.stdout)  # noqa: S301  (from our own process)
        except (EOFError, BrokenPipeError, pickle.UnpicklingError):
            raise errors.RenderError(self._obituary(), hint=_HINT) from None
        except BaseException:
            self.stop()
            raise
        finally:
            timer.cancel()
        if kind == "done":
            return answer
        message, hint = answer
        if kind == "overrun":
            self.stop()
            hint = _HINT
        raise errors.RenderError(message, hint=hint)

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.communicate()

    def _obituary(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_LAST_BREATH)
        self.stop()
        code = self._process.returncode
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"the templates of this workspace broke the renderer down ({how})"


_LOCK = threading.Lock()
_workers: list[_Worker] = []


def _worker() -> _Worker:
    """Return the process, which is started when there is something to do."""
    if _workers and _workers[0].is_alive:
        return _workers[0]
    end()
    _workers.append(_Worker())
    return _workers[0]


@atexit.register
def end() -> None:
    """End the process, if there is one."""
    while _workers:
        _workers.pop().stop()


def _search_path() -> str:
    """Return where Python looks for modules, the folder of this package first."""
    ours = str(Path(__file__).resolve().parents[2])
    return os.pathsep.join(filter(None, [ours, os.environ.get("PYTHONPATH", "")]))
