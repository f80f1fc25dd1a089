"""The opening of a session: TLS, certificates, logins, and what is done to them on the way."""

from __future__ import annotations

import asyncio
import base64
import datetime
import ssl
from pathlib import Path

import pytest
import trustme

from newsletter.domain import errors
from newsletter.domain.verdicts import Kind
from newsletter.providers.smtp.options import Auth, Security, SmtpOptions
from newsletter.providers.smtp.provider import Smtp
from newsletter.providers.tray import Tray
from tests.providers.letters import letters
from tests.providers.scripted_smtp import Act, Answer, ScriptedServer
from tests.providers.test_smtp import ALL, PIPELINING, QUICK, kinds, options

STARTTLS = ("STARTTLS", *PIPELINING)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """A server's side of TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
@pytest.mark.parametrize("offers", [ALL, PIPELINING, ("8BITMIME",)], ids=["chunks", "pipelining", "plain"])
async def test_mail_goes_under_tls(
    security: Security, offers: tuple[str, ...], authority: trustme.CA, ca_file: str
) -> None:
    sent = letters(12, size=70_000)
    tls = serving(authority.issue_cert("127.0.0.1"))
    async with ScriptedServer(
        offers=("STARTTLS", *offers), tls=tls, implicit=security is Security.TLS
    ) as server:
        tray = Tray(sent)
        await Smtp(options(server, security=security, ca_file=ca_file, connections=1)).send(tray)
    assert {one.content for one in server.taken} == {one.raw for one in sent}
    if security is Security.STARTTLS:
        assert server.said.index("STARTTLS") < server.said.index(next(s for s in server.said if "MAIL" in s))
        assert [line[:4] for line in server.said].count("EHLO") == 2


async def test_starttls_stripped_from_the_offer_sends_nothing() -> None:
    async with ScriptedServer(offers=PIPELINING) as server:
        tray = Tray(letters(2))
        with pytest.raises(errors.ProviderRefusedError, match="does not offer STARTTLS"):
            await Smtp(options(server, security=Security.STARTTLS)).send(tray)
    assert tray.waiting == 2
    assert not any("MAIL" in line for line in server.said)


@pytest.mark.parametrize(
    "injected",
    [b"220 ready\r\n250 2.0.0 injected\r\n", b"220 ready\r\n250-half", b"220 ready\r\n\r\n"],
)
async def test_bytes_behind_the_answer_to_starttls_are_an_attack(
    injected: bytes, authority: trustme.CA, ca_file: str
) -> None:
    tls = serving(authority.issue_cert("127.0.0.1"))
    async with ScriptedServer({"STARTTLS": [(injected, Act.TLS)]}, offers=STARTTLS, tls=tls) as server:
        tray = Tray(letters(2))
        with pytest.raises(errors.ProviderError):
            await Smtp(options(server, security=Security.STARTTLS, ca_file=ca_file, attempts=1)).send(tray)
    assert tray.waiting == 2
    assert not any("MAIL" in line for line in server.said)


@pytest.mark.parametrize(
    "reply", ["454 4.7.0 TLS not available", "220-two\r\n220 lines and no handshake", Act.SILENCE]
)
async def test_a_server_that_does_not_start_tls_sends_nothing(reply: Answer, ca_file: str) -> None:
    script: dict[str, list[Answer]] = {"STARTTLS": [reply] * 9}
    async with ScriptedServer(script, offers=STARTTLS) as server:
        tray = Tray(letters(2))
        with pytest.raises(errors.ProviderError):
            await Smtp(
                options(server, security=Security.STARTTLS, ca_file=ca_file, attempts=2, timeouts=QUICK)
            ).send(tray)
    assert tray.waiting == 2


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("other host", "IP address mismatch"),
        ("expired", "expired"),
        ("unknown authority", "unable to get local issuer|self.signed"),
    ],
)
async def test_a_certificate_that_does_not_hold_is_refused(
    fault: str, why: str, security: Security, authority: trustme.CA, ca_file: str
) -> None:
    long_ago = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    certificate = {
        "other host": lambda: authority.issue_cert("mail.example.org"),
        "expired": lambda: authority.issue_cert("127.0.0.1", not_before=long_ago, not_after=long_ago),
        "unknown authority": lambda: trustme.CA().issue_cert("127.0.0.1"),
    }[fault]()
    async with ScriptedServer(
        offers=STARTTLS, tls=serving(certificate), implicit=security is Security.TLS
    ) as server:
        tray = Tray(letters(2))
        with pytest.raises(errors.ProviderRefusedError, match=why) as caught:
            await Smtp(options(server, security=security, ca_file=ca_file)).send(tray)
    assert "ca_file" in caught.value.hint
    assert tray.waiting == 2


async def test_verification_can_be_switched_off(authority: trustme.CA) -> None:
    tls = serving(authority.issue_cert("mail.example.org"))
    async with ScriptedServer(offers=STARTTLS, tls=tls) as server:
        tray = Tray(letters(2))
        await Smtp(options(server, security=Security.STARTTLS, verify=False)).send(tray)
    assert len(server.taken) == 2


async def test_certificates_that_cannot_be_read_name_the_file(tmp_path: Path) -> None:
    made = SmtpOptions(host="127.0.0.1", ca_file=str(tmp_path / "none.pem"))
    with pytest.raises(errors.ProviderError, match=r"none\.pem cannot be read"):
        await Smtp(made).probe()


@pytest.mark.parametrize(
    ("auth", "offered", "command"),
    [
        (Auth.AUTO, "AUTH PLAIN LOGIN", "AUTH PLAIN"),
        (Auth.AUTO, "AUTH LOGIN XOAUTH2", "AUTH LOGIN"),
        (Auth.AUTO, "AUTH=LOGIN", "AUTH LOGIN"),
        (Auth.PLAIN, "AUTH LOGIN PLAIN", "AUTH PLAIN"),
        (Auth.LOGIN, "AUTH LOGIN PLAIN", "AUTH LOGIN"),
    ],
)
async def test_it_logs_in_by_what_is_offered(auth: Auth, offered: str, command: str) -> None:
    async with ScriptedServer(offers=(offered, *PIPELINING)) as server:
        tray = Tray(letters(2))
        await Smtp(options(server, username="anna", password="pä ss", auth=auth)).send(tray)
    assert server.logins == [("anna", "pä ss")]
    assert any(line.startswith(command) for line in server.said)
    assert len(server.taken) == 2


async def test_it_logs_in_by_a_bearer_token() -> None:
    async with ScriptedServer(offers=("AUTH XOAUTH2", *PIPELINING)) as server:
        await Smtp(options(server, username="anna", password="token", auth=Auth.XOAUTH2)).send(
            Tray(letters(1))
        )
    assert server.logins == [("user=anna\x01auth=Bearer token\x01\x01",)]


async def test_a_refused_token_is_answered_as_the_mechanism_wants() -> None:
    challenge = "334 " + base64.b64encode(b'{"status":"400"}').decode()
    script: dict[str, list[Answer]] = {"AUTH": [challenge], "": ["535 5.7.8 no"]}
    async with ScriptedServer(script, offers=("AUTH XOAUTH2",)) as server:
        with pytest.raises(errors.ProviderRefusedError, match=r"535 5\.7\.8 no"):
            await Smtp(options(server, username="anna", password="t", auth=Auth.XOAUTH2)).send(
                Tray(letters(1))
            )
    assert server.said[-1] == ""


async def test_refused_credentials_stop_the_send_and_are_not_quoted() -> None:
    async with ScriptedServer({"AUTH": ["535 5.7.8 wrong"]}, offers=("AUTH PLAIN",)) as server:
        tray = Tray(letters(3))
        with pytest.raises(errors.ProviderRefusedError, match=r"535 5\.7\.8 wrong") as caught:
            await Smtp(options(server, username="anna", password="s3cret")).send(tray)
    assert "username and password" in caught.value.hint
    assert "s3cret" not in str(caught.value)
    assert server.connections == 1
    assert tray.waiting == 3


async def test_a_login_that_is_refused_later_on_stops_the_send_with_the_rest_untouched() -> None:
    script: dict[str, list[Answer]] = {"AUTH": ["235 ok", "235 ok", "535 5.7.8 no more"]}
    async with ScriptedServer(script, offers=("AUTH PLAIN", *PIPELINING)) as server:
        tray = Tray(letters(30))
        made = options(server, username="anna", password="x", connections=1, per_connection=10)
        with pytest.raises(errors.ProviderRefusedError, match="no more"):
            await Smtp(made).send(tray)
    assert len(server.taken) == 20
    assert list(kinds(tray).values()) == [Kind.ACCEPTED] * 20
    assert tray.waiting == 10


async def test_a_login_that_is_refused_to_one_connection_does_not_stop_the_others() -> None:
    script: dict[str, list[Answer]] = {"AUTH": ["235 ok", "535 5.7.8 too many logins"]}
    async with ScriptedServer(script, offers=("AUTH PLAIN", *PIPELINING)) as server:
        tray = Tray(letters(200))
        await Smtp(options(server, username="anna", password="x", connections=2)).send(tray)
    assert len(server.taken) == 200


async def test_a_temporary_refusal_of_the_login_is_tried_again() -> None:
    async with ScriptedServer({"AUTH": ["454 4.7.0 later"]}, offers=("AUTH PLAIN", *PIPELINING)) as server:
        await Smtp(options(server, username="anna", password="x")).send(Tray(letters(1)))
    assert len(server.taken) == 1


async def test_no_login_offered_says_what_is() -> None:
    async with ScriptedServer(offers=("AUTH CRAM-MD5",)) as server:
        with pytest.raises(
            errors.ProviderRefusedError, match="offers CRAM-MD5, and we can log in by PLAIN or LOGIN"
        ):
            await Smtp(options(server, username="anna", password="x")).probe()


async def test_a_password_never_goes_in_the_clear_to_another_machine() -> None:
    async with ScriptedServer(offers=("AUTH PLAIN",)) as server:
        made = SmtpOptions(
            host="127.0.0.1",
            port=server.port,
            security=Security.NONE,
            username="a",
            password="b",
            timeouts=QUICK,
        )
        object.__setattr__(made, "host", "0.0.0.0")  # reaches this machine, and does not say so
        with pytest.raises(errors.ProviderRefusedError, match="in the clear"):
            await Smtp(made).probe()
    assert server.logins == []


async def test_a_server_without_ehlo_is_greeted_with_helo() -> None:
    async with ScriptedServer({"EHLO": ["502 5.5.1 what?"] * 2}) as server:
        await Smtp(options(server)).send(Tray(letters(3)))
    assert len(server.taken) == 3


@pytest.mark.parametrize("greeting", ["554 5.7.1 go away", "521 no mail here"])
async def test_a_greeting_that_refuses_us_stops_the_send(greeting: str) -> None:
    async with ScriptedServer({"GREETING": [greeting]}) as server:
        with pytest.raises(errors.ProviderRefusedError, match=greeting):
            await Smtp(options(server)).send(Tray(letters(3)))


async def test_the_name_we_greet_with_can_be_set() -> None:
    async with ScriptedServer() as server:
        await Smtp(options(server, helo="news.example.org")).probe()
    assert server.said[0] == "EHLO news.example.org"


async def test_a_server_that_never_says_bye_is_left_all_the_same() -> None:
    async with ScriptedServer({"QUIT": [Act.SILENCE]}) as server:
        async with asyncio.timeout(60):
            await Smtp(options(server, timeouts=QUICK)).send(Tray(letters(1)))
    assert len(server.taken) == 1
