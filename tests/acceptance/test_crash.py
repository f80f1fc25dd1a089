"""Whatever ends a sender, its mailing goes on where it was: nobody is missed, and the ledger adds up."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from newsletter import wiring
from newsletter.domain.deliveries import State
from tests.cli import mailings
from tests.cli.mailings import Postbox

#: As `delivery.window` has it.
WINDOW = 64
#: Moments of a kill in the everyday run, and in `make soak`.
FEW, MANY = 3, 100


@dataclass
class Scene:
    """A workspace with many readers, and a server that counts their mail."""

    app: wiring.App
    postbox: Postbox
    port: int
    settings: dict[str, str] = field(default_factory=dict)

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start `newsletter mailing …` in a process of its own."""
        environment = {**os.environ, "NEWSLETTER_PROVIDERS__SMTP__PORT": str(self.port), **self.settings}
        return subprocess.Popen(
            [sys.executable, "-m", "newsletter", "-C", str(self.app.workspace.root), "mailing", *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def send(self, *, signal_at: int = 0, number: signal.Signals = signal.SIGKILL) -> tuple[int, str, str]:
        """Run `mailing send`, and send it a signal once so many more mails have arrived."""
        process = self.start("send", "1.1", "--yes")
        aim = len(self.postbox.taken) + signal_at
        self.postbox.on_mail = lambda count: process.send_signal(number) if count == aim else None
        out, err = process.communicate(timeout=120)
        self.postbox.on_mail = lambda count: None
        return process.returncode, out, err

    def states(self) -> dict[State, int]:
        [mailing] = self.app.ledger.mailings()
        return dict(self.app.ledger.tally(mailing.id).states)

    def problems(self) -> list[str]:
        [mailing] = self.app.ledger.mailings()
        return list(self.app.audit.problems(mailing))


@pytest.fixture
def scene(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Scene]:
    count = getattr(request, "param", 300)
    readers = {f"reader{number}@example.net": f"Reader {number}" for number in range(1, count + 1)}
    app = mailings.make(tmp_path, readers)
    with mailings.serving() as (postbox, port):
        yield Scene(app, postbox, port)
    app.ledger.close()  # type: ignore[attr-defined]  # the stored ledger holds a connection
    app.database.close()


def repeated(scene: Scene) -> int:
    """Return how many mails came more than once; every repetition must carry the same Message-ID."""
    by_reader: dict[str, set[str]] = {}
    for reader, message_id in zip(scene.postbox.recipients, scene.postbox.message_ids(), strict=True):
        by_reader.setdefault(reader, set()).add(message_id)
    assert all(len(ids) == 1 for ids in by_reader.values())
    return sum(Counter(scene.postbox.recipients).values()) - len(by_reader)


def kill_and_go_on(scene: Scene, *, times: int, rng: random.Random, step: int) -> int:
    """Kill a sender so many times at random moments, let the last one finish; return the kills that hit."""
    hits = 0
    for _ in range(times):
        code, _, err = scene.send(signal_at=rng.randint(1, step))
        if code == -signal.SIGKILL:
            hits += 1
        else:
            assert code in (0, 1), err
    return hits


def test_a_killed_sender_misses_nobody_and_repeats_only_what_was_in_doubt(scene: Scene) -> None:
    hits = kill_and_go_on(scene, times=FEW, rng=random.Random(9), step=300 // FEW)
    assert hits >= FEW - 1
    assert State.SENDING in scene.states()
    code, out, err = scene.send()
    assert code == 0, err
    assert "were in the air when an earlier sender ended" in out
    assert set(scene.postbox.recipients) == {f"reader{number}@example.net" for number in range(1, 301)}
    assert repeated(scene) <= hits * WINDOW
    assert scene.states() == {State.SENT: 300}
    assert scene.problems() == []


def test_with_hold_a_killed_sender_repeats_nothing_and_lists_the_rest(scene: Scene) -> None:
    scene.settings["NEWSLETTER_DELIVERY__AFTER_CRASH"] = "hold"
    hits = kill_and_go_on(scene, times=3, rng=random.Random(10), step=30)
    assert hits == 3
    code, out, err = scene.send()
    assert code == 3, err
    assert repeated(scene) == 0
    states = scene.states()
    assert set(states) == {State.SENT, State.UNKNOWN}
    assert states[State.UNKNOWN] <= hits * WINDOW
    assert states[State.SENT] <= len(scene.postbox.taken)
    [mailing] = scene.app.ledger.mailings()
    unknown = {one.email for one in scene.app.ledger.deliveries(mailing.id, states=[State.UNKNOWN])}
    reached = set(scene.postbox.recipients)
    assert {f"reader{number}@example.net" for number in range(1, 301)} - reached <= unknown
    assert "unknown" in out
    assert scene.problems() == []


@pytest.mark.soak
@pytest.mark.parametrize("scene", [10_000], indirect=True)
def test_a_hundred_kills_of_a_large_mailing(scene: Scene) -> None:
    hits = kill_and_go_on(scene, times=MANY, rng=random.Random(11), step=180)
    code, _, err = scene.send()
    assert code == 0, err
    assert len(set(scene.postbox.recipients)) == 10_000
    again = repeated(scene)
    print(f"{hits} kills, {again} mails repeated, {again / hits:.1f} a kill, at most {WINDOW}")
    assert again <= hits * WINDOW
    assert scene.problems() == []


def test_ctrl_c_finishes_what_is_in_the_air_and_says_how_to_go_on(scene: Scene) -> None:
    code, _, err = scene.send(signal_at=100, number=signal.SIGINT)
    assert code == 1
    assert "stopped by Ctrl-C" in err
    assert "newsletter mailing send 1.1" in err
    states = scene.states()
    assert set(states) == {State.SENT, State.PLANNED}
    assert states[State.SENT] == len(scene.postbox.taken)
    code, _, err = scene.send()
    assert code == 0, err
    assert Counter(scene.postbox.recipients) == {f"reader{number}@example.net": 1 for number in range(1, 301)}


def test_a_terminated_sender_leaves_the_mailing_open_for_the_next(scene: Scene) -> None:
    code, _, err = scene.send(signal_at=50, number=signal.SIGTERM)
    assert code == 1
    assert "stopped by the system" in err
    [mailing] = scene.app.ledger.mailings()
    assert mailing.status == "sending"
    code, _, err = scene.send()
    assert code == 0, err
    assert repeated(scene) == 0


def test_a_server_that_dies_in_mid_mailing_loses_nobody(scene: Scene) -> None:
    dying = scene.postbox

    def die(count: int) -> None:
        dying.dead = count >= 100

    process = scene.start("send", "1.1", "--yes")
    dying.on_mail = die
    out, err = process.communicate(timeout=120)
    assert process.returncode in (1, 3), out + err
    states = scene.states()
    assert sum(states.values()) == 300
    assert State.SENDING not in states
    with mailings.serving() as (postbox, port):
        reborn = Scene(scene.app, postbox, port)
        with scene.app.database.writing() as connection:
            connection.exec_driver_sql("UPDATE delivery SET not_before = 0 WHERE state = 'planned'")
        code, _, err = reborn.send()
        assert code == 0, err
        arrived = set(dying.recipients) | set(postbox.recipients)
    assert arrived == {f"reader{number}@example.net" for number in range(1, 301)}
    assert reborn.states() == {State.SENT: 300}


def test_a_second_sender_is_refused_while_the_first_is_at_work(scene: Scene) -> None:
    said: list[tuple[int, str]] = []

    def try_again(count: int) -> None:
        # The server answers nobody until the second sender has ended: the first is at work meanwhile.
        if count == 20:
            second = scene.start("send", "1.1", "--yes")
            _, err = second.communicate(timeout=120)
            said.append((second.returncode, err))

    scene.postbox.on_mail = try_again
    first = scene.start("send", "1.1", "--yes")
    _, err = first.communicate(timeout=240)
    assert first.returncode == 0, err
    [(refused, why)] = said
    assert refused == 1
    assert "is being sent already, by process" in why
    assert repeated(scene) == 0


_JOIN = """
import asyncio, sys
from pathlib import Path
from newsletter import wiring
app = wiring.build(Path(sys.argv[1]))
[mailing] = app.ledger.mailings()
result = asyncio.run(app.sender("smtp").send(mailing.id))
print(sum(result.counts.values()))
"""


def test_two_senders_on_one_database_never_send_one_delivery(scene: Scene) -> None:
    from newsletter.sending.plan import Order

    app = scene.app
    app.planner.plan(Order(proof=app.press.proof(app.issue_path("1.1")), provider="smtp"), now=app.now())
    environment = {**os.environ, "NEWSLETTER_PROVIDERS__SMTP__PORT": str(scene.port)}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", _JOIN, str(app.workspace.root)],
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    shares = [int(process.communicate(timeout=120)[0]) for process in both]
    assert sum(shares) == 300
    assert Counter(scene.postbox.recipients) == {f"reader{number}@example.net": 1 for number in range(1, 301)}
    assert scene.states() == {State.SENT: 300}
