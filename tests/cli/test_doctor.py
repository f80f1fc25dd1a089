"""`newsletter doctor`: every concern with its verdict and a way to mend it."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from newsletter import wiring
from newsletter.cli import diagnosis, doctor
from newsletter.domain import allowances, errors
from newsletter.domain.diagnoses import Diagnosis, Verdict
from tests.cli.conftest import Run


@pytest.fixture
def root(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new workspace."""
    monkeypatch.setenv("NEWSLETTER_DELIVERY__PROVIDER", "outbox")
    folder = tmp_path / "digest"
    assert run("init", folder, "--title", "T", "--from", "news@example.org").code == 0
    return folder


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    # The one probe that would leave this machine.
    monkeypatch.setattr(diagnosis, "addresses_of", lambda host: ["127.0.0.1"])


def verdicts(run: Run, root: Path) -> dict[str, str]:
    return {found["name"]: found["verdict"] for found in run("-C", root, "doctor", "--json").json}


def test_a_new_workspace_has_nothing_broken(run: Run, root: Path) -> None:
    result = run("-C", root, "doctor")
    assert "fail" not in result.out.replace("could not", "")
    found = verdicts(run, root)
    assert found["settings"] == found["signing key"] == found["database"] == found["templates"] == "pass"
    assert found["provider"] == "pass"
    assert found["secrets"] == "pass"
    assert found["postal address"] == found["web"] == "warn"


def test_broken_settings_are_listed_and_the_rest_cannot_be_told(run: Run, root: Path) -> None:
    toml = root / "newsletter.toml"
    toml.write_text(toml.read_text().replace("port = 25", 'prot = "x"').replace("rate = 0", "rate = -1"))
    result = run("-C", root, "doctor")
    assert result.code == 1
    assert "providers.smtp.prot: unknown key; did you mean providers.smtp.port?" in result.out
    found = verdicts(run, root)
    assert found["settings"] == "fail"
    assert found["database"] == found["web"] == "could not look up"
    assert found["secrets"] == "pass"


def test_each_thing_that_is_wrong_comes_with_its_way_out(run: Run, root: Path) -> None:
    (root / ".env").chmod(0o644)
    (root / ".env").write_text("NEWSLETTER_SIGNING_KEY=\n")
    (root / "subscribers.db").unlink()
    (root / "templates").mkdir()
    (root / "templates" / "digest.txt.j2").write_text("one\n{% if %}\n")
    result = run("-C", root, "doctor")
    assert result.code == 1
    assert "→ chmod 600" in result.out
    assert "NEWSLETTER_SIGNING_KEY is not set" in result.out
    assert "newsletter upgrade" in result.out
    assert "digest.txt.j2:2: " in result.out
    expected = {
        "settings": "pass",
        "secrets": "warn",
        "signing key": "fail",
        "postal address": "warn",
        "database": "fail",
        "letters": "could not look up",
        "templates": "fail",
        "provider": "pass",
        "web": "warn",
    }
    assert verdicts(run, root).items() >= expected.items()
    assert run("-C", root, "upgrade").code == 0
    assert verdicts(run, root)["database"] == "pass"


