"""Run the command line in this process, through its one public door."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from newsletter import wiring
from newsletter.cli import main
from tests.cli import mailings
from tests.cli.mailings import Postbox


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one command line came to."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Result]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """`run("issue", "list")` → its exit code and what it printed."""

    def call(*arguments: object) -> Result:
        with pytest.raises(SystemExit) as left:
            main.run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Result(code=int(left.value.code or 0), out=out, err=err)

    return call


class House(NamedTuple):
    """A workspace, its commands, and how to open a mail server for it."""

    app: wiring.App
    run: Run
    serve: Callable[..., Postbox]

    def mail(self, *words: object) -> Result:
        return self.run("-C", self.app.workspace.root, "mailing", *words)


@pytest.fixture
def house(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    app = mailings.make(tmp_path)
    with ExitStack() as stack:

        def serve(**replies: Sequence[str]) -> Postbox:
            postbox, port = stack.enter_context(mailings.serving(replies))
            # The way in for a port that is only known now.
            monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", str(port))
            return postbox

        yield House(app, run, serve)
    app.ledger.close()  # type: ignore[attr-defined]  # the stored ledger holds a connection
    app.database.close()
