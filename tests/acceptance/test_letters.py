"""Letters survive the process: killed after its answer, they arrive by the next one, once."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsletter import wiring
from newsletter.domain.deliveries import State
from newsletter.domain.letters import Kind
from newsletter.domain.subscribers import Status
from newsletter.domain.tokens import Purpose
from newsletter.subscribing import mailroom
from tests.cli import mailings

PATIENCE = 60.0
_ADDRESS = re.compile(r"Pages at (http://\S+)/")
READERS = {f"reader{number}@example.net": f"Reader {number}" for number in range(40)}


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the service on a free port."""
    command = [sys.executable, "-m", "newsletter", "-C", str(folder), "serve", "--port", "0"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if found := _ADDRESS.match(line):
                yield found[1], process
                break
        else:
            pytest.fail("".join(said))
    finally:
        process.kill()
        process.communicate()


def workspace(folder: Path, port: int, *, database: str = "") -> wiring.App:
    """Make a workspace that mails by a server."""
    app = mailings.make(folder, {} if database else READERS)
    settings = mailings.SETTINGS.replace('kind = "smtp"', f'kind = "smtp"\nhost = "127.0.0.1"\nport = {port}')
    (folder / "newsletter.toml").write_text(settings, encoding="utf-8")
    if not database:
        return app.anew()
    app.close()
    with (folder / ".env").open("a", encoding="utf-8") as file:
        file.write(f"NEWSLETTER_DATABASE__URL={database}\n")
    app = app.anew()
    app.upgrade()
    for address, name in READERS.items():
        mailings.join(app, address, name)
    return app


def leave(app: wiring.App, url: str, address: str) -> None:
    person = app.directory.find(address)
    assert person is not None
    token = app.signer.sign(Purpose.LEAVE, person.id, 0)
    body = b"List-Unsubscribe=One-Click"
    with urllib.request.urlopen(f"{url}/u/{token}", data=body, timeout=PATIENCE) as answer:
        assert answer.status == 200


def wait(condition: Callable[[], bool]) -> None:
    pause = threading.Event()
    for _ in range(int(PATIENCE * 20)):
        if condition():
            return
        pause.wait(0.05)
    pytest.fail("it did not come to pass")


def settled(app: wiring.App) -> bool:
    return app.letters.next_due() is None


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_goodbye_outlives_the_process_that_was_killed_after_its_answer(
    tmp_path: Path, kind: str, request: pytest.FixtureRequest
) -> None:
    url = str(request.getfixturevalue("postgres_url")) if kind == "postgresql" else ""
    with mailings.serving() as (postbox, port):
        app = workspace(tmp_path, port, database=url)
        # The server is there and says nothing, as one that is restarting: the mail cannot go before the end.
        postbox.gate.clear()
        with serving(tmp_path) as (address, process):
            leave(app, address, "reader0@example.net")
            os.kill(process.pid, signal.SIGKILL)
            process.wait(PATIENCE)
        assert postbox.taken == []
        postbox.gate.set()
        with serving(tmp_path):
            wait(lambda: settled(app))
    person = app.directory.find("reader0@example.net")
    assert person is not None
    assert person.status is Status.UNSUBSCRIBED
    assert [(letter.kind, letter.state) for letter in app.letters.of(person.id)] == [
        (Kind.GOODBYE, State.SENT)
    ]
    assert postbox.recipients == ["reader0@example.net"]
    assert b"/undo/" in postbox.taken[0][1]
    app.close()


@pytest.mark.parametrize("mails", [1, 7, 23])
def test_killed_amid_letters_every_one_arrives_and_a_second_copy_bears_the_same_id(
    tmp_path: Path, mails: int
) -> None:
    with mailings.serving() as (postbox, port):
        app = workspace(tmp_path, port)
        with serving(tmp_path) as (address, process):
            postbox.on_mail = lambda count: os.kill(process.pid, signal.SIGKILL) if count == mails else None
            for reader in READERS:
                try:
                    leave(app, address, reader)
                except OSError:
                    break
            wait(lambda: process.poll() is not None or settled(app))
            process.wait(PATIENCE)
        postbox.on_mail = lambda count: None
        left = [reader for reader in READERS if _has_left(app, reader)]
        assert len(left) >= mails
        with serving(tmp_path):
            wait(lambda: settled(app))
    assert set(postbox.recipients) == set(left)
    # What was in doubt went again under the same Message-ID, and nothing else did.
    assert len(set(postbox.message_ids())) == len(left)
    assert len(postbox.taken) <= len(left) + mailroom.BATCH
    app.close()


def _has_left(app: wiring.App, address: str) -> bool:
    person = app.directory.find(address)
    return person is not None and person.status is Status.UNSUBSCRIBED


def test_a_letter_goes_out_at_once_while_the_service_runs(tmp_path: Path) -> None:
    with mailings.serving() as (postbox, port):
        app = workspace(tmp_path, port)
        arrived = threading.Event()
        postbox.on_mail = lambda count: arrived.set()
        with serving(tmp_path) as (address, _):
            leave(app, address, "reader1@example.net")
            # Sooner than the next look at the table by the clock.
            assert arrived.wait(8)
    app.close()
