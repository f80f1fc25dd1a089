"""The editors' stories, typed as an editor types them: an old issue taken in and sent; a fortnight's work."""

from __future__ import annotations

import email
import email.policy
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.authoring.manuscript import DIGEST
from tests.authoring.press import FERRY, Press, running
from tests.authoring.test_feeds import rss
from tests.cli.mailings import Postbox, serving

LIGHTHOUSE = """<html lang="en"><head><title>Lighthouse is lit</title></head><body><article>
<h1>Lighthouse is lit again after a winter of repairs</h1>
<p>The keeper climbed the tower at dusk and lit the lamp for the first time since October, to applause.</p>
<p>Masons had replaced the gallery, and glaziers eleven panes that the storms of two winters had broken.</p>
<p>Visitors may climb its 184 steps on Sundays; the money goes to the school on the headland.</p>
</article></body></html>"""


class Desk:
    """A workspace, a mail server, and somebody who types."""

    def __init__(self, root: Path, post: Postbox, port: int) -> None:
        self.root, self.post = root, post
        self._environment: Mapping[str, str] = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "NO_COLOR": "1",
            "NEWSLETTER_PUBLICATION__POSTAL_ADDRESS": "1 Pier Road, Aldermouth 1000",
            "NEWSLETTER_PUBLICATION__URL": "https://digest.example.org",
            "NEWSLETTER_PROVIDERS__SMTP__PORT": str(port),
            "NEWSLETTER_PROVIDERS__SMTP__SECURITY": "none",
        }

    def type(self, *words: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run one command and expect its exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "newsletter", *map(str, words)],
            cwd=self.root,
            env=dict(self._environment),
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, f"{words}: {done.stdout}{done.stderr}"
        return done

    def mails(self) -> list[EmailMessage]:
        """Return the mails that arrived, each without a defect."""
        policy = email.policy.default.clone(raise_on_defect=True)
        return [
            email.message_from_bytes(raw, _class=EmailMessage, policy=policy) for _, raw in self.post.taken
        ]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with serving({}) as (post, port):
        desk = Desk(tmp_path, post, port)
        desk.type("init", tmp_path / "digest", "--title", "Two Harbours Digest", "--from", "news@example.org")
        desk.root = tmp_path / "digest"
        for address in ("akiko@example.net", "ben@example.net"):
            desk.type("subscriber", "add", address, "--attest", "signed up at the fair")
        yield desk


def text_of(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def test_an_issue_of_old_is_taken_in_checked_rendered_approved_and_sent(desk: Desk) -> None:
    (desk.root / "old.txt").write_text(DIGEST, encoding="utf-8")
    taken = desk.type("issue", "import", "old.txt")
    assert "the picture credited to “Bay Courier” did not come with the text" in taken.stderr
    assert "warning[placeholder-link]" in desk.type("issue", "check", "2.23").stdout
    desk.type("issue", "render", "2.23", "--out", "look")
    assert {path.suffix for path in (desk.root / "look").iterdir()} == {".html", ".txt", ".eml"}
    refused = desk.type("mailing", "send", "2.23", "--yes", code=1)
    assert "is not approved" in refused.stderr
    desk.type("issue", "approve", "2.23", "--as", "Mina Ode")
    desk.type("mailing", "send", "2.23", "--yes")
    assert sorted(desk.post.recipients) == ["akiko@example.net", "ben@example.net"]
    for mail in desk.mails():
        assert "Vol 2.23" in str(mail["Subject"])
        html, text = text_of(mail, "html"), text_of(mail, "plain")
        places = [
            html.index(words) for words in ("millionth passenger</strong>", "fog signals", "won the regional")
        ]
        assert places == sorted(places)
        assert 'href="https://example.org/ferry/flowers"' in html
        assert "Bay Courier" in html
        assert "https://example.org/ferry/flowers" in text
        assert "Lighthouse keepers & pilots sign a pact on fog" in " ".join(text.split())


def test_a_fortnight_from_sources_to_an_approved_issue_in_two_mailboxes(desk: Desk) -> None:
    with running() as press:
        _collect(desk, press)
    drafted = desk.type("issue", "draft").stdout
    assert drafted.count("added: TK") == 2
    assert "error[unfinished]" in desk.type("issue", "check", "next", code=1).stdout
    desk.type("issue", "approve", "next", "--as", "Mina Ode", code=1)
    path = desk.root / "issues" / "vol-1-1.md"
    path.write_text(_written(path.read_text(encoding="utf-8")), encoding="utf-8")
    desk.type("issue", "check", "next")
    desk.type("issue", "approve", "next", "--as", "Mina Ode")
    marked = [one.read_text(encoding="utf-8") for one in (desk.root / "issues" / "inbox").glob("*.md")]
    assert [text.count("\nused: 1.1\n") for text in marked] == [1, 1]
    path.write_text(
        path.read_text(encoding="utf-8").replace("in our words", "in our own words"), encoding="utf-8"
    )
    assert "edited since Mina Ode" in desk.type("mailing", "send", "1.1", "--yes", code=1).stderr
    assert "in our{+ own+} words" in desk.type("issue", "diff", "1.1").stdout
    desk.type("issue", "approve", "1.1", "--as", "Mina Ode")
    desk.type("mailing", "send", "1.1", "--yes")
    assert [mail["Subject"] for mail in desk.mails()] == [
        "Two Harbours Digest Vol 1.1: Story 1 in our headline"
    ] * 2
    assert "done on " in desk.type("issue", "status", "1.1").stdout


def _collect(desk: Desk, press: Press) -> None:
    settings = desk.root / "newsletter.toml"
    text = settings.read_text(encoding="utf-8").replace("allow_private = false", "allow_private = true")
    press.put("/lighthouse", LIGHTHOUSE)
    feed = press.put("/feed", rss(press, ("Lighthouse is lit", "/lighthouse", "At last.")))
    settings.write_text(f'{text}\n[feeds.keeper]\nurl = "{feed}"\ntopic = "sea"\n', encoding="utf-8")
    desk.type("inbox", "clip", press.put("/ferry", FERRY), "--topic", "transport")
    desk.type("inbox", "collect")
    assert "nothing new" in desk.type("inbox", "collect").stdout


def _written(text: str) -> str:
    """Return a draft as an editor leaves it: every story told in words of our own."""
    head, *entries = text.split("\n## ")
    told = []
    for i, entry in enumerate(entries, 1):
        fields = entry.split("\n\n")[0].split("\n")[1:]
        url = re.findall(r"\]\((http[^)]+)\)", entry)[0].replace("http://127.0.0.1", "https://example.org")
        fields = [line.replace("http://127.0.0.1", "https://example.org") for line in fields]
        told.append(
            "\n".join([f"Story {i} in our headline", *fields, "", f"Told in our words, [after it]({url}x)."])
        )
    return "\n\n## ".join([head, *told]) + "\n"
