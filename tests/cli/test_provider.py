"""`newsletter provider` and the order in which providers take over."""

from __future__ import annotations

import urllib.parse
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import pytest

from newsletter import wiring
from newsletter.sending.returned import MAIL
from tests.cli import mailings
from tests.cli.conftest import Run
from tests.providers.apis.harness import Asked, Told, serving
from tests.sending import samples


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a second server of the same kind."""
    mailings.make(tmp_path).close()
    toml = tmp_path / "newsletter.toml"
    text = toml.read_text().replace("skip_approval = true", 'skip_approval = true\nfallback = ["spare"]')
    toml.write_text(text + '[providers.spare]\nkind = "smtp"\nsecurity = "none"\nattempts = 1\n')
    return tmp_path


def test_a_second_server_goes_on_where_the_first_is_not_there(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mailings.serving() as (postbox, port):
        monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", "1")
        monkeypatch.setenv("NEWSLETTER_PROVIDERS__SPARE__PORT", str(port))
        result = run("-C", root, "mailing", "send", "1.1", "--yes")
    assert result.code == 0, result.err
    assert sorted(postbox.recipients) == sorted(mailings.READERS)


def test_a_server_that_stops_is_followed_by_the_next_and_nobody_is_mailed_twice(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal: dict[str, Sequence[str]] = {
        address: ["554 5.7.1 relay access denied"] * 9 for address in mailings.READERS
    }
    with mailings.serving(refusal) as (first, port), mailings.serving() as (second, spare):
        monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", str(port))
        monkeypatch.setenv("NEWSLETTER_PROVIDERS__SPARE__PORT", str(spare))
        result = run("-C", root, "mailing", "send", "1.1", "--yes")
    assert result.code == 0, result.err
    assert first.taken == []
    assert sorted(second.recipients) == sorted(mailings.READERS)


def test_a_provider_named_on_the_command_line_has_nobody_behind_it(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with mailings.serving() as (postbox, port):
        monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", str(port))
        monkeypatch.setenv("NEWSLETTER_PROVIDERS__SPARE__PORT", "1")
        result = run("-C", root, "mailing", "send", "1.1", "--yes", "--provider", "spare")
    assert result.code == 1
    assert postbox.taken == []


def test_a_fallback_that_is_not_described_is_named_with_its_line(run: Run, root: Path) -> None:
    toml = root / "newsletter.toml"
    toml.write_text(toml.read_text().replace('["spare"]', '["spair"]'))
    result = run("-C", root, "doctor")
    assert result.code == 1
    assert "delivery.fallback: there is no [providers.spair]; did you mean spare?" in result.out


API = """
[providers.mail]
kind = "{kind}"
url = "{url}"
{more}
"""
MORE = {
    "mailgun": 'domain = "mg.example.org"',
    "ses": 'region = "us-east-1"\naccess_key = "AKIDEXAMPLE"\nwebhook_topic = "arn:aws:sns:us-east-1:1:t"',
}


def add(root: Path, kind: str, url: str = "https://api.example.org") -> None:
    toml = root / "newsletter.toml"
    toml.write_text(toml.read_text() + API.format(kind=kind, url=url, more=MORE.get(kind, "")))


def test_each_provider_is_listed_with_its_part(run: Run, root: Path) -> None:
    add(root, "postmark")
    rows = {row["provider"]: row for row in run("-C", root, "provider", "list", "--json").json}
    assert {name: row["role"] for name, row in rows.items()} == {
        "smtp": "delivers",
        "outbox": "",
        "spare": "fallback 1",
        "mail": "",
    }
    assert (rows["mail"]["batch"], rows["mail"]["webhook"]) == (500, "no secret")
    assert run("-C", root, "provider", "list").code == 0


@pytest.mark.parametrize("kind", ["postmark", "resend", "mailgun", "sendgrid", "brevo", "ses"])
def test_what_to_paste_where_is_told_for_every_email_api(run: Run, root: Path, kind: str) -> None:
    add(root, kind)
    result = run("-C", root, "provider", "setup", "mail")
    assert result.code == 0, result.err
    assert "https://digest.example.org/webhooks/mail" in result.out
    assert ("NEWSLETTER_PROVIDERS__MAIL__WEBHOOK_SECRET=" in result.out) == (kind != "ses")


def test_with_smtp_the_way_of_bounces_is_told(run: Run, root: Path) -> None:
    result = run("-C", root, "provider", "setup", "smtp")
    assert "bounce+TOKEN@example.org" in result.out
    assert "feedback read -" in result.out
    assert run("-C", root, "provider", "setup", "smtp", "--create", "--yes").code == 1
    assert run("-C", root, "provider", "setup", "nobody").code == 2


class Account:
    """A vendor that keeps webhooks, as each one's reference describes its answers."""

    def __init__(self) -> None:
        self.made: list[Asked] = []
        self.faults: deque[Told] = deque()
        self.taken: list[str] = []

    def answer(self, asked: Asked) -> Told:
        if asked.path.endswith("/http_signing_key"):
            return Told(200, {"http_signing_key": "from-vendor"})
        if asked.method == "PATCH":
            return Told(200, {"id": "7", "public_key": "from-vendor"})
        if asked.method == "POST":
            self.made.append(asked)
            return Told(200, {"id": "7", "signing_secret": "from-vendor"})
        body = "".join(each.body.decode() for each in self.made)
        urls = [URL] if URL in body or urllib.parse.quote(URL, safe="") in body else []
        return Told(200, {"webhooks": [{"url": url} for url in urls]})


