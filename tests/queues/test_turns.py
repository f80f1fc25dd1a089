"""What is done every so often is done once, however many processes have a clock."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from newsletter import wiring
from tests.cli import mailings

_YEAR = timedelta(days=366)


@pytest.mark.parametrize("kind", ["sqlite", "postgres_url"])
def test_a_job_is_done_once_by_all_processes_together(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    if kind != "sqlite":
        monkeypatch.setenv("NEWSLETTER_DATABASE__URL", request.getfixturevalue(kind))
    houses = [mailings.make(tmp_path), *(wiring.build(tmp_path) for _ in range(2))]
    done: list[str] = []
    for house in houses:
        house.in_turn("rounds", _YEAR, lambda: done.append("rounds"))()
        house.in_turn("bounces", _YEAR, lambda: done.append("bounces"))()
        house.close()
    assert done == ["rounds", "bounces"]
