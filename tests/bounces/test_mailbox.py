"""Mails are fetched from wherever they come back to, and go when their effect is kept, not before."""

from __future__ import annotations

import io
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from newsletter.bounces import mailbox
from newsletter.bounces.imap import Imap
from newsletter.bounces.pop3 import Pop3
from newsletter.bounces.servers import Server
from newsletter.domain import errors
from tests.bounces import mailservers

FIRST = b"Subject: first\r\n\r\n.a line that begins with a dot\r\n" + b"x" * 5000 + b"\r\n"
SECOND = b"Subject: second\r\n\r\nbody\r\n"

Open = Callable[[], mailbox.Mailbox]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def presenting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "127.0.0.2").configure_cert(context)
    return context


def account(
    port: int, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None, implicit: bool = False
) -> Server:
    return Server(host=host, port=port, user="ann", password="secret", tls=implicit, context=tls)


@pytest.fixture(params=["imap", "imap without UIDPLUS", "pop3", "maildir"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Open, Callable[[], list[bytes]]]]:
    """Give a way to open a mailbox with two mails, and a way to see what is left."""
    if request.param == "maildir":
        for name in ("new", "cur", "tmp"):
            (tmp_path / name).mkdir()
        (tmp_path / "cur" / "1.a.host:2,S").write_bytes(FIRST)
        (tmp_path / "new" / "2.b.host").write_bytes(SECOND)
        yield (
            lambda: mailbox.Maildir(tmp_path),
            lambda: sorted(path.read_bytes() for path in tmp_path.rglob("*.host*")),
        )
        return
    offers = "IMAP4rev1 IDLE" if "without" in request.param else "IMAP4rev1 IDLE UIDPLUS"
    store = mailservers.Store(FIRST, SECOND, offers=offers)
    handler = mailservers.Pop3Handler if request.param == "pop3" else mailservers.ImapHandler
    with mailservers.serving(handler, store) as server:

        def open_it() -> mailbox.Mailbox:
            where = account(server.port)
            return Pop3(where, sleep=lambda _: None) if request.param == "pop3" else Imap(where)

        yield open_it, lambda: sorted(store.mails.values())


def test_every_mail_is_fetched_whole_and_in_order(place: tuple[Open, Callable[[], list[bytes]]]) -> None:
    opened = place[0]()
    assert [mail.raw.rstrip() for mail in opened.fetch()] == [FIRST.rstrip(), SECOND.rstrip()]
    opened.close()


def test_a_mail_that_is_not_done_stays_and_keeps_its_key(
    place: tuple[Open, Callable[[], list[bytes]]],
) -> None:
    opened, left = place
    first = opened()
    keys = [mail.key for mail in first.fetch()]
    first.close()
    assert len(left()) == 2
    second = opened()
    assert [mail.key for mail in second.fetch()] == keys
    assert len(set(keys)) == 2
    second.close()


def test_a_mail_that_is_done_goes_and_no_other(place: tuple[Open, Callable[[], list[bytes]]]) -> None:
    opened, left = place
    box = opened()
    for mail in box.fetch():
        if b"first" in mail.raw:
            mail.done()
    box.close()
    assert left() == [SECOND]
    again = opened()
    assert [mail.raw.rstrip() for mail in again.fetch()] == [SECOND.rstrip()]
    again.close()


def test_new_mail_ends_the_idling(tmp_path: Path) -> None:
    store = mailservers.Store()
    store.on_idle = SECOND
    with mailservers.serving(mailservers.ImapHandler, store) as server:
        box = Imap(account(server.port))
        assert list(box.fetch()) == []
        assert box.wait(60)
        assert [mail.raw for mail in box.fetch()] == [SECOND]
        box.close()
    assert "IDLE" in store.log


def test_idling_ends_with_its_time_and_the_connection_goes_on() -> None:
    with mailservers.serving(mailservers.ImapHandler, mailservers.Store(FIRST)) as server:
        box = Imap(account(server.port))
        assert not box.wait(0.01)
        assert len(list(box.fetch())) == 1
        box.close()


def test_without_idle_one_waits_and_looks_again() -> None:
    slept: list[float] = []
    with mailservers.serving(mailservers.ImapHandler, mailservers.Store(offers="IMAP4rev1")) as server:
        box = Imap(account(server.port), sleep=slept.append)
        assert box.wait(30)
        box.close()
    assert slept == [30]


@pytest.mark.parametrize("kind", [Imap, Pop3])
@pytest.mark.parametrize("implicit", [True, False], ids=["TLS", "STARTTLS"])
def test_the_password_travels_encrypted(
    kind: type[Imap | Pop3], implicit: bool, trusting: ssl.SSLContext, presenting: ssl.SSLContext
) -> None:
    store = mailservers.Store(FIRST, offers="IMAP4rev1 STARTTLS AUTH=PLAIN" if kind is Imap else "STLS")
    store.tls = presenting
    handler = mailservers.ImapHandler if kind is Imap else mailservers.Pop3Handler
    with mailservers.serving(handler, store, host="127.0.0.2", implicit_tls=implicit) as server:
        box = kind(account(server.port, host="127.0.0.2", tls=trusting, implicit=implicit))
        assert len(list(box.fetch())) == 1
        box.close()
    assert implicit or store.log.index("STARTTLS" if kind is Imap else "STLS") < len(store.log) - 2