URL = "https://digest.example.org/webhooks/mail"


@pytest.mark.parametrize(
    ("kind", "calls", "theirs"),
    [
        ("postmark", 1, False),
        ("brevo", 1, False),
        ("resend", 1, True),
        ("sendgrid", 1, True),
        ("mailgun", 1, True),
    ],
)
def test_a_webhook_is_made_by_api_once(run: Run, root: Path, kind: str, calls: int, theirs: bool) -> None:
    account = Account()
    with serving(account) as url, (root / ".env").open("a") as env:
        add(root, kind, url)
        name = "TOKEN" if kind == "postmark" else "API_KEY"
        env.write(f"NEWSLETTER_PROVIDERS__MAIL__{name}=key-1\n")
        env.flush()
        result = run("-C", root, "provider", "setup", "mail", "--create", "--yes", "--json")
        again = run("-C", root, "provider", "setup", "mail", "--create", "--yes")
    assert result.code == 0, result.err
    (secret,) = result.json["env"].values()
    assert (secret == "from-vendor") == theirs
    if not theirs:
        user, _, password = secret.partition(":")
        assert user == "newsletter"
        assert password in account.made[0].body.decode()
    assert len(account.made) == calls
    assert again.code == 1
    assert "already" in again.err


def test_a_vendor_that_refuses_is_told_in_its_words(run: Run, root: Path) -> None:
    class Refusing(Account):
        def answer(self, asked: Asked) -> Told:
            return (
                Told(422, {"Message": "no such stream"}) if asked.method == "POST" else super().answer(asked)
            )

    with serving(Refusing()) as url:
        add(root, "postmark", url)
        result = run("-C", root, "provider", "setup", "mail", "--create", "--yes")
    assert result.code == 1
    assert "no such stream" in result.err


def test_a_list_of_what_must_not_be_mailed_is_taken_in_whole_or_not_at_all(
    run: Run, root: Path, tmp_path: Path
) -> None:
    path = tmp_path / "blocked.csv"
    path.write_text("email,reason\nAda@Example.NET,complained\nexample.com\n\n")
    assert run("-C", root, "suppression", "import", path, "--reason", "old list").code == 0
    found = {row["value"]: row["reason"] for row in run("-C", root, "suppression", "list", "--json").json}
    assert {name.lower(): why for name, why in found.items()} == {
        "ada@example.net": "complained",
        "example.com": "old list",
    }
    path.write_text("bob@example.net\nnot an address\n")
    result = run("-C", root, "suppression", "import", path)
    assert result.code == 1
    assert "blocked.csv:2" in result.err
    assert len(run("-C", root, "suppression", "list", "--json").json) == 2


def test_why_somebody_is_not_mailed_is_one_command(run: Run, root: Path) -> None:
    app = wiring.build(root)
    mailing = app.ledger.plan(samples.draft(now=app.now()))
    ada = app.directory.find("ada@example.net")
    assert ada is not None
    token = app.signer.bounce_token(ada.id, mailing.id)
    returned = BOUNCE.format(token=token).replace("\n", "\r\n").encode()
    app.feedback.keep([(MAIL, returned)])
    app.feedback.work_off()
    app.database.close()
    (row,) = run("-C", root, "subscriber", "list", "--status", "bounced", "--why", "--json").json
    assert row["email"] == "ada@example.net"
    assert "5.1.1" in row["why"]
    assert "User unknown" in run("-C", root, "subscriber", "list", "--status", "bounced", "--why").out


BOUNCE = """\
From: MAILER-DAEMON@mx.example.net
To: bounce+{token}@example.org
Subject: Undelivered Mail Returned to Sender
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

The mail could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; ada@example.net
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 User unknown

--b--
"""
