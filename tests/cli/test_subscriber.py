"""`newsletter subscriber …`: people come, are shown, leave and are written out."""

from __future__ import annotations

import csv
import io
import json
import stat
from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def root(run: Run, tmp_path: Path) -> Path:
    """A new workspace."""
    folder = tmp_path / "digest"
    assert run("init", folder, "--title", "T", "--from", "news@example.org").code == 0
    return folder


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A file of four people, of whom one is none."""
    path = tmp_path / "people.csv"
    path.write_text(
        "email,name,status,tags\n"
        'Ada@example.org,Ada Lovelace,active,"press, vip"\n'
        "bob@,Bob,active,\n"
        "cy@example.org,Cy,somehow,\n"
        "dee@example.org,Dee,unsubscribed,\n",
        encoding="utf-8",
    )
    return path


def test_somebody_is_added_shown_and_listed(run: Run, root: Path) -> None:
    added = run("-C", root, "subscriber", "add", "Ada@Example.org", "--name", "Ada", "--tag", "press")
    assert (added.code, added.out) == (0, "Ada@example.org is active.\n")
    shown = run("-C", root, "subscriber", "show", "ada@example.org").out
    assert "Ada@example.org" in shown
    assert "staff" in shown
    assert run("-C", root, "subscriber", "add", "bob@example.org", "--pending").code == 0
    active = run("-C", root, "subscriber", "list", "--status", "active", "--json").json
    assert [person["email"] for person in active] == ["Ada@example.org"]
    assert "bob@example.org" in run("-C", root, "subscriber", "list", "--text", "BOB").out


@pytest.mark.parametrize(
    ("address", "said"),
    [("ada@example", "is not a mail address"), ("ADA@example.org", "is on the list already")],
)
def test_an_address_that_cannot_be_added_says_why(run: Run, root: Path, address: str, said: str) -> None:
    run("-C", root, "subscriber", "add", "ada@example.org")
    refused = run("-C", root, "subscriber", "add", address)
    assert refused.code == 1
    assert said in refused.err
    assert "Hint:" in refused.err


def test_somebody_who_is_not_there_is_an_error(run: Run, root: Path) -> None:
    for verb in ("show", "unsubscribe"):
        result = run("-C", root, "subscriber", verb, "nobody@example.org")
        assert result.code == 1
        assert "nobody@example.org is not on the list" in result.err


def test_an_import_is_tried_first_and_written_on_yes(run: Run, root: Path, people: Path) -> None:
    trial = run("-C", root, "subscriber", "import", people)
    assert trial.code == 0
    assert "Nothing was written" in trial.out
    assert f"{people.name}:3: “bob@” is not a mail address" in trial.out
    assert run("-C", root, "subscriber", "list", "--json").json == []
    assert not people.with_name("people.rejected.csv").exists()

    written = run("-C", root, "subscriber", "import", people, "--yes", "--attest", "at the fair")
    assert written.code == 0
    assert run("-C", root, "subscriber", "stats", "--json").json == {
        "pending": 1,
        "active": 1,
        "unsubscribed": 1,
        "bounced": 0,
        "complained": 0,
    }
    history = run("-C", root, "subscriber", "show", "ada@example.org", "--json").json["history"]
    assert history[0]["wording"] == "at the fair"
    assert history[0]["source"] == "people.csv, line 2 (import 1)"
    rejected = list(csv.reader(io.StringIO(people.with_name("people.rejected.csv").read_text())))
    assert rejected[0][:4] == ["email", "name", "status", "tags"]
    assert rejected[1][:2] + rejected[1][4:5] == ["bob@", "Bob", "3"]


def test_an_import_is_not_written_unless_somebody_attests(run: Run, root: Path, people: Path) -> None:
    refused = run("-C", root, "subscriber", "import", people, "--yes")
    assert refused.code == 1
    assert "--attest" in refused.err
    assert run("-C", root, "subscriber", "list", "--json").json == []


def test_an_import_does_not_bring_back_who_left(run: Run, root: Path, people: Path) -> None:
    run("-C", root, "subscriber", "import", people, "--yes", "--attest", "at the fair")
    left = run("-C", root, "subscriber", "unsubscribe", "ada@example.org")
    assert left.out == "Ada@example.org is unsubscribed.\n"
    again = run("-C", root, "subscriber", "import", people, "--yes", "--attest", "again", "--json")
    assert again.json["counts"]["held"] == 1
    assert run("-C", root, "subscriber", "stats", "--json").json["active"] == 0


def test_what_was_exported_is_the_same_people_when_imported(
    run: Run, root: Path, people: Path, tmp_path: Path
) -> None:
    run("-C", root, "subscriber", "import", people, "--yes", "--attest", "at the fair")
    printed = run("-C", root, "subscriber", "export").out
    assert len(list(csv.reader(io.StringIO(printed)))) == 4
    out = tmp_path / "out.csv"
    assert run("-C", root, "subscriber", "export", "--to", out).code == 0
    assert out.read_bytes().decode() == printed
    assert stat.S_IMODE(out.stat().st_mode) == 0o600

    other = tmp_path / "other"
    run("init", other, "--title", "T", "--from", "news@example.org")
    run("-C", other, "subscriber", "import", out, "--yes", "--attest", "moved house")
    assert run("-C", other, "subscriber", "export").out == printed


def test_json_lines_hold_one_person_each(run: Run, root: Path, people: Path) -> None:
    run("-C", root, "subscriber", "import", people, "--yes", "--attest", "at the fair")
    lines = run("-C", root, "subscriber", "export", "--format", "jsonl", "--tag", "vip").out.splitlines()
    assert [json.loads(line)["email"] for line in lines] == ["Ada@example.org"]


def test_an_export_that_cannot_be_written_leaves_nothing(run: Run, root: Path, tmp_path: Path) -> None:
    result = run("-C", root, "subscriber", "export", "--to", tmp_path / "nowhere" / "out.csv")
    assert result.code == 1
    assert "cannot be written" in result.err


def test_a_database_that_was_never_made_asks_for_the_upgrade(run: Run, root: Path) -> None:
    (root / "subscribers.db").unlink()
    result = run("-C", root, "subscriber", "list")
    assert result.code == 1
    assert "newsletter upgrade" in result.err
