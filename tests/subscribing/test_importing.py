"""An import shows what it would do, does it when told to, and keeps what it refuses."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from newsletter.domain import errors
from newsletter.domain.subscribers import Status
from newsletter.store.memory import MemoryDirectory
from newsletter.subscribing import importing, leftovers

NOW = datetime(2026, 3, 1, tzinfo=UTC)
GOOD = "ada@example.org,Ada\n"


def run(path: Path, directory: MemoryDirectory | None = None, *, write: bool = True) -> importing.Report:
    options = importing.Options(attest="at the fair" if write else "", write=write)
    return importing.run(directory or MemoryDirectory(), path, options, now=NOW)


@pytest.fixture
def people(tmp_path: Path) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(f"email,name\n{GOOD}bob@,Bob\n,Nobody\n\ncy@example.org,Cy,x,y\ndee@example.org,Dee,,\n")
    return path


def test_bad_rows_are_told_with_their_line_and_the_rest_goes_in(people: Path) -> None:
    directory = MemoryDirectory()
    report = run(people, directory)
    assert [person.email for person in directory.list()] == ["ada@example.org", "dee@example.org"]
    assert report.invalid == 3
    assert [(bad.line, bad.text) for bad in report.rejected] == [
        (3, "bob@,Bob"),
        (4, ",Nobody"),
        (6, "cy@example.org,Cy,x,y"),
    ]
    assert "4 cells, where the heading has 2" in report.rejected[2].reason


def test_the_rejected_rows_can_be_mended_and_imported(people: Path) -> None:
    run(people)
    rejected = people.with_name("people.rejected.csv")
    rows = list(csv.reader(rejected.read_text().splitlines()))
    assert rows[0] == ["email", "name", *leftovers.REJECTED_COLUMNS]
    assert rows[1][:3] == ["bob@", "Bob", "3"]
    rejected.write_text(rejected.read_text().replace("bob@,", "bob@example.org,"))
    directory = MemoryDirectory()
    again = run(rejected, directory)
    assert again.counts.new == 1
    assert [person.email for person in directory.list()] == ["bob@example.org"]


def test_a_trial_writes_no_file_either(people: Path) -> None:
    report = run(people, write=False)
    assert report.counts.new == 2
    assert report.rejected_file is None
    assert list(people.parent.iterdir()) == [people]


def test_a_file_without_bad_rows_leaves_no_file_of_them(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f"email,name\n{GOOD}")
    assert run(path).rejected_file is None
    assert list(tmp_path.iterdir()) == [path]


def test_an_import_that_breaks_off_leaves_no_file_of_rejected_rows(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(b"email,name\nbob@,Bob\n" + b"a@example.org,x\n" * 50_000 + b"b@example.org,\x81\x8d\n")
    directory = MemoryDirectory()
    with pytest.raises(errors.ImportFileError, match="not readable as"):
        run(path, directory)
    assert list(tmp_path.iterdir()) == [path]


def test_many_bad_rows_are_counted_and_the_first_are_shown(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email\n" + "nobody@\n" * 500 + "ada@example.org\n")
    report = run(path)
    assert (report.invalid, len(report.rejected)) == (500, leftovers.SHOWN)
    assert len((tmp_path / "people.rejected.csv").read_text().splitlines()) == 501


@pytest.mark.parametrize("attest", ["", "  "])
def test_nothing_is_written_unless_somebody_attests(people: Path, attest: str) -> None:
    directory = MemoryDirectory()
    with pytest.raises(errors.ImportFileError, match="how these people agreed") as caught:
        importing.run(directory, people, importing.Options(attest=attest, write=True), now=NOW)
    assert "--attest" in caught.value.hint
    assert list(directory.list()) == []


def test_the_attestation_stands_in_every_record(people: Path) -> None:
    directory = MemoryDirectory()
    run(people, directory)
    for person in directory.list():
        (record,) = directory.history(person.id)
        assert (record.status, record.wording) == (Status.ACTIVE, "at the fair")


def test_a_file_without_addresses_names_its_columns(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("name,city\nAda,London\nBob,Paris\n")
    with pytest.raises(errors.ImportFileError, match="no column holds mail addresses") as caught:
        run(path)
    assert "name, city" in str(caught.value)


def test_the_column_of_addresses_is_found_whatever_it_is_called(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("Navn,Sähköposti\nAda,ada@example.org\nBob,bob@example.org\nCy,\n")
    report = run(path, write=False)
    assert report.tables[0].columns["Sähköposti"] == "email"
    assert report.counts.new == 2


def test_the_report_says_what_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email,shoe size,name\nada@example.org,38,Ada\n")
    (table,) = run(path, write=False).tables
    assert table.columns == {"email": "email", "name": "name"}
    assert table.ignored == ["shoe size"]


def test_progress_is_told_now_and_then(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("email\n" + "".join(f"p{n}@example.org\n" for n in range(25_000)))
    told: list[int] = []
    options = importing.Options(progress=told.append)
    importing.run(MemoryDirectory(), path, options, now=NOW)
    assert told == [10_000, 20_000]


def test_a_trial_shows_the_first_good_rows_of_each_kind_that_it_would_leave_out(tmp_path: Path) -> None:
    directory = MemoryDirectory()
    left = tmp_path / "before.csv"
    left.write_text("email,status\n" + "".join(f"off{n}@example.org,unsubscribed\n" for n in range(8)))
    run(left, directory)
    directory.suppress("never.example", reason="asked by their staff", now=NOW)
    path = tmp_path / "people.csv"
    rows = [f"off{n}@example.org,Nora" for n in range(8)] + [
        "a@never.example,",
        "ada@example.org,",
        "ADA@example.org,",
    ]
    path.write_text("email,name\n" + "\n".join([*rows, "nobody@,", ",,,"]))
    report = run(path, directory, write=False)
    shown = {kind: [(each.line, each.text) for each in found] for kind, found in report.left_out.items()}
    assert shown == {
        "held": [(number + 2, f"off{number}@example.org") for number in range(leftovers.SHOWN)],
        "suppressed": [(10, "a@never.example")],
        "duplicate": [(12, "ADA@example.org")],
    }
    assert report.left_out["held"][0].reason == "is unsubscribed, and an import raises nobody to active"
    assert report.left_out["suppressed"][0].reason == "asked by their staff"


@pytest.mark.parametrize("write", [False, True])
def test_every_row_that_is_left_out_is_written_where_it_is_asked_for(people: Path, write: bool) -> None:
    directory = MemoryDirectory()
    directory.suppress("dee@example.org", reason="bounced", now=NOW)
    path = people.with_name("left-out.csv")
    options = importing.Options(attest="at the fair" if write else "", write=write, rejected=path)
    report = importing.run(directory, people, options, now=NOW)
    assert report.rejected_file == path
    assert path.stat().st_mode & 0o077 == 0
    rows = list(csv.reader(path.read_text().splitlines()))
    assert [row[-2] for row in rows[1:]] == ["3", "4", "6", "7"]
    assert rows[-1] == ["dee@example.org", "", "7", "suppressed: bounced"]
