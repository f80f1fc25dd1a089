"""What the demo's steps are made of: typing a command, looking at a result, saying what was seen."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from newsletter.cli import output
from newsletter.domain import errors

_PATIENCE = 30.0


class DemoError(errors.NewsletterError):
    """A step of the demo did not hold."""


class Typist:
    """Types commands in a workspace as a person would, and shows what they print."""

    def __init__(self, workspace: Path, environment: Mapping[str, str]) -> None:
        self._workspace = workspace
        self._environment = {**os.environ, **environment, "NO_COLOR": "1"}

    def type(self, *arguments: str, exit_code: int = 0) -> str:
        """Run one command and return what it printed.

        Raises:
            DemoError: it ended with another exit code.
        """
        output.line(output.paint(f"  $ newsletter {_shown(arguments)}", output.DIM))
        done = subprocess.run(  # noqa: S603 - our own command with our own words
            self._command(arguments),
            cwd=self._workspace,
            env=self._environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=_PATIENCE * 2,
        )
        for each in done.stdout.rstrip().splitlines():
            output.line(f"    {each}")
        if done.returncode != exit_code:
            raise DemoError(
                f"`newsletter {_shown(arguments)}` ended with {done.returncode}: {done.stderr.strip()}"
            )
        return done.stdout

    @contextmanager
    def running(self, *arguments: str, answers: str) -> Iterator[None]:
        """Run a service while the block runs, from the moment that the URL ``answers`` does.

        Raises:
            DemoError: it did not come up.
        """
        output.line(output.paint(f"  $ newsletter {_shown(arguments)} &", output.DIM))
        with (self._workspace / "serve.log").open("wb") as log:
            process = subprocess.Popen(  # noqa: S603 - our own command with our own words
                self._command(arguments), cwd=self._workspace, env=self._environment, stdout=log, stderr=log
            )
        try:
            _await(answers, process)
            yield
        finally:
            process.terminate()
            process.wait(timeout=_PATIENCE)

    def _command(self, arguments: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "newsletter", *arguments]


def fetch(url: str, *, body: bytes | None = None) -> tuple[int, str, Mapping[str, str]]:
    """Ask for a page, or post to it, and return status, text and headers; a redirect is not followed."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"} if body is not None else {}
    request = urllib.request.Request(url, data=body, headers=kind)  # noqa: S310 - http on loopback
    opener = urllib.request.build_opener(_NoRedirect)
    try:
        with opener.open(request, timeout=_PATIENCE) as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), dict(error.headers)


def expect(held: bool, what: str) -> None:
    """Say that something holds.

    Raises:
        DemoError: it does not.
    """
    if not held:
        raise DemoError(f"this does not hold: {what}")
    output.line(f"  {output.paint('✓', output.GREEN)} {what}")


def expect_soon(holds: Callable[[], bool], what: str, *, patience: float = _PATIENCE) -> None:
    """Say that something holds, once it does: a service answers first, and mails afterwards.

    Raises:
        DemoError: it does not within so many seconds.
    """
    deadline = time.monotonic() + patience
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.05)
    expect(holds(), what)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def _await(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if fetch(url)[0] == 200:
                return
        except OSError:
            time.sleep(0.05)
    raise DemoError(f"the service did not answer at {url}", hint="serve.log in the workspace says why")


def _shown(arguments: Sequence[str]) -> str:
    return " ".join(f'"{each}"' if " " in each else each for each in arguments)
