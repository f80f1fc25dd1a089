"""Ten thousand messages through mail servers that people run: none lost, none doubled, not a byte changed."""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from newsletter.domain import errors, messages
from newsletter.domain.verdicts import Kind
from newsletter.providers.smtp.options import Security, SmtpOptions
from newsletter.providers.smtp.provider import Smtp
from newsletter.providers.tray import Tray
from tests.providers.scripted_smtp import ScriptedServer
from tests.soak import dkim, real_servers
from tests.soak.real_servers import RealServer

pytestmark = pytest.mark.soak

COUNT = 10_000
_WORDS = (
    ".",
    "..",
    "From ",
    "a",
    "=3D",
    "\t",
    "  ",
    "ä—✓",
    ".\r\n.",
    "x" * 300,
    "MAIL FROM:<a@b>",
    "\\",
    "--=_",
)


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user may reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


def nasty(number: int) -> messages.Message:
    """A message whose lines begin, end and look like what servers trip over."""
    rng = random.Random(number)
    lines = ["".join(rng.choices(_WORDS, k=rng.randint(0, 3))) for _ in range(rng.choice((3, 30, 300)))]
    key = f"v2n23.key{number}@news.example.org"
    head = (
        f"From: News <news@example.org>\r\nTo: reader{number}@example.org\r\nSubject: letter {number}\r\n"
        f"Date: Fri, 20 Nov 2026 09:00:00 +0000\r\nMessage-ID: <{key}>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    )
    raw = (head + "\r\n".join(lines) + "\r\nend\r\n").encode()
    return messages.Message(
        number, f"bounce+{number}@example.org", f"reader{number}@example.org", key, (raw,)
    )


def digest(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


def sent_part(stored: bytes) -> bytes:
    """Return a delivered message without the lines that the server put before it."""
    return stored[stored.index(b"From: News <news@example.org>\n") :]


def options(server: RealServer, **more: object) -> SmtpOptions:
    values: dict[str, object] = {"password": real_servers.PASSWORD, "connections": 8, **more}
    return SmtpOptions(
        host="127.0.0.1",
        port=server.port,
        security=Security.STARTTLS,
        ca_file=server.ca_file,
        username=real_servers.USER,
        **values,  # type: ignore[arg-type]  # of several types
    )


@pytest.mark.parametrize("name", ["postfix", "exim"])
@pytest.mark.parametrize("way", [{"window": 4}, {"window": 0}], ids=["chunks", "data"])
async def test_every_message_arrives_once_and_byte_by_byte(
    name: str, way: dict[str, object], place: Path
) -> None:
    async with getattr(real_servers, name)(place) as server:
        tray = Tray(nasty(number) for number in range(1, COUNT + 1))
        await Smtp(options(server, **way)).send(tray)
        assert Counter(one.verdict.kind for one in tray.receipts) == {Kind.ACCEPTED: COUNT}
        assert all(one.provider_id for one in tray.receipts)
        assert await server.settled(COUNT, patience=900) == COUNT
        arrived = Counter(digest(sent_part(stored)) for stored in server.mail())
    expected = {digest(nasty(number).raw.replace(b"\r\n", b"\n")) for number in range(1, COUNT + 1)}
    assert arrived == dict.fromkeys(expected, 1)


@pytest.mark.parametrize("name", ["postfix", "exim"])
async def test_a_wrong_password_stops_the_send(name: str, place: Path) -> None:
    async with getattr(real_servers, name)(place) as server:
        tray = Tray([nasty(1)])
        with pytest.raises(errors.ProviderRefusedError, match=re.compile("535")):
            await Smtp(options(server, password="wrong")).send(tray)
    assert tray.waiting == 1


@pytest.mark.parametrize("name", ["postfix", "exim"])
async def test_without_a_login_the_server_does_not_relay_and_the_send_stops(name: str, place: Path) -> None:
    async with getattr(real_servers, name)(place) as server:
        made = SmtpOptions(host="127.0.0.1", port=server.port, ca_file=server.ca_file)
        tray = Tray(nasty(number)._replace(recipient="anna@elsewhere.example") for number in range(1, 11))
        with pytest.raises(errors.ProviderRefusedError, match=re.compile("relay", re.IGNORECASE)):
            await Smtp(made).send(tray)
    assert {one.verdict.kind for one in tray.receipts} == {Kind.STOP}


async def test_what_a_server_signs_can_be_verified_by_whoever_gets_it(place: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (place / "dkim.pem").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    )
    sent = [nasty(number)._replace(recipient=f"reader{number}@elsewhere.example") for number in range(1, 101)]
    async with ScriptedServer() as receiver, real_servers.exim(place, onward=receiver.port) as server:
        await Smtp(options(server)).send(Tray(sent))
        async with asyncio.timeout(120):
            while len(receiver.taken) < len(sent):
                await asyncio.sleep(0.1)
    for one in receiver.taken:
        assert {"from", "subject", "message-id", "date"} <= dkim.verify(one.content, key.public_key())
    spoilt = receiver.taken[0].content.replace(b"\r\nend\r\n", b"\r\nEND\r\n")
    with pytest.raises(ValueError, match="the body is not what was signed"):
        dkim.verify(spoilt, key.public_key())
