"""The whole job, from an empty folder to two mailings, as a stranger would see it."""

from __future__ import annotations

import email
import email.policy
import sqlite3
import subprocess
import sys
from email.message import EmailMessage
from pathlib import Path


def test_the_demo_does_the_whole_job_and_leaves_everything_to_look_at(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    done = subprocess.run(
        [sys.executable, "-m", "newsletter", "demo", "--out", str(folder)],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Every step held" in done.stdout
    # Mailed after the answer: the service must not be stopped before.
    assert "✓ a word of goodbye lies in the mailbox" in done.stdout
    mails = {box.name: len(list(box.iterdir())) for box in (folder / "mailboxes").iterdir()}
    # Two issues each; whoever left got one, and a word of goodbye.
    assert sorted(mails.values()) == [2, 2, 2]
    policy = email.policy.default.clone(raise_on_defect=True)
    letters = [
        email.message_from_bytes(path.read_bytes(), _class=EmailMessage, policy=policy)
        for path in (folder / "mailboxes").rglob("*.eml")
    ]
    goodbyes = [mail for mail in letters if str(mail["Subject"]).startswith("You have left")]
    assert [str(mail["To"]) for mail in goodbyes] == ["Ben Torres <ben@reader.example.org>"]
    for mail in (letter for letter in letters if letter not in goodbyes):
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert "unsubscribe" in mail.get_body(("plain",)).get_content().lower()  # type: ignore[union-attr]  # checked by the next line's twin
        assert "<h1" in mail.get_body(("html",)).get_content()  # type: ignore[union-attr]  # a missing part fails here
    database = sqlite3.connect(folder / "workspace" / "subscribers.db")
    assert database.execute("pragma integrity_check").fetchone() == ("ok",)


def test_the_demo_refuses_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    done = subprocess.run(
        [sys.executable, "-m", "newsletter", "demo", "--out", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "is not empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
