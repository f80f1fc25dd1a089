"""Any file at all: it is taken in, or refused in words; nothing in it breaks a database."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from newsletter.domain import errors, tokens
from newsletter.store.database import Database
from newsletter.store.directory import StoredDirectory
from newsletter.subscribing import importing

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SIGNER = tokens.Signer(b"k" * 32)
HEADING = ["email", "name", "status", "tags", "topics", "language", "timezone", "attributes", "joined"]
ODD = ["\0", "a\0b", "=1+1", '{"a": NaN}', '{"a": "\\u0000"}', '{"\\ud800": 1}', '{"a": {1, 2}}', "[" * 5000]
MOMENTS = ["0001-01-01T00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-02-30", "1e9", "2026-01-01T00:00:60"]

_texts = st.text(st.characters(codec="utf-8"), max_size=12)
_cells = st.one_of(_texts, st.sampled_from([*ODD, *MOMENTS]), st.just(""))
_emails = st.one_of(st.integers(0, 20).map("n{}@example.org".format), _texts, st.just("ä@bücher.example"))
_rows = st.lists(st.tuples(_emails, *[_cells] * (len(HEADING) - 1)), max_size=6)
_once = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])


def take_in(database: Database, path: Path) -> importing.Report:
    directory = StoredDirectory(database, SIGNER.keyed_hash)
    report = importing.run(directory, path, importing.Options(write=True, attest="by hand"), now=NOW)
    # What was written can be read again.
    assert all(math.isfinite(person.joined_at.timestamp()) for person in directory.list())
    return report


@_once
@given(rows=_rows)
def test_whatever_the_cells_hold_every_row_is_counted_once(
    database: Database, tmp_path: Path, rows: list[tuple[str, ...]]
) -> None:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADING, *rows])
    path = tmp_path / "people.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    try:
        report = take_in(database, path)
    except errors.ImportFileError:
        return  # a quotation that never ends, say
    counts = report.counts
    seen = counts.new + counts.known + counts.duplicate + counts.suppressed + report.invalid
    assert seen == sum(1 for row in rows if any(row))


@_once
@given(data=st.binary(max_size=300))
def test_whatever_the_bytes_are_they_are_taken_in_or_refused_in_words(
    database: Database, tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"email,name\nada@example.org," + data)
    with contextlib.suppress(errors.ImportFileError):
        take_in(database, path)


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        *(("name", "A\0da"), ("tags", "pre\0ss"), ("language", "e\0n"), ("timezone", "UTC\0")),
        *(("attributes", '{"a": "\\u0000"}'), ("attributes", '{"a": "\\ud800"}')),
    ],
)
def test_a_row_with_a_character_that_is_none_is_invalid_and_the_others_go_in(
    database: Database, tmp_path: Path, column: str, cell: str
) -> None:
    path = tmp_path / "people.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(
            [["email", column], ["ada@example.org", cell], ["bob@example.org", ""]],
        )
    report = take_in(database, path)
    assert (report.counts.new, report.invalid) == (1, 1)
    assert "character" in report.rejected[0].reason


def test_attributes_that_only_speak_of_such_characters_are_kept(database: Database, tmp_path: Path) -> None:
    said: dict[str, Any] = {"path": "C:\\u0000", "emoji": "🚢", "seats": 3}
    path = tmp_path / "people.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["email", "attributes"], ["ada@example.org", json.dumps(said)]])
    assert take_in(database, path).counts.new == 1
    person = StoredDirectory(database, SIGNER.keyed_hash).find("ada@example.org")
    assert person is not None
    assert person.attributes == said
