"""Run the command line in this process, through its one public door."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from newsletter.cli import main


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
