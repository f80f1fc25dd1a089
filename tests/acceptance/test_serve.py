"""The service as staff run it: pages answer, what is due goes out, and it can be ended at any moment."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import IO

import pytest

from newsletter import wiring
from newsletter.domain.deliveries import Mailing, MailingStatus, State
from newsletter.domain.subscribers import Status
from newsletter.sending import plan
from tests.bounces import mailservers
from tests.cli import mailings
from tests.cli.test_provider import BOUNCE
from tests.sending import samples

_ADDRESS = re.compile(r"Pages at (http://\S+)/")
PATIENCE = 60.0


def command(folder: Path, *words: str) -> list[str]:
    return [sys.executable, "-m", "newsletter", "-C", str(folder), "serve", *words]


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[tuple[str, subprocess.Popen[str], list[str]]]:
    """Run the service on a free port; yields its address, its process and what it said before."""
    environment = {**os.environ, "NEWSLETTER_DELIVERY__PROVIDER": "outbox", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        command(folder, "--port", "0", *words),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
    )
    try:
        assert process.stdout is not None
        said, address = _until_ready(process.stdout)
        yield address, process, said
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def _until_ready(output: IO[str]) -> tuple[list[str], str]:
    said: list[str] = []
    for line in output:
        if found := _ADDRESS.match(line):
            return said, found[1]
        said.append(line.rstrip())
    raise AssertionError("\n".join(said))


def scheduled(app: wiring.App, *, late: timedelta) -> Mailing:
    """A mailing that was due some time ago, as after a service that was down."""
    proof = app.press.proof(app.issue_path("1.1"))
    order = plan.Order(proof=proof, provider="outbox", rate=0, due_at=app.now() - late)
    return app.planner.plan(order, now=app.now() - late - timedelta(hours=1))


def tally(app: wiring.App, mailing: Mailing) -> dict[State, int]:
    return {state: count for state, count in app.ledger.tally(mailing.id).states.items() if count}


def wait_for(
    process: subprocess.Popen[str], app: wiring.App, mailing: Mailing, wanted: MailingStatus
) -> None:
    """Wait until the mailing has a status; the service's own output is the clock."""
    stop = threading.Event()
    for _ in range(int(PATIENCE * 20)):
        if app.ledger.get(mailing.id).status is wanted or process.poll() is not None:
            break
        stop.wait(0.05)
    assert app.ledger.get(mailing.id).status is wanted


@pytest.fixture
def app(tmp_path: Path) -> Iterator[wiring.App]:
    made = mailings.make(tmp_path)
    yield made
    made.close()


def test_pages_answer_and_a_polite_end_is_a_clean_one(app: wiring.App) -> None:
    with serving(app.workspace.root) as (address, process, _):
        with urllib.request.urlopen(f"{address}/health", timeout=PATIENCE) as answer:
            assert answer.read() == b'{"status":"ok"}'
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{address}/u/AAAA", timeout=PATIENCE)
        assert caught.value.code == 404
        caught.value.close()
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0


def test_a_visitor_is_whoever_connects_unless_a_proxy_of_the_settings_says_otherwise(
    app: wiring.App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_WEB__TRUSTED_PROXIES", '["10.0.0.0/8"]')
    with serving(app.workspace.root) as (address, _, _):
        with urllib.request.urlopen(f"{address}/manage") as page:
            cookie = page.headers["Set-Cookie"].partition(";")[0]
            hidden = dict(re.findall(r'name="(csrf|began)" value="([^"]*)"', page.read().decode()))
        body = urllib.parse.urlencode({**hidden, "email": "ada@example.org"}).encode()
        statuses = []
        for number in range(11):
            headers = {"Cookie": cookie, "X-Forwarded-For": f"203.0.113.{number}"}
            try:
                with urllib.request.urlopen(
                    urllib.request.Request(f"{address}/manage", body, headers)
                ) as done:
                    statuses.append(done.status)
            except urllib.error.HTTPError as refused:
                statuses.append(refused.code)
    assert statuses == [200] * 10 + [429]


def test_a_port_that_is_taken_is_said_with_the_next_thing_to_type(app: wiring.App) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = subprocess.run(
            command(app.workspace.root, "--port", str(port)),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in done.stderr
    assert f"newsletter serve --port {port + 1}" in done.stderr


def test_a_mailing_that_fell_due_while_the_service_was_down_goes_out_on_start(app: wiring.App) -> None:
    mailing = scheduled(app, late=timedelta(hours=2))
    with serving(app.workspace.root) as (_, process, _):
        wait_for(process, app, mailing, MailingStatus.DONE)
    assert tally(app, mailing) == {State.SENT: 3}
    assert len(list((app.workspace.root / "outbox" / "new").iterdir())) == 3


def test_a_mailing_that_is_too_late_is_held_and_said_so(app: wiring.App) -> None:
    mailing = scheduled(app, late=timedelta(hours=7))
    with serving(app.workspace.root) as (_, process, said):
        wait_for(process, app, mailing, MailingStatus.HELD)
    assert tally(app, mailing) == {State.PLANNED: 3}
    assert any("held" in line for line in said)


def test_a_schedule_survives_a_restart(app: wiring.App) -> None:
    mailing = scheduled(app, late=-timedelta(days=2))
    for _ in range(2):
        with serving(app.workspace.root) as (_, process, said):
            assert any("is due at" in line for line in said)
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0
    assert app.ledger.get(mailing.id).status is MailingStatus.SCHEDULED


def test_a_process_for_pages_alone_leaves_mailings_to_others(app: wiring.App) -> None:
    mailing = scheduled(app, late=timedelta(hours=2))
    # Where mailings are sent too, what is due has begun before the pages are announced.
    with serving(app.workspace.root, "--role", "web") as (address, process, _):
        with urllib.request.urlopen(f"{address}/health", timeout=PATIENCE) as answer:
            assert answer.read() == b'{"status":"ok"}'
        assert app.ledger.get(mailing.id).status is MailingStatus.SCHEDULED
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    assert tally(app, mailing) == {State.PLANNED: 3}


def test_a_bounce_is_read_when_it_comes_and_not_when_the_clock_strikes(tmp_path: Path) -> None:
    post = mailservers.Store()
    with mailservers.serving(mailservers.ImapHandler, post) as server:
        more = f'[bounces]\nmailbox = "imap://ann@127.0.0.1:{server.port}/INBOX"\nevery = "12h"\n'
        app = mailings.make(tmp_path, {"ada@example.net": "", "bob@example.net": ""}, more=more)
        with (tmp_path / ".env").open("a") as env:
            env.write("NEWSLETTER_BOUNCES__PASSWORD=secret\n")
        mailing = app.ledger.plan(samples.draft(now=app.now()))
        ada, bob = (app.directory.find(f"{name}@example.net") for name in ("ada", "bob"))
        assert ada is not None
        assert bob is not None
        token = app.signer.bounce_token(ada.id, mailing.id)
        with serving(tmp_path) as (_, process, _):
            post.until(lambda: post.idling)
            post.arrive(BOUNCE.format(token=token).replace("\n", "\r\n").encode())
            # A mail goes when its effect is kept, and it is acted on at once after that.
            post.until(lambda: not post.mails and post.idling)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE) == 0
            post.until(lambda: not post.idling)
        found = [app.directory.get(each.id) for each in (ada, bob)]
        app.close()
    assert [each.status for each in found if each] == [Status.BOUNCED, Status.ACTIVE]
