"""Mail is heard of when it comes; what breaks is tried again, and the end is never waited for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from newsletter.bounces import listening, mailbox
from newsletter.bounces.bell import Bell
from newsletter.domain import errors
from tests.bounces.mailservers import PATIENCE, ImapHandler, Pop3Handler, Store, serving

MAIL = b"Subject: back\r\n\r\nbody\r\n"
HOURS = 3600.0


class Looks:
    """Counts how often it is called."""

    def __init__(self) -> None:
        self._called = threading.Semaphore(0)
        self.before: Callable[[], object] = lambda: None

    def __call__(self) -> None:
        self.before()
        self._called.release()

    def came(self) -> bool:
        return self._called.acquire(timeout=PATIENCE)

    def nothing_more(self) -> bool:
        return not self._called.acquire(blocking=False)


@contextmanager
def listener(
    address: str, looks: Looks, *, seconds: float = HOURS, lull: float = 0.0
) -> Iterator[listening.Listener]:
    made = listening.Listener(
        lambda bell: mailbox.open_mailbox(address, password="secret", bell=bell),
        looks,
        seconds=seconds,
        lull=lull,
    )
    made.start()
    try:
        yield made
    finally:
        made.stop()
        assert not alive(made)


def alive(made: listening.Listener) -> bool:
    return made._thread.is_alive()


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The rests after failures, none of which is waited for."""
    found: list[float] = []

    def wait(bell: Bell, seconds: float) -> bool:
        if seconds >= listening._REST:
            found.append(seconds)
            seconds = 0.0
        return real(bell, seconds)

    real = Bell.wait
    # Half a minute is the shortest rest.
    monkeypatch.setattr(Bell, "wait", wait)
    return found


def imap(port: int) -> str:
    return f"imap://ann@127.0.0.1:{port}/INBOX"


def test_mail_is_heard_of_when_it_comes_and_what_lay_there_first_of_all() -> None:
    store, looks = Store(MAIL), Looks()
    with serving(ImapHandler, store) as server, listener(imap(server.port), looks):
        assert looks.came(), "what lay there"
        for _ in range(2):
            store.until(lambda: store.idling)
            store.arrive(MAIL)
            assert looks.came()
        assert looks.nothing_more()


def test_a_look_that_fails_is_not_the_last(caplog: pytest.LogCaptureFixture) -> None:
    store, failures = Store(), iter([RuntimeError("no disk")])
    looks = Looks()

    def fail() -> None:
        for failure in failures:
            raise failure

    looks.before = fail
    with serving(ImapHandler, store) as server, listener(imap(server.port), looks):
        store.until(lambda: store.idling)
        store.arrive(MAIL)
        assert looks.came()
    assert "no disk" in caplog.text


def test_mail_that_comes_during_a_look_is_not_missed() -> None:
    store, looks = Store(), Looks()
    with serving(ImapHandler, store) as server:
        looks.before = lambda: None if store.mails else store.arrive(MAIL)
        with listener(imap(server.port), looks):
            assert looks.came()
            assert looks.came()


def test_a_flock_is_read_in_one_go() -> None:
    store, looks = Store(), Looks()
    with serving(ImapHandler, store) as server, listener(imap(server.port), looks, lull=HOURS):
        assert looks.came()
        store.until(lambda: store.idling)
        for _ in range(5):
            store.arrive(MAIL)
        store.until(lambda: not store.idling)
    assert looks.nothing_more(), "it was still waiting for more"


def test_idle_is_asked_for_again_before_the_server_loses_patience() -> None:
    store, looks = Store(), Looks()
    with serving(ImapHandler, store) as server, listener(imap(server.port), looks, seconds=0.01):
        store.until(lambda: store.log.count("IDLE") >= 3)
        assert looks.came()
        assert looks.nothing_more(), "time alone is no news"
    assert listening._ROUND < 29 * 60


def test_the_end_is_not_waited_for_and_said_to_the_server() -> None:
    store, looks = Store(), Looks()
    with serving(ImapHandler, store) as server:
        with listener(imap(server.port), looks):
            store.until(lambda: store.idling)
        store.until(lambda: "LOGOUT" in store.log)
        assert store.idling == []


