"""Dovecot as the mailbox of bounces: read by IMAP, waited for by IDLE, emptied when the effect is kept."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from newsletter import wiring
from newsletter.bounces import listening, mailbox
from newsletter.domain.subscribers import Status
from tests.cli import mailings
from tests.cli.test_provider import BOUNCE
from tests.sending import samples

pytestmark = pytest.mark.soak

PASSWORD = "correct-horse"
#: nobody, in Debian's numbers.
NOBODY = 65534
_CONF = """
base_dir = {place}/run
state_dir = {place}/state
log_path = {place}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:{place}/mail
default_internal_user = nobody
default_internal_group = nogroup
default_login_user = nobody
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={nobody} gid={nobody} home={place}/home
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass(frozen=True)
class Post:
    """A mailbox behind a running Dovecot."""

    port: int
    maildir: Path

    @property
    def address(self) -> str:
        return f"imap://ann@127.0.0.1:{self.port}/INBOX"

    def deliver(self, name: str, raw: bytes) -> None:
        """Lay a mail into the mailbox as a delivery agent does."""
        beside = self.maildir / "tmp" / name
        beside.write_bytes(raw)
        os.chown(beside, NOBODY, NOBODY)
        beside.rename(self.maildir / "new" / name)

    def left(self) -> list[bytes]:
        return sorted(
            path.read_bytes() for where in ("new", "cur") for path in (self.maildir / where).iterdir()
        )


@pytest.fixture
def post() -> Iterator[Post]:
    if shutil.which("dovecot") is None or os.geteuid():
        why = "dovecot is missing, or nobody may start it here: sh tests/packages.sh tests/soak/packages.txt"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        for folder in ("home", "mail", "mail/new", "mail/cur", "mail/tmp"):
            (place / folder).mkdir()
            os.chown(place / folder, NOBODY, NOBODY)
        conf = place / "dovecot.conf"
        conf.write_text(_CONF.format(place=place, port=port, password=PASSWORD, nobody=NOBODY))
        process = subprocess.Popen(["dovecot", "-F", "-c", str(conf)], stderr=subprocess.PIPE, text=True)
        try:
            _until_open(port, process, place / "log")
            yield Post(port, place / "mail")
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def _until_open(port: int, process: subprocess.Popen[str], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    said = log.read_text() if log.exists() else ""
    raise AssertionError(f"Dovecot does not answer: {said}{process.poll()}")


def test_idle_ends_when_a_mail_arrives_and_only_what_is_done_goes(post: Post) -> None:
    box = mailbox.open_mailbox(post.address, password=PASSWORD)
    assert list(box.fetch()) == []
    assert not box.wait(0.2)
    post.deliver("1.first", b"Subject: first\r\n\r\n.dot\r\n")
    assert box.wait(30)
    (first,) = box.fetch()
    assert first.raw == b"Subject: first\r\n\r\n.dot\r\n"
    post.deliver("2.second", b"Subject: second\r\n\r\nbody\r\n")
    first.done()
    box.close()
    assert post.left() == [b"Subject: second\r\n\r\nbody\r\n"]


def test_a_listener_hears_of_each_mail_and_leaves_when_told(post: Post) -> None:
    came = threading.Semaphore(0)
    listener = listening.Listener(
        lambda bell: mailbox.open_mailbox(post.address, password=PASSWORD, bell=bell), came.release, lull=0
    )
    listener.start()
    # At the beginning, and then once for each.
    assert came.acquire(timeout=30)
    for number in range(3):
        post.deliver(f"{number}.mail", b"Subject: one\r\n\r\nbody\r\n")
        assert came.acquire(timeout=30)
    listener.stop()
    assert not any(thread.name == "returned mail" for thread in threading.enumerate())


def test_a_bounce_leaves_the_mailbox_when_its_effect_is_in_the_database(post: Post, tmp_path: Path) -> None:
    bounces = f'[bounces]\nmailbox = "{post.address}"\n'
    app = mailings.make(tmp_path, {"ada@example.net": "", "bob@example.net": ""}, more=bounces)
    with (tmp_path / ".env").open("a") as env:
        env.write(f"NEWSLETTER_BOUNCES__PASSWORD={PASSWORD}\n")
    mailing = app.ledger.plan(samples.draft(now=app.now()))
    ada, bob = (app.directory.find(f"{name}@example.net") for name in ("ada", "bob"))
    assert ada is not None
    assert bob is not None
    token = app.signer.bounce_token(ada.id, mailing.id)
    post.deliver("1.bounce", BOUNCE.format(token=token).replace("\n", "\r\n").encode())
    app.close()
    app = wiring.build(tmp_path)
    app.intake().take_in()
    try:
        found = [app.directory.get(each.id) for each in (ada, bob)]
        assert [each.status for each in found if each] == [Status.BOUNCED, Status.ACTIVE]
        assert post.left() == []
    finally:
        app.close()
