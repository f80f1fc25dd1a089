"""`newsletter init`: a workspace, whole or not at all."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
from pathlib import Path

import pytest

from newsletter import wiring
from newsletter.cli import workspaces
from tests.cli.conftest import Run

TITLE, SENDER = 'US-Japan “Alliance” \\ "Digest"', "The Editors <news@example.org>"


def test_a_new_workspace_has_settings_that_hold_a_key_and_a_migrated_database(
    run: Run, tmp_path: Path
) -> None:
    result = run("init", tmp_path / "a" / "digest", "--title", TITLE, "--from", SENDER)
    assert result.code == 0, result.err
    app = wiring.build(tmp_path / "a" / "digest")
    assert app.publication.title == TITLE
    assert (app.publication.sender.name, app.publication.sender.email) == ("The Editors", "news@example.org")
    assert app.settings.delivery.provider == "smtp"
    assert app.settings.providers.keys() == {"smtp", "outbox"}
    assert len(app.settings.key()) >= 43
    app.database.require_current()
    app.database.close()
    assert app.workspace.issues.is_dir()
    assert sorted(path.name for path in app.workspace.root.iterdir()) == [
        ".env",
        ".gitignore",
        "issues",
        "newsletter.toml",
        "subscribers.db",
    ]


def test_the_folder_of_c_is_the_folder(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "digest"
    words = ("--title", "T", "--from", "news@example.org", "--postal-address", "1 Main Street")
    assert run("-C", folder, "init", *words).code == 0
    assert wiring.build(folder).publication.postal_address == "1 Main Street"


def test_two_workspaces_never_share_a_key(run: Run, tmp_path: Path) -> None:
    for name in ("one", "two"):
        run("init", tmp_path / name, "--title", "T", "--from", "news@example.org")
    keys = {wiring.build(tmp_path / name).settings.key() for name in ("one", "two")}
    assert len(keys) == 2


def test_the_next_commands_are_three_and_are_said_for_where_one_stands(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = run("init", "my digest", "--title", "T", "--from", "news@example.org").out
    commands = said.partition("Next:\n")[2].splitlines()
    assert len(commands) == 3
    assert all(command.startswith("  newsletter -C 'my digest' ") for command in commands)
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert "  newsletter doctor\n" in run("init", "--title", "T", "--from", "news@example.org").out


def test_secrets_are_for_the_owner_and_kept_from_git(run: Run, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    (tmp_path / ".gitignore").write_text("*.swp\n.env")
    run("init", tmp_path, "--title", "T", "--from", "news@example.org")
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o600
    assert (tmp_path / ".gitignore").read_text().splitlines() == ["*.swp", *workspaces.IGNORED]
    shown = subprocess.run(
        ["git", "status", "--porcelain", "-uall"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert {line[3:] for line in shown.stdout.splitlines()} == {".gitignore", "newsletter.toml"}


@pytest.mark.parametrize("name", ["newsletter.toml", ".env", "subscribers.db"])
def test_nothing_is_overwritten(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    result = run("init", tmp_path, "--title", "T", "--from", "news@example.org")
    assert result.code == 1
    assert name in result.err
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_templates_are_copied_when_asked_for_then_or_later_and_never_over_others(
    run: Run, tmp_path: Path
) -> None:
    packaged = sorted(path.name for path in wiring.packaged_templates().iterdir() if path.is_file())
    run("init", tmp_path / "then", "--title", "T", "--from", "news@example.org", "--eject-templates")
    run("init", tmp_path / "later", "--title", "T", "--from", "news@example.org")
    assert not (tmp_path / "later" / "templates").exists()
    assert run("init", tmp_path / "later", "--eject-templates").code == 0
    for name in ("then", "later"):
        copied = tmp_path / name / "templates"
        assert sorted(path.name for path in copied.iterdir() if path.is_file()) == packaged
        assert wiring.build(tmp_path / name).theme.folders[0] == copied
    result = run("init", tmp_path / "later", "--eject-templates")
    assert result.code == 1
    assert "templates" in result.err
    (tmp_path / "own" / "templates").mkdir(parents=True)
    result = run("init", tmp_path / "own", "--title", "T", "--from", "news@example.org", "--eject-templates")
    assert result.code == 1
    assert [path.name for path in (tmp_path / "own").iterdir()] == ["templates"]


def test_issues_that_are_there_already_stay(run: Run, tmp_path: Path) -> None:
    (tmp_path / "issues").mkdir()
    (tmp_path / "issues" / "vol-1-1.md").write_text("mine")
    assert run("init", tmp_path, "--title", "T", "--from", "news@example.org").code == 0
    assert (tmp_path / "issues" / "vol-1-1.md").read_text() == "mine"


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--from", "nobody", "--from: expected a mail address"),
        ("--url", "digest.example.org", "--url: expected the base"),
        ("--title", "", "--title must be given"),
        ("--title", "a\x7fb", "--title: expected one line"),
        ("--title", "a\r\nBcc: x@example.org", "--title: expected one line"),
        ("--language", "English", "--language: expected a language tag"),
    ],
)
def test_a_word_that_does_not_hold_is_named_and_nothing_is_left_behind(
    run: Run, tmp_path: Path, option: str, value: str, said: str
) -> None:
    words = {"--title": "T", "--from": "news@example.org"} | {option: value}
    arguments = [text for pair in words.items() for text in pair]
    result = run("init", tmp_path / "digest", *arguments)
    assert result.code == 2
    assert said in result.err
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_cannot_be_reached_leaves_nothing_behind(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_DATABASE__URL", f"sqlite:///{tmp_path}/no/such/folder/x.db")
    result = run("init", tmp_path / "digest", "--title", "T", "--from", "news@example.org")
    assert result.code == 1
    assert "no/such/folder" in result.err
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("init", tmp_path / "file", "--title", "T", "--from", "news@example.org")
    assert result.code == 1
    assert f"{tmp_path}/file is a file" in result.err
    if os.geteuid() == 0:
        result = run("init", "/proc/digest", "--title", "T", "--from", "news@example.org")
    else:
        result = run("init", "/digest", "--title", "T", "--from", "news@example.org")
    assert result.code == 1
    assert "may you write there" in result.err


def test_every_key_of_the_settings_stands_in_a_new_newsletter_toml() -> None:
    from newsletter.settings import schema

    text = workspaces.settings({})
    table = ""
    written = set()
    for line in text.splitlines():
        if line.startswith("["):
            table = line.strip("[]")
        elif "=" in line:
            written.add(f"{table}.{line.lstrip('# ').partition('=')[0].strip()}")
    document = {"providers": {"smtp": {"kind": "smtp"}, "outbox": {"kind": "outbox"}}}
    secret = {"signing_key", "providers.smtp.password", "bounces.password"}
    known = {".".join(path) for path in schema.every_path(document) if len(path) > 1}
    assert known - secret <= written


def test_the_database_of_a_new_workspace_is_for_the_owner(run: Run, tmp_path: Path) -> None:
    run("init", tmp_path, "--title", "T", "--from", "news@example.org")
    assert stat.S_IMODE((tmp_path / "subscribers.db").stat().st_mode) == 0o600
    with sqlite3.connect(tmp_path / "subscribers.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