@pytest.mark.parametrize("kind", [Imap, Pop3])
def test_a_server_without_encryption_is_refused_unless_it_is_this_machine(kind: type[Imap | Pop3]) -> None:
    handler = mailservers.ImapHandler if kind is Imap else mailservers.Pop3Handler
    store = mailservers.Store(FIRST, offers="IMAP4rev1")
    with (
        mailservers.serving(handler, store, host="127.0.0.2") as server,
        pytest.raises(errors.MailboxError, match="in the clear") as caught,
    ):
        list(kind(account(server.port, host="127.0.0.2")).fetch())
    assert "imaps://" in caught.value.hint
    assert not [line for line in store.log if "secret" in line]


@pytest.mark.parametrize("kind", [Imap, Pop3])
def test_a_wrong_password_is_told_without_the_password(kind: type[Imap | Pop3]) -> None:
    handler = mailservers.ImapHandler if kind is Imap else mailservers.Pop3Handler
    store = mailservers.Store(FIRST)
    store.password = "changed"
    with (
        mailservers.serving(handler, store) as server,
        pytest.raises(errors.MailboxError, match="wrong password") as caught,
    ):
        list(kind(account(server.port)).fetch())
    assert "ann on 127.0.0.1" in str(caught.value)
    assert "secret" not in f"{caught.value} {caught.value.hint} {account(1)!r}"


def test_a_missing_folder_is_told() -> None:
    with (
        mailservers.serving(mailservers.ImapHandler, mailservers.Store()) as server,
        pytest.raises(errors.MailboxError, match="no such folder"),
    ):
        list(Imap(account(server.port), folder="Spam").fetch())


@pytest.mark.parametrize(("kind", "word"), [(Imap, "FETCH"), (Pop3, "RETR")])
def test_a_connection_that_breaks_is_told_and_the_next_look_starts_afresh(
    kind: type[Imap | Pop3], word: str
) -> None:
    handler = mailservers.ImapHandler if kind is Imap else mailservers.Pop3Handler
    store = mailservers.Store(FIRST, SECOND)
    store.hang_up_on = word
    with mailservers.serving(handler, store) as server:
        box = kind(account(server.port))
        with pytest.raises(errors.MailboxError, match="cannot read"):
            list(box.fetch())
        store.hang_up_on = ""
        assert len(list(box.fetch())) == 2
        box.close()


def test_nobody_at_home_is_told() -> None:
    with mailservers.serving(mailservers.ImapHandler, mailservers.Store()) as server:
        port = server.port
    for kind in (Imap, Pop3):
        with pytest.raises(errors.MailboxError, match="refused"):
            list(kind(account(port)).fetch())


def test_a_pipe_holds_one_mail_or_none() -> None:
    pipe = mailbox.open_mailbox("-", stdin=io.BytesIO(FIRST))
    (mail,) = pipe.fetch()
    mail.done()
    assert mail.raw == FIRST
    assert not pipe.wait(60)
    assert list(mailbox.open_mailbox("-", stdin=io.BytesIO(b" \n")).fetch()) == []
    (again,) = mailbox.open_mailbox("-", stdin=io.BytesIO(FIRST)).fetch()
    assert again.key == mail.key


def test_a_maildir_is_looked_at_every_second_until_something_comes(tmp_path: Path) -> None:
    for name in ("new", "cur"):
        (tmp_path / name).mkdir()
    naps: list[float] = []

    def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            (tmp_path / "new" / "1").write_bytes(FIRST)

    box = mailbox.Maildir(tmp_path, sleep=nap)
    assert box.wait(60)
    assert naps == [1.0, 1.0, 1.0]
    (tmp_path / "new" / "1").unlink()
    assert not box.wait(1.5)


@pytest.mark.parametrize(
    "address", ["", "-", "imaps://host/INBOX", "ftp://ann@host", "maildir:/nowhere/at/all"]
)
def test_an_address_that_means_nothing_says_what_would(address: str) -> None:
    with pytest.raises(errors.MailboxError) as caught:
        mailbox.open_mailbox(address)
    assert caught.value.hint


@pytest.mark.parametrize("scheme", ["imap", "imaps", "pop3", "pop3s"])
def test_an_address_opens_its_protocol_only_when_it_is_read(scheme: str) -> None:
    opened = mailbox.open_mailbox(f"{scheme}://ann%40example.org@mail.invalid/Bounces", password="secret")
    assert type(opened).__name__.lower() == scheme.rstrip("s")
    opened.close()
