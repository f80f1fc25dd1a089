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
    statuses = run("-C", root, "subscriber", "stats", "--json").json["statuses"]
    assert statuses == {"active": 1, "pending": 1, "unsubscribed": 1}
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
    assert "active" not in run("-C", root, "subscriber", "stats", "--json").json["statuses"]


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


@pytest.fixture
def listed(run: Run, root: Path, people: Path) -> Path:
    """A workspace with a country declared and three people imported, of whom two may be mailed or asked."""
    toml = root / "newsletter.toml"
    toml.write_text(
        toml.read_text()
        .replace('# country = "text"', 'country = "text"\nseats = "number"')
        .replace('# press = "tag:press and language:en"', 'press = "tag:press"')
    )
    run("-C", root, "subscriber", "import", people, "--yes", "--attest", "at the fair")
    return root


def tags(run: Run, root: Path) -> dict[str, list[str]]:
    return {each["email"][:3]: each["tags"] for each in run("-C", root, "subscriber", "list", "--json").json}


def test_tags_are_put_on_and_taken_off_one_or_many(run: Run, listed: Path) -> None:
    assert run("-C", listed, "subscriber", "tag", "cy@example.org", "new", "x").out.startswith("1 ")
    assert run("-C", listed, "subscriber", "tag", "seen", "--where", "domain:example.org").out.startswith(
        "3 "
    )
    assert run("-C", listed, "subscriber", "untag", "seen", "vip", "--where", "press").out.startswith("1 ")
    assert tags(run, listed) == {"Ada": ["press"], "cy@": ["new", "seen", "x"], "dee": ["seen"]}


def test_an_address_with_a_star_is_nobody_else(run: Run, listed: Path) -> None:
    run("-C", listed, "subscriber", "add", "*@example.org")
    assert run("-C", listed, "subscriber", "tag", "*@example.org", "star").out.startswith("1 ")
    assert [name for name, has in tags(run, listed).items() if "star" in has] == ["*@e"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["tag", "ada@example.org"], "nothing to change"),
        (["tag", "nobody@example.org", "x"], "is not on the list"),
        (["tag", "x", "--where", "tag"], "there is no audience “tag”"),
        (["tag", "x", "--where", "attr.city:x"], "there is no attribute “city”"),
        (["set", "ada@example.org", "colour=red"], "there is no field “colour”"),
        (["set", "ada@example.org", "attr.seats=many"], "expected a number"),
        (["set", "ada@example.org", "timezone=Mars"], "is not a time zone"),
        (["set", "ada@example.org", "language=Japanese"], "is not a language"),
        (["set", "ada@example.org", "language"], "sets nothing"),
    ],
)
def test_a_change_that_makes_no_sense_changes_nothing(
    run: Run, listed: Path, words: list[str], said: str
) -> None:
    before = run("-C", listed, "subscriber", "export").out
    result = run("-C", listed, "subscriber", *words)
    assert result.code in (1, 2)
    assert said in result.err
    assert run("-C", listed, "subscriber", "export").out == before


def test_fields_and_attributes_are_set(run: Run, listed: Path) -> None:
    run("-C", listed, "subscriber", "set", "ada@example.org", "language=ja", "attr.seats=3", "name=Ada  King")
    run("-C", listed, "subscriber", "set", "attr.country=GB", "--where", "domain:example.org")
    ada = run("-C", listed, "subscriber", "list", "--where", "attr.seats>2", "--json").json
    assert [(one["name"], one["language"], one["attributes"]) for one in ada] == [
        ("Ada King", "ja", {"country": "GB", "seats": 3})
    ]
    run("-C", listed, "subscriber", "set", "ada@example.org", "attr.seats=")
    assert run("-C", listed, "subscriber", "list", "--where", "attr.seats>2", "--json").json == []


def test_an_import_is_listed_and_undone(run: Run, listed: Path) -> None:
    (written,) = run("-C", listed, "subscriber", "import", "--list", "--json").json
    assert (written["id"], written["source"]) == (1, "people.csv")
    assert "people.csv" in run("-C", listed, "subscriber", "import", "--list").out
    undone = run("-C", listed, "subscriber", "import", "--undo", 1)
    assert undone.code == 0
    assert run("-C", listed, "subscriber", "list", "--json").json == []
    assert run("-C", listed, "subscriber", "import", "--undo", 1).code == 1


