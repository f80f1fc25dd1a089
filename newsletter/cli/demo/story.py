"""The demo's story: from an empty folder to mail in three mailboxes, and to two after one reader left."""

from __future__ import annotations

import email
import email.policy
import re
import shutil
import socket
from email.message import EmailMessage
from pathlib import Path

from newsletter.cli import output
from newsletter.cli.demo import postbox, steps

READERS = {
    "akiko@reader.example.org": "Akiko Mori",
    "ben@reader.example.org": "Ben Torres",
    "chloe@reader.example.org": "Chloé Durand",
}
LEAVER = "ben@reader.example.org"
_FIRST, _SECOND = "1.1", "1.2"
_URL = re.compile(r"<(http[^>]+)>")


def tell(folder: Path, samples: Path) -> None:
    """Live through the whole story in an empty folder.

    Raises:
        DemoError: a step did not hold.
    """
    with postbox.Postbox(folder / "mailboxes") as post:
        web = f"http://127.0.0.1:{_free_port()}"
        desk = folder / "workspace"
        typist = steps.Typist(folder, {})
        _open(typist, desk)
        typist = steps.Typist(desk, _environment(post.port, web))
        _write(typist, desk, samples)
        _gather(typist, folder)
        _send(typist, post)
        _leave(typist, post, web)
        _send_again(typist, post)
        _account(typist, folder)


def _open(typist: steps.Typist, desk: Path) -> None:
    _step(1, "Open a workspace")
    typist.type(
        "init",
        str(desk),
        "--title",
        "Alliance Digest Demo",
        "--from",
        "news@digest.example.org",
        "--postal-address",
        "1 Example Street, Springfield",
    )
    steps.expect((desk / "newsletter.toml").is_file(), f"the settings lie in {desk / 'newsletter.toml'}")


def _write(typist: steps.Typist, desk: Path, samples: Path) -> None:
    _step(2, "Put two sample issues into it, check them, see them as readers will")
    for sample in sorted(samples.iterdir()):
        if (
            sample.is_file()
            and sample.suffix in {".md", ".png"}
            and not (desk / "issues" / sample.name).exists()
        ):
            shutil.copy(sample, desk / "issues" / sample.name)
    typist.type("issue", "list")
    typist.type("issue", "check", _FIRST)
    typist.type("issue", "render", _FIRST, "--out", str(desk / "rendered"))
    written = sorted(path.suffix for path in (desk / "rendered").iterdir())
    steps.expect({".eml", ".html", ".txt"} <= set(written), f"HTML, text and .eml lie in {desk / 'rendered'}")


def _gather(typist: steps.Typist, folder: Path) -> None:
    _step(3, "Take in a small file of subscribers")
    people = folder / "people.csv"
    rows = "".join(f"{address},{name}\n" for address, name in READERS.items())
    people.write_text(f"email,name\n{rows}not an address,Nobody\n", encoding="utf-8")
    typist.type("subscriber", "import", str(people))
    typist.type(
        "subscriber", "import", str(people), "--yes", "--attest", "They signed up on paper at the fair"
    )
    rejected = folder / "people.rejected.csv"
    steps.expect(rejected.is_file(), f"the row that is no address was set aside in {rejected}")


def _send(typist: steps.Typist, post: postbox.Postbox) -> None:
    _step(4, f"Approve issue {_FIRST} and send it through a real SMTP server on port {post.port}")
    typist.type("issue", "approve", _FIRST)
    typist.type("mailing", "send", _FIRST, "--yes")
    steps.expect(
        all(len(post.mails(address)) == 1 for address in READERS), "each of three mailboxes holds one mail"
    )
    mail = _newest(post, LEAVER)
    kinds = [part.get_content_type() for part in mail.iter_parts()]
    steps.expect(
        kinds == ["text/plain", "text/html"], "the mail has a text part and an HTML part, in that order"
    )
    steps.expect(not mail.defects, "Python's strict parser finds no defect in it")


def _leave(typist: steps.Typist, post: postbox.Postbox, web: str) -> None:
    _step(5, f"{LEAVER} leaves by one click")
    link = _URL.findall(str(_newest(post, LEAVER)["List-Unsubscribe"]))[0]
    with typist.running("serve", "--port", web.rpartition(":")[2], answers=f"{web}/health"):
        status, _, _ = steps.fetch(link)
        steps.expect(status == 200, f"GET {link} shows a page")
        before = typist.type("subscriber", "show", LEAVER)
        steps.expect("active" in before, "and changes nothing")
        status, _, headers = steps.fetch(link, body=b"List-Unsubscribe=One-Click")
        calm = status == 200 and not {"Set-Cookie", "Location"} & set(headers)
        steps.expect(calm, "the one-click POST of RFC 8058 answers 200 without cookie or redirect")
        status, _, _ = steps.fetch(f"{web}/issues/vol-1-1")
        steps.expect(status == 200, f"{web}/issues/vol-1-1 shows the issue in the browser")
        steps.expect_soon(lambda: len(post.mails(LEAVER)) == 2, "a word of goodbye lies in the mailbox")
    after = typist.type("subscriber", "show", LEAVER)
    steps.expect("unsubscribed" in after, "the list says so, and since when and how")


def _send_again(typist: steps.Typist, post: postbox.Postbox) -> None:
    _step(6, f"Send issue {_SECOND}: whoever left is left out")
    typist.type("issue", "approve", _SECOND)
    typist.type("mailing", "send", _SECOND, "--yes")
    counts = {address: len(_issues(post, address)) for address in READERS}
    expected = {address: 1 if address == LEAVER else 2 for address in READERS}
    steps.expect(counts == expected, "two mailboxes got it, the third did not")


def _account(typist: steps.Typist, folder: Path) -> None:
    _step(7, "Account for every mail")
    typist.type("mailing", "report", _FIRST)
    typist.type("mailing", "report", _SECOND)
    typist.type("mailing", "verify", _SECOND)
    output.line()
    output.line("Where everything lies:")
    for what, where in (
        ("the issue as readers see it", "workspace/rendered/"),
        ("the mails as they arrived", "mailboxes/*/*.eml"),
        ("the database", "workspace/subscribers.db"),
        ("the issue files", "workspace/issues/"),
    ):
        output.line(f"  {what:<28} {folder / where}")


def _step(number: int, title: str) -> None:
    output.line()
    output.line(output.paint(f"{number}. {title}", "1"))


def _environment(smtp: int, web: str) -> dict[str, str]:
    return {
        "NEWSLETTER_PUBLICATION__URL": web,
        "NEWSLETTER_PROVIDERS__SMTP__HOST": "127.0.0.1",
        "NEWSLETTER_PROVIDERS__SMTP__PORT": str(smtp),
        "NEWSLETTER_PROVIDERS__SMTP__SECURITY": "none",
    }


def _issues(post: postbox.Postbox, address: str) -> list[Path]:
    """Return the issues among the mails of a mailbox; a word of goodbye is no issue."""
    return [path for path in post.mails(address) if b"\nList-Unsubscribe-Post:" in path.read_bytes()]


def _newest(post: postbox.Postbox, address: str) -> EmailMessage:
    policy = email.policy.default.clone(raise_on_defect=True)
    return email.message_from_bytes(post.mails(address)[-1].read_bytes(), _class=EmailMessage, policy=policy)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
