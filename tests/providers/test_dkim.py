"""Our own signatures, verified by code that is not ours."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from newsletter import ports
from newsletter.domain import errors
from newsletter.providers import dkim as signing
from newsletter.providers.outbox import Outbox, OutboxOptions
from newsletter.providers.tray import Tray
from tests.providers.letters import letter, letters

HEAD = (
    b'From: "Weekly  News" <news@news.example.org>\r\nTo: =?utf-8?q?J=C3=BCrgen?=\r\n\t<j@example.org>\r\n'
    b"Subject: One  subject\t with spaces \r\nDate: Fri, 20 Nov 2026 08:00:00 +0000\r\n"
    b"Message-ID: <a@news.example.org>\r\nList-Unsubscribe: <https://news.example.org/u/t>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\n"
    b"Content-Type: text/plain\r\nFeedback-ID: a:b:c:sender\r\n\r\n"
)
KEY = signing.Key(domain="news.example.org", selector="s1", private=rsa.generate_private_key(65537, 2048))


def verify(raw: bytes, key: signing.Key = KEY) -> bool:
    def record(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"s1._domainkey.news.example.org."
        return f"v=DKIM1; k=rsa; p={key.public}".encode()

    return bool(dkim.verify(raw, dnsfunc=record))


@pytest.mark.parametrize(
    "body",
    [
        b"Hello.\r\n",
        b"",
        b"\r\n",
        b"\r\n\r\n\r\n",
        b"no line end",
        b"spaces  and \t tabs \t\r\n \r\n  indented\r\n\r\n\r\n",
        b"only spaces at its end   \r\n",
        b"a\r\n" * 5000,
    ],
)
def test_every_body_verifies(body: bytes) -> None:
    assert verify(signing.Signer(KEY).sign(HEAD + body))


@given(st.lists(st.text(alphabet=" \tab\r\n", max_size=40), min_size=2, max_size=6))
def test_bodies_that_share_a_beginning_verify_each(texts: list[str]) -> None:
    signer = signing.Signer(KEY)
    start = b"a  beginning\r\n\r\n \r\nof all\r\n"
    for text in texts:
        body = start + text.replace("\r", "").replace("\n", "\r\n").encode() + b"\r\n"
        assert verify(signer.sign(HEAD + body))


def test_a_changed_byte_does_not_verify() -> None:
    raw = signing.Signer(KEY).sign(HEAD + b"Hello.\r\n")
    assert not verify(raw.replace(b"Hello", b"Hallo"))
    assert not verify(raw.replace(b"/u/t>", b"/u/x>"))


def test_both_list_headers_are_signed_and_from_cannot_be_added() -> None:
    raw = signing.Signer(KEY).sign(HEAD + b"Hello.\r\n")
    signed = raw.partition(b"h=")[2].partition(b";")[0].replace(b"\r\n\t ", b"").split(b":")
    assert {b"list-unsubscribe", b"list-unsubscribe-post", b"feedback-id"} <= set(signed)
    assert signed.count(b"from") == 2
    assert b"reply-to" not in signed, "what is not there is not signed"
    forged = raw.replace(b"From: ", b"From: Other <other@example.org>\r\nFrom: ", 1)
    assert not verify(forged)


def test_lines_of_the_signature_are_short() -> None:
    head = signing.Signer(KEY).sign(HEAD + b"Hello.\r\n").partition(b"\r\nFrom:")[0]
    assert max(map(len, head.split(b"\r\n"))) <= 78


async def test_a_signed_provider_hands_over_signed_messages(tmp_path: Path) -> None:
    provider = signing.Signed(Outbox(OutboxOptions(path=tmp_path / "outbox")), KEY)
    assert await provider.probe()
    tray = Tray([letter(number, raw=HEAD + b"Body %d.\r\n" % number) for number in range(1, 4)])
    await provider.send(tray)
    assert len(tray.receipts) == 3
    found = [path.read_bytes() for path in (tmp_path / "outbox" / "new").glob("*")]
    assert len(found) == 3
    assert all(map(verify, found))


async def test_what_is_put_back_goes_back_unsigned() -> None:
    class Hesitant:
        limits = Outbox(OutboxOptions(path=Path("unused"))).limits

        async def probe(self) -> str:
            return ""

        async def send(self, feed: ports.Feed) -> None:
            message = feed.take()
            assert message is not None
            feed.put_back(message)

    sent = letters(1)
    tray = Tray(sent)
    await signing.Signed(Hesitant(), KEY).send(tray)
    assert tray.take() == sent[0]


def _pem(key: rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def test_a_key_is_read_from_its_file_and_tells_its_public_half(tmp_path: Path) -> None:
    path = tmp_path / "dkim.pem"
    path.write_bytes(_pem(KEY.private))
    found = signing.read_key(path, domain="news.example.org", selector="s1")
    assert found.public == KEY.public
    assert base64.b64decode(found.public)
    assert "PRIVATE" not in repr(found)


@pytest.mark.parametrize(
    "write",
    [
        lambda path: None,
        lambda path: path.write_text("no key"),
        lambda path: path.write_bytes(_pem(ed25519.Ed25519PrivateKey.generate())),
    ],
)
def test_what_is_no_rsa_key_is_refused_by_its_name(tmp_path: Path, write: Callable[[Path], object]) -> None:
    path = tmp_path / "dkim.pem"
    write(path)
    with pytest.raises(errors.ProviderError, match=r"dkim\.pem") as found:
        signing.read_key(path, domain="d", selector="s")
    assert "openssl genrsa" in found.value.hint
