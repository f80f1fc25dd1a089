"""An export can be opened in a spreadsheet without running anything, and read back without loss."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.domain.subscribers import Status, Subscriber
from newsletter.subscribing import exporting

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def person(name: str) -> Subscriber:
    return Subscriber(
        email="ada@example.org",
        status=Status.ACTIVE,
        joined_at=NOW,
        name=name,
        tags=("=HYPERLINK(1)", "press"),
        attributes={"city": "東京"},
    )


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_cell_of_a_csv_is_a_formula(name: str) -> None:
    out = io.StringIO(newline="")
    assert exporting.write_csv([person(name)], out) == 1
    _, row = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert not any(cell.startswith(exporting.FORMULA) for cell in row)
    assert row[1] == f"'{name}"


@given(st.text(st.sampled_from("'=+-@\t\ra")))
def test_a_cell_made_safe_can_be_made_as_it_was(text: str) -> None:
    assert exporting.unguarded(exporting.guarded(text)) == text
    assert not exporting.guarded(text).startswith(exporting.FORMULA)


def test_json_lines_say_things_as_they_are() -> None:
    out = io.StringIO()
    exporting.write_json_lines([person("=1+1"), person("O'Neil")], out)
    first, second = map(json.loads, out.getvalue().splitlines())
    assert (first["name"], second["name"]) == ("=1+1", "O'Neil")
    assert first["attributes"] == {"city": "東京"}
    assert first["joined_at"] == "2026-03-01T00:00:00+00:00"
