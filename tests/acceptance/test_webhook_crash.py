"""The service is killed while webhooks rush in: whatever was answered 200 is on the disk."""

from __future__ import annotations

import base64
import http.client
import json
import signal
import sqlite3
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter import wiring
from tests.acceptance.test_serve import PATIENCE, serving
from tests.cli import mailings

SECRET = "newsletter:a long password of a webhook"
AUTH = {"Authorization": "Basic " + base64.b64encode(SECRET.encode()).decode()}
SENDERS, ENOUGH = 8, 400


@pytest.fixture
def house(tmp_path: Path) -> Iterator[wiring.App]:
    app = mailings.make(tmp_path, more='[providers.mail]\nkind = "postmark"\n')
    with (tmp_path / ".env").open("a") as env:
        env.write(f'NEWSLETTER_PROVIDERS__MAIL__WEBHOOK_SECRET="{SECRET}"\n')
    yield app
    app.close()


class Vendor(threading.Thread):
    """Posts one event after the other on one connection until it breaks."""

    def __init__(self, address: str, first: int, enough: threading.Event) -> None:
        super().__init__()
        self._host = urllib.parse.urlsplit(address).netloc
        self._number = first
        self._enough = enough
        self.answered: list[int] = []

    def run(self) -> None:
        connection = http.client.HTTPConnection(self._host, timeout=PATIENCE)
        try:
            while self._one(connection):
                self._number += SENDERS
                if len(self.answered) >= ENOUGH // SENDERS:
                    self._enough.set()
        except (OSError, http.client.HTTPException):
            pass
        finally:
            self._enough.set()
            connection.close()

    def _one(self, connection: http.client.HTTPConnection) -> bool:
        event = {"RecordType": "Delivery", "MessageID": f"m-{self._number}"}
        connection.request("POST", "/webhooks/mail", json.dumps(event), AUTH)
        answer = connection.getresponse()
        answer.read()
        if answer.status == 200:
            self.answered.append(self._number)
        return answer.status == 200


def kept(folder: Path) -> set[int]:
    with sqlite3.connect(folder / "subscribers.db") as connection:
        bodies = connection.execute("SELECT body FROM report").fetchall()
    return {int(json.loads(body)["MessageID"].removeprefix("m-")) for (body,) in bodies}


def test_what_was_answered_is_kept_and_applied_after_a_kill(house: wiring.App) -> None:
    root, enough = house.workspace.root, threading.Event()
    with serving(root) as (address, process, _):
        vendors = [Vendor(address, number, enough) for number in range(SENDERS)]
        for vendor in vendors:
            vendor.start()
        assert enough.wait(PATIENCE)
        process.send_signal(signal.SIGKILL)
        for vendor in vendors:
            vendor.join(PATIENCE)
    answered = {number for vendor in vendors for number in vendor.answered}
    assert len(answered) > SENDERS
    assert answered - kept(root) == set()
    account = house.feedback.work_off()
    assert account.problems == 0
    assert sum(house.feedback_book.tally().values()) == len(kept(root))