def test_a_provider_that_does_not_answer_is_a_failure(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take the port
        monkeypatch.setenv("NEWSLETTER_DELIVERY__PROVIDER", "smtp")
        monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", str(closed.getsockname()[1]))
        result = run("-C", root, "doctor")
    assert result.code == 1
    lines = result.out.splitlines()
    for concern in (" provider: ", " connection: "):
        place = next(number for number, line in enumerate(lines) if concern in line)
        assert "fail" in lines[place]
        assert "→ check host and port" in lines[place + 1]


def test_whatever_is_not_well_comes_with_a_way_out(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every fail and warn of a workspace where much is wrong names the next thing to type or to ask for."""
    monkeypatch.setenv("NEWSLETTER_DELIVERY__PROVIDER", "smtp")
    monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", "9")
    (root / "subscribers.db").unlink()
    found = run("-C", root, "doctor", "--json").json
    wrong = [one for one in found if one["verdict"] in ("fail", "warn")]
    assert {"provider", "connection", "database", "web"} <= {one["name"] for one in wrong}
    assert [one["name"] for one in wrong if not one["fix"]] == []


@pytest.mark.parametrize(
    ("url", "addresses", "verdict"),
    [
        ("https://digest.example.org", ["93.184.216.34"], Verdict.PASS),
        ("https://digest.example.org", ["2606:2800:220:1::1"], Verdict.PASS),
        ("http://digest.example.org", ["93.184.216.34"], Verdict.WARN),
        ("https://digest.example.org", ["10.0.0.1", "fe80::1%eth0"], Verdict.WARN),
        ("http://localhost:8000", ["127.0.0.1", "::1"], Verdict.WARN),
    ],
)
def test_the_base_of_the_pages_must_be_reached_by_readers(
    url: str, addresses: list[str], verdict: Verdict
) -> None:
    assert [found.verdict for found in diagnosis.web(url, lambda host: addresses)] == [verdict]


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Verdict.FAIL),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), Verdict.UNKNOWN),
        (OSError("no network"), Verdict.UNKNOWN),
    ],
)
def test_a_name_that_does_not_exist_is_not_a_network_that_is_down(error: OSError, verdict: Verdict) -> None:
    def resolve(host: str) -> list[str]:
        raise error

    found = list(diagnosis.web("https://digest.example.org", resolve))
    assert [diagnosis.verdict for diagnosis in found] == [verdict]
    assert found[0].fix


def test_a_missing_env_file_is_no_fault_but_is_said(tmp_path: Path) -> None:
    (found,) = diagnosis.private(tmp_path / ".env")
    assert found.verdict is Verdict.PASS
    assert "no .env" in found.message


def test_one_failing_probe_does_not_hide_the_next() -> None:
    def fails() -> Iterator[Diagnosis]:
        raise errors.StoreError("locked", hint="wait")

    probes: dict[str, diagnosis.Probe] = {"a": fails, "b": lambda: diagnosis.postal_address("1 Main Street")}
    found = list(diagnosis.examine(probes))
    assert [(one.name, one.verdict, one.fix) for one in found] == [
        ("a", Verdict.FAIL, "wait"),
        ("postal address", Verdict.PASS, ""),
    ]


def test_every_verdict_has_its_colour() -> None:
    assert set(doctor.COLOURS) == set(Verdict)


SOURCE = """\
Authentication-Results: mx.receiver.example; dkim=pass header.d=example.org; spf=pass
 smtp.mailfrom=bounce@example.org; dmarc=pass header.from=example.org
DKIM-Signature: v=1; d=example.org; h=From:List-Unsubscribe{also}; b=x
From: News <news@example.org>
List-Unsubscribe: <https://digest.example.org/u/token>
List-Unsubscribe-Post: List-Unsubscribe=One-Click

Hello.
"""


def test_the_source_of_a_mail_is_judged(run: Run, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "mail.eml"
    path.write_text(SOURCE.replace("{also}", ":List-Unsubscribe-Post"))
    result = run("-C", root, "doctor", "--headers", path, "--json")
    found = {one["name"]: one["verdict"] for one in result.json}
    assert result.code == 0
    assert found == {
        "SPF as received": "pass",
        "DKIM as received": "pass",
        "DMARC as received": "pass",
        "list headers": "pass",
        "signed headers": "pass",
        # Not our address: asking it could unsubscribe somebody.
        "one-click": "could not look up",
    }
    path.write_text(SOURCE.replace("{also}", ""))
    result = run("-C", root, "doctor", "--headers", path)
    assert result.code == 1
    assert "h= leaves out list-unsubscribe-post" in result.out


def test_a_source_that_is_not_there_is_named(run: Run, root: Path) -> None:
    result = run("-C", root, "doctor", "--headers", "nowhere.eml")
    assert result.code == 2
    assert "nowhere.eml" in result.err


def test_a_test_mail_is_read_where_bounces_come_back(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The outbox is a Maildir: what is sent arrives there.
    monkeypatch.setenv("NEWSLETTER_BOUNCES__MAILBOX", f"maildir:{root / 'outbox'}")
    (root / "outbox" / "new").mkdir(parents=True)
    (root / "outbox" / "new" / "1.other").write_bytes(b"From: other@example.org\n\nNot the one.\n")
    result = run("-C", root, "doctor", "--to", "me@example.org", "--wait", "5", "--json")
    found = {one["name"]: one["verdict"] for one in result.json}
    assert found["test mail"] == "pass"
    assert found["signed headers"] == "fail", "the outbox signs nothing"
    assert [path.name for path in (root / "outbox" / "new").iterdir()] == ["1.other"]


@pytest.fixture
def relay(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A mail server that lays what it is given into a Maildir, and the workspace set to mail through it."""
    box = root.parent / "mail"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(Mailbox(box), hostname="127.0.0.1", port=port)
    server.start()
    monkeypatch.setenv("NEWSLETTER_DELIVERY__PROVIDER", "smtp")
    monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__HOST", "127.0.0.1")
    monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__SECURITY", "none")
    monkeypatch.setenv("NEWSLETTER_PUBLICATION__URL", "https://digest.example.org")
    monkeypatch.setenv("NEWSLETTER_PROVIDERS__SMTP__PORT", str(port))
    key = rsa.generate_private_key(65537, 2048)
    (root / "dkim.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    monkeypatch.setenv("NEWSLETTER_DKIM__SELECTOR", "s1")
    monkeypatch.setenv("NEWSLETTER_DKIM__KEY_FILE", "dkim.pem")
    yield box
    server.stop()


def test_a_test_mail_goes_by_smtp_and_is_judged_as_it_arrived(
    run: Run, root: Path, relay: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_BOUNCES__MAILBOX", f"maildir:{relay}")
    result = run("-C", root, "doctor", "--to", "me@example.org", "--wait", "20", "--json")
    found = {one["name"]: one["verdict"] for one in result.json}
    assert found["test mail"] == "pass", result.out
    assert found["list headers"] == "pass"
    assert found["signed headers"] == "pass", "h= covers both List headers"
    # Nobody on the way has judged it.
    assert found["SPF as received"] == "could not look up"


def test_the_mail_that_arrived_is_judged_from_a_file_too(run: Run, root: Path, relay: Path) -> None:
    sent = run("-C", root, "doctor", "--to", "me@example.org", "--wait", "0")
    assert "newsletter doctor --headers FILE" in sent.out
    (arrived,) = (relay / "new").iterdir()
    result = run("-C", root, "doctor", "--headers", arrived, "--json")
    found = {one["name"]: one["verdict"] for one in result.json}
    assert found["list headers"] == found["signed headers"] == "pass"
    assert b"To: me@example.org" in arrived.read_bytes()
    # With one of the two left out of h=, mail programs offer no button.
    spoiled = root / "spoiled.eml"
    spoiled.write_bytes(re.sub(rb"(?i):\s*list-unsubscribe-post", b"", arrived.read_bytes(), count=1))
    found = {
        one["name"]: one["verdict"] for one in run("-C", root, "doctor", "--headers", spoiled, "--json").json
    }
    assert found["signed headers"] == "fail"


def test_without_a_mailbox_the_way_to_go_on_is_told(run: Run, root: Path) -> None:
    result = run("-C", root, "doctor", "--to", "me@example.org")
    assert result.code == 0
    assert "newsletter doctor --headers FILE" in result.out
    assert run("-C", root, "doctor", "--to", "nobody").code == 1


def test_each_concern_of_the_world_is_told_and_examples_are_not_looked_up(run: Run, root: Path) -> None:
    found = verdicts(run, root)
    for name in ("sender domain", "SPF", "DKIM", "DMARC", "reverse DNS", "one-click", "clock", "Gmail"):
        assert name in found
    assert found["SPF"] == found["DMARC"] == found["sender domain"] == "could not look up"


def test_a_signing_key_of_our_own_is_looked_after(
    run: Run, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEWSLETTER_DKIM__SELECTOR", "s1")
    monkeypatch.setenv("NEWSLETTER_DKIM__KEY_FILE", "dkim.pem")
    result = run("-C", root, "doctor")
    assert "openssl genrsa" in result.out
    (root / "dkim.pem").write_text("no key")
    (root / "dkim.pem").chmod(0o644)
    assert verdicts(run, root)["secrets"] == "warn"
    assert "*.pem" in (root / ".gitignore").read_text()


def test_forms_that_were_used_up_within_the_day_are_told(run: Run, root: Path) -> None:
    assert verdicts(run, root)["forms"] == "pass"
    app = wiring.build(root)
    policy = allowances.Allowances().everybody
    for _ in range(policy.times + 1):
        app.limiter.take("everybody", policy, now=app.now() - timedelta(hours=5))
    app.close()
    (found,) = (each for each in run("-C", root, "doctor", "--json").json if each["name"] == "forms")
    assert found["verdict"] == "warn"
    assert f"asked for {policy.times + 1} mails within an hour" in found["message"]
