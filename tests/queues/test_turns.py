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


def test_what_a_reader_writes_is_handed_on_once_by_all_processes_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_DELIVERY__PROVIDER", "outbox")
    for name in ("new", "cur", "tmp"):
        (tmp_path / "post" / name).mkdir(parents=True)
    more = f'[bounces]\nmailbox = "maildir:{tmp_path / "post"}"\n'
    houses = [mailings.make(tmp_path, more=more), wiring.build(tmp_path)]
    letter = tmp_path / "post" / "new" / "1.reply"
    handed_on = []
    for house in houses:
        # The second comes upon it before the first has taken it out.
        letter.write_text(
            "To: news@example.org\nFrom: Ada <ada@example.net>\nSubject: Re: Hello\n\nThank you.\n"
        )
        handed_on.append(house.intake().take_in()[1])
        house.close()
    assert handed_on == [1, 0]
    assert letter.exists()
