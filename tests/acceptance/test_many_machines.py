"""Processes that share a database send a mailing together: nobody is missed, and nobody is mailed twice."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from newsletter import wiring
from newsletter.domain.deliveries import Mailing, MailingStatus, State
from newsletter.sending import owners
from newsletter.sending.plan import Order
from tests.cli import mailings
from tests.cli.mailings import Postbox

READERS = {f"reader{number}@example.net": f"Reader {number}" for number in range(1, 301)}

_JOIN = """
import asyncio, sys
from pathlib import Path
from newsletter import wiring
app = wiring.build(Path(sys.argv[1]))
[mailing] = app.ledger.mailings()
result = asyncio.run(app.sender("smtp").send(mailing.id))
print(sum(result.counts.values()))
"""


def test_three_senders_share_a_mailing_and_one_of_them_dies(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The way in for a server that is only known now, here and in the senders' own processes.
    monkeypatch.setenv("NEWSLETTER_DATABASE__URL", postgres_url)
    app = mailings.make(tmp_path, READERS)
    app.planner.plan(Order(proof=app.press.proof(app.issue_path("1.1")), provider="smtp"), now=app.now())
    with mailings.serving() as (postbox, port):
        environment = {**os.environ, "NEWSLETTER_PROVIDERS__SMTP__PORT": str(port)}
        command = [sys.executable, "-c", _JOIN, str(tmp_path)]
        senders = [
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(3)
        ]
        postbox.on_mail = lambda count: senders[0].send_signal(signal.SIGKILL) if count == 60 else None
        for one in senders:
            one.communicate(timeout=120)
        [mailing] = app.ledger.mailings()
        # Unless one that began later has seen already that the first was dead.
        if mailing.status is MailingStatus.SENDING:
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, timeout=120)
    assert dict(app.ledger.tally(mailing.id).states) == {State.SENT: 300}
    assert set(postbox.recipients) == set(READERS)
    repeated = [count - 1 for count in Counter(postbox.recipients).values() if count > 1]
    assert sum(repeated) <= 64
    ids = dict(zip(postbox.recipients, postbox.message_ids(), strict=True))
    assert len(set(ids.values())) == 300
    assert list(app.audit.problems(mailing)) == []
    app.ledger.close()  # type: ignore[attr-defined]  # the stored ledger holds a connection
    app.database.close()


# -- services ----------------------------------------------------------------------------------

PATIENCE = 90.0
#: Messages a second, so few that a mailing lasts until whoever is to join has come.
SLOW = 3.0


@dataclass
class Site:
    """A workspace on one database, a mail server, and the machines that serve it."""

    app: wiring.App
    postbox: Postbox
    environment: dict[str, str]

    @contextlib.contextmanager
    def serving(self, count: int = 1) -> Iterator[list[subprocess.Popen[str]]]:
        """Run so many `newsletter serve` in processes of their own, until the block ends."""
        command = [*self._command, "serve", "--role", "worker"]
        machines = [
            subprocess.Popen(
                command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            for _ in range(count)
        ]
        try:
            for machine in machines:
                assert machine.stdout is not None
                assert any(line.startswith("At work") for line in machine.stdout)
            yield machines
        finally:
            for machine in machines:
                machine.send_signal(signal.SIGTERM)
            said = [machine.communicate(timeout=PATIENCE)[0] for machine in machines]
        assert [text for text in said if "Traceback" in text] == []

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [*self._command, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    @property
    def _command(self) -> list[str]:
        return [sys.executable, "-m", "newsletter", "-C", str(self.app.workspace.root)]

    def plan(self, *, rate: float = 0, due: timedelta | None = None) -> Mailing:
        proof, now = self.app.press.proof(self.app.issue_path("1.1")), self.app.now()
        order = Order(proof=proof, provider="smtp", rate=rate, due_at=now + due if due else None)
        return self.app.planner.plan(order, now=now)

    def wait_for(self, mailing: Mailing, wanted: MailingStatus = MailingStatus.DONE) -> None:
        """Wait until a mailing has a status."""
        self.wait(lambda: self.app.ledger.get(mailing.id).status is wanted)

    @staticmethod
    def wait(true: Callable[[], bool]) -> None:
        """Wait for a condition, and fail when it does not come."""
        pause = threading.Event()
        for _ in range(int(PATIENCE * 20)):
            if true():
                return
            pause.wait(0.05)
        raise AssertionError("it did not come to that")

    def wait_for_senders(self, mailing: Mailing, count: int) -> None:
        """Wait until so many had a part in a mailing that is slow on purpose, and end its slowness."""
        self.wait(lambda: self.senders(mailing) >= count and bool(self.postbox.taken))
        assert self.run("mailing", "pause", "1.1").returncode == 0
        self.wait(lambda: not self.app.ledger.senders(mailing.id))
        assert 0 < len(self.postbox.taken) < len(READERS)
        with self.app.database.writing() as connection:
            connection.execute(sa.text("UPDATE mailing SET rate = 0"))
        assert self.run("mailing", "resume", "1.1").returncode == 0

    def senders(self, mailing: Mailing) -> int:
        """Count the processes that had a part in a mailing."""
        query = sa.text("SELECT count(DISTINCT lease_id) FROM delivery WHERE mailing_id = :mailing")
        with self.app.database.reading() as connection:
            return int(connection.scalar(query, {"mailing": mailing.id}) or 0)

    def require_everybody_once(self, mailing: Mailing, *, twice: int = 0) -> None:
        """Make sure that everybody was mailed, so many twice at most, and that the ledger says the same."""
        assert dict(self.app.ledger.tally(mailing.id).states) == {State.SENT: len(READERS)}
        assert set(self.postbox.recipients) == set(READERS)
        repeated = [count - 1 for count in Counter(self.postbox.recipients).values() if count > 1]
        assert sum(repeated) <= twice
        assert len(set(self.postbox.message_ids())) == len(READERS)
        verified = self.run("mailing", "verify", "1.1")
        assert verified.returncode == 0, verified.stderr


@pytest.fixture(params=["sqlite", "postgres_url"])
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Site]:
    if request.param != "sqlite":
        monkeypatch.setenv("NEWSLETTER_DATABASE__URL", request.getfixturevalue(request.param))
    monkeypatch.setenv("NEWSLETTER_DELIVERY__SENDERS", "2")
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    app = mailings.make(tmp_path, READERS)
    with mailings.serving() as (postbox, port):
        monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", str(port))
        yield Site(app, postbox, dict(os.environ))
    app.ledger.close()  # type: ignore[attr-defined]  # the stored ledger holds a connection
    app.database.close()


def test_two_services_send_a_mailing_together(site: Site) -> None:
    with site.serving(2):
        mailing = site.plan(rate=SLOW)
        site.wait_for_senders(mailing, 2)
        site.wait_for(mailing)
    site.require_everybody_once(mailing)


@pytest.mark.soak
def test_two_services_hold_the_rate_of_their_account_together_within_a_hundredth(site: Site) -> None:
    arrived: list[float] = []
    for number in range(1, 3001):
        mailings.join(site.app, f"more{number}@example.net")
    site.postbox.on_mail = lambda count: arrived.append(time.monotonic())
    with site.serving(2):
        mailing = site.plan(rate=50)
        site.wait(lambda: len(site.app.at_work(mailing.id)) == 2)
        begun = len(arrived)
        site.wait_for(mailing)
    assert site.senders(mailing) == 2
    rate = (len(arrived) - 1 - begun) / (arrived[-1] - arrived[begun])
    assert rate == pytest.approx(50, rel=0.01)


def test_a_scheduled_mailing_goes_out_once_by_two_services(site: Site) -> None:
    mailing = site.plan(due=timedelta(seconds=1))
    with site.serving(2):
        site.wait_for(mailing)
    site.require_everybody_once(mailing)


def test_a_service_that_is_killed_is_replaced_by_the_other(site: Site) -> None:
    with site.serving(2) as machines:

        def kill_one_at_work(count: int) -> None:
            if count == 100:
                owner = site.app.at_work(mailing.id)[0].owner
                os.kill(int(owners.process(owner)), signal.SIGKILL)

        site.postbox.on_mail = kill_one_at_work
        mailing = site.plan(rate=50)
        site.wait_for(mailing)
        site.wait(lambda: any(machine.poll() == -signal.SIGKILL for machine in machines))
    site.require_everybody_once(mailing, twice=64)


def test_a_service_that_starts_in_the_middle_joins_in(site: Site) -> None:
    with site.serving():
        mailing = site.plan(rate=SLOW)
        site.wait(lambda: len(site.postbox.taken) > 0)
        with site.serving():
            site.wait_for_senders(mailing, 2)
            site.wait_for(mailing)
    site.require_everybody_once(mailing)


def test_the_status_names_every_machine_at_work_and_a_pause_reaches_them(site: Site) -> None:
    with site.serving(2) as machines:
        mailing = site.plan(rate=SLOW)
        site.wait(lambda: len(site.app.at_work(mailing.id)) == 2)
        told = json.loads(site.run("mailing", "status", "1.1", "--json").stdout)
        assert {one["process"] for one in told["senders"]} == {str(machine.pid) for machine in machines}
        assert site.run("mailing", "pause", "1.1").returncode == 0
        site.wait(lambda: not site.app.ledger.senders(mailing.id))
        assert 0 < site.app.ledger.tally(mailing.id).states[State.PLANNED] <= len(READERS)
        assert site.run("mailing", "cancel", "1.1", "--yes").returncode == 0
    assert len(site.postbox.taken) == len(set(site.postbox.recipients)) < len(READERS)


@pytest.mark.parametrize("site", ["postgres_url"], indirect=True)
def test_a_database_that_breaks_every_connection_costs_nobody_their_mail(site: Site) -> None:
    def break_all(count: int) -> None:
        if count in (50, 150):
            with site.app.database.reading() as connection:
                connection.execute(
                    sa.text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )

    with site.serving(2):
        site.postbox.on_mail = break_all
        mailing = site.plan(rate=50)
        site.wait_for(mailing)
    site.require_everybody_once(mailing)