@pytest.mark.parametrize(("handler", "offers"), [(ImapHandler, "IMAP4rev1"), (Pop3Handler, "")])
def test_where_the_server_cannot_tell_the_clock_has_to_do(
    handler: type[ImapHandler | Pop3Handler], offers: str
) -> None:
    store, looks = Store(MAIL, offers=offers), Looks()
    with serving(handler, store) as server:
        scheme = imap(server.port) if handler is ImapHandler else f"pop3://ann@127.0.0.1:{server.port}"
        with listener(scheme, looks) as made:
            made._thread.join(PATIENCE)
            assert not alive(made)
            assert looks.nothing_more()
    assert store.mails


def test_a_connection_that_breaks_is_opened_again_and_what_came_meanwhile_is_read(
    rests: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    store, looks = Store(), Looks()
    with serving(ImapHandler, store) as server, listener(imap(server.port), looks):
        assert looks.came()
        store.until(lambda: store.idling)
        store.hang_up()
        assert looks.came(), "at the new beginning"
        store.until(lambda: store.idling)
        store.arrive(MAIL)
        assert looks.came()
    assert rests == [30.0]
    assert "ann on 127.0.0.1" in caplog.text
    assert "secret" not in caplog.text


def test_a_mailbox_that_does_not_answer_is_left_alone_longer_and_longer(rests: list[float]) -> None:
    enough = threading.Event()

    def nobody(bell: Bell) -> mailbox.Mailbox:
        if len(rests) == 7:
            enough.set()
        raise errors.MailboxError("nobody at home")

    made = listening.Listener(nobody, Looks())
    made.start()
    assert enough.wait(PATIENCE)
    made.stop()
    assert rests[:7] == [30, 60, 120, 240, 480, 900, 900]


def test_a_long_rest_ends_when_the_listener_does() -> None:
    began = threading.Event()

    def nobody(bell: Bell) -> mailbox.Mailbox:
        began.set()
        raise errors.MailboxError("nobody at home")

    made = listening.Listener(nobody, Looks())
    made.start()
    assert began.wait(PATIENCE)
    made.stop()
    assert not alive(made)


def test_a_server_that_does_not_answer_keeps_nobody_from_leaving() -> None:
    began, release = threading.Event(), threading.Event()

    def silence(bell: Bell) -> mailbox.Mailbox:
        began.set()
        release.wait(PATIENCE)
        raise errors.MailboxError("timed out")

    made = listening.Listener(silence, Looks())
    made.start()
    assert began.wait(PATIENCE)
    made.stop()
    assert alive(made), "it was not waited for"
    release.set()
    made._thread.join(PATIENCE)
    assert not alive(made)
    made.stop()


def test_a_look_under_way_is_waited_for() -> None:
    store, looks, began, release = Store(MAIL), Looks(), threading.Event(), threading.Event()
    finished: list[str] = []

    def slowly() -> None:
        began.set()
        release.wait(PATIENCE)
        finished.append("the look")

    looks.before = slowly
    with serving(ImapHandler, store) as server, listener(imap(server.port), looks) as made:
        assert began.wait(PATIENCE)
        ending = threading.Thread(target=made.stop)
        ending.start()
        ending.join(2 * listening._SILENCE)
        assert ending.is_alive(), "it waits"
        release.set()
        ending.join(PATIENCE)
    assert finished == ["the look"]


def test_a_maildir_tells_of_each_mail_once_even_when_nobody_takes_it_out(tmp_path: Path) -> None:
    for name in ("new", "cur", "tmp"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "1.stays").write_bytes(MAIL)
    looks = Looks()
    with listener(f"maildir:{tmp_path}", looks):
        assert looks.came(), "at the beginning"
        assert looks.came(), "the first wait does not know what the first look left"
        (tmp_path / "tmp" / "2.new").write_bytes(MAIL)
        (tmp_path / "tmp" / "2.new").rename(tmp_path / "new" / "2.new")
        assert looks.came()


def test_a_flag_on_a_mail_in_a_maildir_is_no_news(tmp_path: Path) -> None:
    for name in ("new", "cur"):
        (tmp_path / name).mkdir()
    (tmp_path / "new" / "1.host").write_bytes(MAIL)
    box = mailbox.Maildir(tmp_path)
    assert box.wait(0)
    (tmp_path / "new" / "1.host").rename(tmp_path / "cur" / "1.host:2,S")
    assert not box.wait(0)
