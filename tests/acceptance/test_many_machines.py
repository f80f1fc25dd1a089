"""Senders that share a PostgreSQL database never send one delivery, and go on where one of them died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from newsletter.domain.deliveries import MailingStatus, State
from newsletter.sending.plan import Order
from tests.cli import mailings

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
