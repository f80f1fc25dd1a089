"""A sender is killed when an email API has taken a batch, before or after its answer: what goes again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter import wiring
from newsletter.domain.deliveries import State
from tests.cli import mailings
from tests.providers.apis import vendors
from tests.providers.apis.harness import Asked, Told, serving

COUNT = 150
_SECRETS = {"postmark": "TOKEN", "ses": "SECRET_KEY"}
_MORE = {"ses": f'region = "us-east-1"\naccess_key = "{vendors.KEY}"\n'}
_API = """
[providers.api]
kind = "{kind}"
url = "{url}"
connections = 1
"""


class Killer:
    """A vendor in front of which the sender dies once, when the batch is taken and the answer is not out."""

    def __init__(self, vendor: vendors.Speaker) -> None:
        self.vendor = vendor
        self.faults, self.taken = vendor.faults, vendor.taken
        self.process: subprocess.Popen[str] | None = None

    def answer(self, asked: Asked) -> Told:
        told = self.vendor.answer(asked)
        if asked.method == "POST" and self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None
        return told


@pytest.fixture
def house(tmp_path: Path) -> Iterator[wiring.App]:
    app = mailings.make(tmp_path, {f"reader{number}@example.net": "" for number in range(COUNT)})
    yield app
    app.ledger.close()  # type: ignore[attr-defined]  # the stored ledger holds a connection
    app.database.close()


#: The command line, in a process that dies when the first answers are in and not yet in the ledger.
_DYING = """
import os, signal, sys
from newsletter.cli.main import run
from newsletter.store.ledger import StoredLedger

turn = StoredLedger.turn

def dying(self, mailing, lease, outcomes, **given):
    if outcomes:
        print("answered:", len(outcomes), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    return turn(self, mailing, lease, outcomes, **given)

StoredLedger.turn = dying
run()
"""


def start(
    house: wiring.App, kind: str, after_crash: str, *, program: tuple[str, ...] = ("-m", "newsletter")
) -> subprocess.Popen[str]:
    given = {
        f"NEWSLETTER_PROVIDERS__API__{_SECRETS.get(kind, 'API_KEY')}": vendors.KEY,
        "NEWSLETTER_DELIVERY__PROVIDER": "api",
        "NEWSLETTER_DELIVERY__AFTER_CRASH": after_crash,
    }
    words = (sys.executable, *program, "-C", str(house.workspace.root), "mailing", "send", "1.1")
    return subprocess.Popen(
        [*words, "--yes"],
        env={**os.environ, **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def killed_and_resumed(house: wiring.App, vendor: vendors.Speaker, after_crash: str) -> str:
    """Send until the vendor has taken a batch, die, and send again; return what the second run said."""
    killer = Killer(vendor)
    with serving(killer) as url:
        toml = house.workspace.settings_file
        kind = type(vendor).__name__.lower()
        toml.write_text(toml.read_text() + _API.format(kind=kind, url=url))
        process = killer.process = start(house, kind, after_crash)
        said, _ = process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, said
        assert vendor.taken, "it died before anything was taken"
        out, _ = start(house, kind, after_crash).communicate(timeout=60)
    return out


def killed_after_the_answer(house: wiring.App, vendor: vendors.Speaker, after_crash: str) -> tuple[int, str]:
    """Send until answers are in, die before they are written, and send again.

    Returns how many were answered for at that moment, and what the second run said.
    """
    with serving(vendor) as url:
        toml = house.workspace.settings_file
        kind = type(vendor).__name__.lower()
        toml.write_text(toml.read_text() + _API.format(kind=kind, url=url) + _MORE.get(kind, ""))
        said, _ = (process := start(house, kind, after_crash, program=("-c", _DYING))).communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, said
        answered = int(said.rpartition("answered: ")[2].split()[0])
        assert 0 < answered <= len(vendor.taken)
        assert set(states(house)) <= {State.SENDING, State.PLANNED}, "nothing of the answers was written"
        out, _ = start(house, kind, after_crash).communicate(timeout=60)
    return answered, out


def states(house: wiring.App) -> dict[State, int]:
    (mailing,) = house.ledger.mailings()
    return {state: count for state, count in house.ledger.tally(mailing.id).states.items() if count}


def test_where_repeats_are_recognised_everybody_gets_it_exactly_once(house: wiring.App) -> None:
    vendor = vendors.Resend()
    out = killed_and_resumed(house, vendor, "resend")
    assert states(house) == {State.SENT: COUNT}, out
    assert Counter(vendor.taken).most_common(1)[0][1] == 1
    assert len(vendor.taken) == COUNT


def test_where_they_are_not_a_person_decides_if_they_want_to(house: wiring.App) -> None:
    vendor = vendors.Postmark()
    out = killed_and_resumed(house, vendor, "hold")
    assert set(states(house)) == {State.UNKNOWN}, out
    assert states(house)[State.UNKNOWN] == COUNT
    assert Counter(vendor.taken).most_common(1)[0][1] == 1


def test_or_the_same_messages_go_again_and_nobody_is_missed(house: wiring.App) -> None:
    vendor = vendors.Postmark()
    killed_and_resumed(house, vendor, "resend")
    assert states(house) == {State.SENT: COUNT}
    assert set(Counter(vendor.taken).values()) == {2}
    first, again = ([message["Headers"] for message in call.json()] for call in vendor.calls)
    ids = [[h["Value"] for h in headers if h["Name"] == "Message-ID"] for headers in first]
    assert ids == [[h["Value"] for h in headers if h["Name"] == "Message-ID"] for headers in again]


@pytest.mark.parametrize("vendor", [vendors.Resend(), vendors.Brevo()], ids=["resend", "brevo"])
def test_answers_that_were_never_written_are_given_again_where_repeats_are_recognised(
    house: wiring.App, vendor: vendors.Speaker
) -> None:
    answered, out = killed_after_the_answer(house, vendor, "resend")
    assert states(house) == {State.SENT: COUNT}, out
    assert sorted(vendor.taken) == sorted(f"reader{number}@example.net" for number in range(COUNT))
    repeated = len(vendor.calls) - len({call.body for call in vendor.calls})
    assert repeated, f"{answered} answers were lost, and nothing was asked again"


@pytest.mark.parametrize("vendor", [vendors.Postmark(), vendors.Ses()], ids=["postmark", "ses"])
def test_where_they_are_not_what_was_answered_for_is_unknown_and_waits(
    house: wiring.App, vendor: vendors.Speaker
) -> None:
    answered, out = killed_after_the_answer(house, vendor, "hold")
    found = states(house)
    assert found[State.UNKNOWN] >= answered, out
    assert sum(found.values()) == COUNT
    assert max(Counter(vendor.taken).values()) == 1


@pytest.mark.parametrize("vendor", [vendors.Postmark(), vendors.Ses()], ids=["postmark", "ses"])
def test_or_goes_again_to_as_few_as_can_be_and_misses_nobody(
    house: wiring.App, vendor: vendors.Speaker
) -> None:
    answered, out = killed_after_the_answer(house, vendor, "resend")
    assert states(house) == {State.SENT: COUNT}, out
    times = Counter(vendor.taken)
    assert len(times) == COUNT
    assert max(times.values()) == 2
    assert answered <= sum(count == 2 for count in times.values())
