"""A mailing through Postfix to a remote that refuses: real bounces come back, and the right people leave.

Two Postfix from Debian: the relay that we hand over to, and the remote with an unknown user, a full mailbox,
a greylisting policy and a domain that refuses. The relay's notices come back by VERP into a Maildir.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from newsletter import wiring
from newsletter.domain.deliveries import State
from newsletter.domain.subscribers import Status
from tests.cli import mailings
from tests.soak import real_servers

READERS = (
    "ok@remote.test",
    "unknown@remote.test",
    "full@remote.test",
    "grey@remote.test",
    "any@refusing.test",
)
#: Seconds that the remote's policy puts a stranger off.
GREY = 3.0
#: The relay gives up after twelve seconds, and tries every second.
_RELAY = """
compatibility_level = 3.6
mail_owner = postfix
setgid_group = postdrop
myhostname = relay.example.org
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
maillog_file = {place}/log
maillog_file_prefixes = {place}
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject
virtual_mailbox_domains = example.org
virtual_mailbox_base = {place}
virtual_mailbox_maps = static:mail/
virtual_uid_maps = static:{nobody}
virtual_gid_maps = static:{nobody}
transport_maps = inline:{{
  {{ remote.test = smtp:[127.0.0.1]:{remote} }},
  {{ refusing.test = smtp:[127.0.0.1]:{remote} }} }}
smtp_dns_support_level = disabled
smtp_connection_cache_on_demand = no
queue_run_delay = 1s
minimal_backoff_time = 1s
maximal_backoff_time = 1s
maximal_queue_lifetime = 12s
"""
_REMOTE = """
compatibility_level = 3.6
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.remote.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mydestination =
alias_maps =
maillog_file = {place}/log
maillog_file_prefixes = {place}
virtual_mailbox_domains = remote.test, refusing.test
virtual_mailbox_base = {place}
virtual_mailbox_maps = inline:{{
  ok@remote.test=mail/, full@remote.test=mail/, grey@remote.test=mail/, any@refusing.test=mail/ }}
virtual_uid_maps = static:{nobody}
virtual_gid_maps = static:{nobody}
smtpd_recipient_restrictions =
  reject_unauth_destination,
  check_recipient_access inline:{{
    {{ full@remote.test = 452 4.2.2 Mailbox full }},
    {{ refusing.test = 554 5.7.1 Rejected by our policy }} }},
  check_policy_service inet:127.0.0.1:{policy}
"""
_LISTEN = "127.0.0.1:{port} inet n - n - - smtpd\n"


class Policy:
    """A greylisting policy as https://www.postfix.org/SMTPD_POLICY_README.html describes one."""

    def __init__(self) -> None:
        self._first: dict[str, float] = {}
        self.deferred = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        told: dict[str, str] = {}
        # One that is closed, or reset where Postfix is killed in mid-word, asks nothing more.
        while line := await _line(reader):
            name, _, value = line.decode().strip().partition("=")
            told[name] = value
            if name:
                continue
            action = self._action(told["recipient"])
            writer.write(f"action={action}\n\n".encode())
            told.clear()
        writer.close()

    def _action(self, recipient: str) -> str:
        first = self._first.setdefault(recipient, time.monotonic())
        if recipient.startswith("grey") and time.monotonic() - first < GREY:
            self.deferred += 1
            return "defer_if_permit 4.7.1 Greylisted, please come back"
        return "dunno"


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except (ConnectionError, asyncio.CancelledError):
        return b""


@asynccontextmanager
async def _servers(relay: Path, remote: Path) -> AsyncIterator[tuple[int, Policy]]:
    """Run both; yields the relay's port."""
    policy = Policy()
    server = await asyncio.start_server(policy.answer, "127.0.0.1", 0)
    ports = {"relay": real_servers.free_port(), "remote": real_servers.free_port()}
    for place in (relay, remote):
        (place / "mail" / "new").mkdir(parents=True)
        for folder in (place / "mail", place / "mail" / "new"):
            os.chown(folder, real_servers.NOBODY, real_servers.NOBODY)
    values = {"nobody": real_servers.NOBODY, "policy": server.sockets[0].getsockname()[1], **ports}
    async with (
        server,
        real_servers.postfix_as(
            remote,
            _REMOTE.format(place=remote, **values),
            _LISTEN.format(port=ports["remote"]),
            port=ports["remote"],
        ),
        real_servers.postfix_as(
            relay,
            _RELAY.format(place=relay, **values),
            _LISTEN.format(port=ports["relay"]),
            port=ports["relay"],
        ),
    ):
        yield ports["relay"], policy


async def _run(root: Path, *words: str) -> str:
    """Run a command of its own process, and return what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "newsletter", "-C", str(root), *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


async def _wait_for(folder: Path, count: int, *, patience: float = 150) -> list[bytes]:
    deadline = time.monotonic() + patience
    while len(list(folder.glob("new/*"))) < count and time.monotonic() < deadline:
        await asyncio.sleep(0.2)
    return [path.read_bytes() for path in folder.glob("new/*")]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that Postfix's delivery agent may enter, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "digest"
    folder.mkdir()
    mailings.make(folder, dict.fromkeys(READERS, "")).close()
    return folder


async def test_real_bounces_come_back_and_only_the_dead_address_leaves(open_folder: Path, root: Path) -> None:
    relay, remote = open_folder / "relay", open_folder / "remote"
    for place in (relay, remote):
        place.mkdir()
    async with _servers(relay, remote) as (port, policy):
        toml = root / "newsletter.toml"
        text = toml.read_text().replace('kind = "smtp"\n', f'kind = "smtp"\nport = {port}\n')
        toml.write_text(f'{text}[bounces]\nmailbox = "maildir:{relay / "mail"}"\n')
        await _run(root, "mailing", "send", "1.1", "--yes")
        arrived = await _wait_for(remote / "mail", 2)
        returned = await _wait_for(relay / "mail", 3)
        told = await _run(root, "feedback", "collect")
    log = (relay / "log").read_text()
    assert len(arrived) == 2, log
    assert {b"ok@remote.test", b"grey@remote.test"} == {
        mail.partition(b"Delivered-To: ")[2].split()[0] for mail in arrived
    }
    assert policy.deferred > 0
    assert len(returned) == 3, log
    assert "3 new events" in told, told
    assert list((relay / "mail").glob("new/*")) == []
    _judge(root)


def _judge(root: Path) -> None:
    app = wiring.build(root)
    people = {address: app.directory.find(address) for address in READERS}
    assert {address: person.status for address, person in people.items() if person} == {
        "ok@remote.test": Status.ACTIVE,
        "unknown@remote.test": Status.BOUNCED,
        "full@remote.test": Status.ACTIVE,
        "grey@remote.test": Status.ACTIVE,
        "any@refusing.test": Status.ACTIVE,
    }
    assert [each.value for each in app.directory.suppressions()] == ["unknown@remote.test"]
    (mailing,) = app.ledger.mailings()
    states = {one.email: one.state for one in app.ledger.deliveries(mailing.id)}
    assert states["ok@remote.test"] is State.SENT
    assert states["unknown@remote.test"] is State.BOUNCED
    app.database.close()
