"""`newsletter issue status`: how far an issue has come, from the file to the last mail."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.cli.test_issue import edit, root

__all__ = ["root"]


def subscribe(run: Run, folder: Path) -> None:
    edit(folder / "newsletter.toml", 'provider = "smtp"', 'provider = "outbox"')
    assert run("subscriber", "add", "akiko@example.org", "--attest", "signed up at the fair").code == 0


def test_every_step_of_an_issue_is_told(run: Run, root: Path) -> None:
    subscribe(run, root)
    told = run("issue", "status", "1.1").out
    for words in (
        "Vol 1.1 of 2026-01-09",
        "ready, 5 entries, en",
        "0 errors, 0 warnings",
        "not all asked yet",
        "by nobody",
        "not scheduled",
    ):
        assert words in told, words
    run("issue", "approve", "1.1", "--as", "Mina Ode")
    assert "by Mina Ode on " in run("issue", "status", "1.1").out
    assert run("mailing", "schedule", "1.1", "--at", "2030-01-01 09:00", "--yes").code == 0
    status = run("issue", "status", "1.1", "--json").json
    assert (status["mailing"], status["due_at"][:10]) == ("scheduled", "2030-01-01")
    assert run("mailing", "cancel", "1.1", "--yes").code == 0
    assert "not scheduled" in run("issue", "status", "1.1").out
    assert run("mailing", "send", "1.1", "--yes").code == 0
    assert "done on " in run("issue", "status", "1.1").out
    assert "Nothing changes for the reader" in run("issue", "diff", "1.1", "sent").out


def test_one_entry_and_one_warning_are_told_in_the_singular(run: Run, root: Path) -> None:
    subscribe(run, root)
    path = root / "issues" / "vol-1-1.md"
    entries = path.read_text(encoding="utf-8").split("\n## ")
    path.write_text(f"{entries[0]}\n## {entries[1]}\nThe the end.\n", encoding="utf-8")
    told = run("issue", "status", "1.1").out
    assert "1 entry" in told
    assert "0 errors, 1 warning\n" in told
    assert "1 warning stands" in run("issue", "approve", "1.1", "--as", "Mina Ode").err
    assert run("mailing", "send", "1.1", "--yes").code == 0
    assert "1 issue on" in run("web", "build", "public").out


def test_next_is_never_an_issue_that_was_sent(run: Run, root: Path) -> None:
    subscribe(run, root)
    for name in ("vol-1-1.md", "vol-1-2.md"):
        edit(root / "issues" / name, "status: ready", "status: draft")
    assert run("issue", "show", "next", "--json").json["number"]["number"] == 1
    run("issue", "approve", "next", "--as", "Mina Ode")
    assert run("mailing", "send", "next", "--yes").code == 0
    assert run("issue", "show", "next", "--json").json["number"]["number"] == 2


def test_an_editor_without_a_database_still_has_a_status(run: Run, root: Path) -> None:
    for path in root.glob("subscribers.db*"):
        path.unlink()
    assert "not scheduled" in run("issue", "status", "1.1").out


def test_links_are_told_to_be_asked_once_all_of_them_were(run: Run, root: Path) -> None:
    path = root / "issues" / "vol-1-1.md"
    head = path.read_text().partition("## ")[0]
    path.write_text(f"{head}## One\n\nIt [says](https://example.org/a) so.\n")
    memory = root / ".newsletter" / "links.json"
    memory.parent.mkdir(exist_ok=True)
    row = {"url": "https://example.org/a", "asked_at": "2026-11-19T08:00:00+00:00", "status": 200}
    rest = {"final": "https://example.org/a", "moved": False, "trouble": "", "detail": ""}
    memory.write_text(json.dumps([row | rest]))
    status = run("issue", "status", "1.1", "--json").json
    assert status["links"] == 1, status
    assert status["links_asked"] == "2026-11-19T08:00:00+00:00"