def test_an_import_takes_declared_attributes_and_refuses_what_is_not_of_their_kind(
    run: Run, listed: Path, tmp_path: Path
) -> None:
    more = tmp_path / "more.csv"
    more.write_text("email,Country,seats\neve@example.org,US,3\nfay@example.org,US,many\n")
    report = run("-C", listed, "subscriber", "import", more, "--yes", "--attest", "x", "--json").json
    assert report["reasons"] == {"seats: expected a number, not …": 1}
    (eve,) = run("-C", listed, "subscriber", "list", "--where", "attr.seats:3", "--json").json
    assert eve["attributes"] == {"country": "US", "seats": 3}


def test_an_import_points_at_what_is_worth_a_second_look(run: Run, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text("email\nada@gmial.com\nINFO@example.org\nx@mailinator.com\nbob@gmail.com\n")
    result = run("-C", root, "subscriber", "import", path)
    assert "odd.csv:2: ada@gmial.com: likely typo; gmail.com?" in result.out
    assert "odd.csv:3: INFO@example.org: role address" in result.out
    assert "odd.csv:4: x@mailinator.com: disposable domain" in result.out
    assert "bob@gmail.com" not in result.out


def test_whoever_is_forgotten_does_not_come_back(run: Run, listed: Path, people: Path) -> None:
    known = run("-C", listed, "subscriber", "data", "ada@example.org").json
    assert known["subscriber"]["name"] == "Ada Lovelace"
    assert known["history"][0]["wording"] == "at the fair"
    assert run("-C", listed, "subscriber", "forget", "ada@example.org").code == 2, "nobody was asked"
    assert run("-C", listed, "subscriber", "forget", "ada@example.org", "--yes").code == 0
    assert run("-C", listed, "subscriber", "show", "ada@example.org").code == 1
    again = run("-C", listed, "subscriber", "import", people, "--yes", "--attest", "again", "--json").json
    assert again["counts"]["suppressed"] == 1
    assert run("-C", listed, "subscriber", "add", "ada@example.org").code == 1
    for file in listed.glob("subscribers.db*"):
        assert b"lovelace" not in file.read_bytes().lower(), file.name


def test_the_list_is_shown_in_numbers(run: Run, listed: Path) -> None:
    shown = run("-C", listed, "subscriber", "stats").out
    assert "█" in shown
    assert "example.org" in shown
    assert run("-C", listed, "subscriber", "stats", "--json").json["sources"] == {"import": 3}


def test_an_audience_says_who_is_in_it_and_why_others_are_not(run: Run, listed: Path) -> None:
    run("-C", listed, "subscriber", "add", "eve@example.org")
    shown = run("-C", listed, "audience", "show", "press", "--json").json
    assert [(group["reason"], group["count"], group["samples"]) for group in shown] == [
        ("", 1, ["Ada@example.org"]),
        ("not tag:press", 1, ["eve@example.org"]),
    ]
    each = run("-C", listed, "audience", "show", "everyone", "--exclude", "press", "--each", "--json").json
    assert each == [["Ada@example.org", "excluded by tag:press"]]
    found = run("-C", listed, "audience", "list", "--json").json
    assert [(one["name"], one["subscribers"]) for one in found] == [("everyone", 2), ("press", 1)]
    wrong = run("-C", listed, "audience", "show", "tag:press andd tag:vip")
    assert wrong.code == 1
    assert "^" in wrong.err


def test_a_suppressed_domain_is_not_mailed(run: Run, listed: Path) -> None:
    assert run("-C", listed, "suppression", "add", "@Example.ORG", "--reason", "asked").code == 0
    (kept,) = run("-C", listed, "suppression", "list", "--json").json
    assert (kept["value"], kept["reason"]) == ("example.org", "asked")
    assert "suppressed" in run("-C", listed, "audience", "show", "everyone").out
    assert run("-C", listed, "suppression", "remove", "example.org").code == 0
    assert run("-C", listed, "suppression", "remove", "example.org").code == 1
    assert run("-C", listed, "suppression", "add", "nonsense").code == 1
