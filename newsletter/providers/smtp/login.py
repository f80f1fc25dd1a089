"""The opening of a session, up to the first MAIL: greeting, EHLO, STARTTLS, AUTH.

A generator that yields what to do next and is sent each reply, so that it needs no socket.
"""

from __future__ import annotations

import base64
from collections.abc import Generator
from dataclasses import dataclass, field

from newsletter.domain import errors
from newsletter.domain.replies import Reply, Stage
from newsletter.providers.smtp import terms
from newsletter.providers.smtp.options import Auth, Security, SmtpOptions
from newsletter.providers.smtp.terms import Terms


@dataclass(frozen=True)
class Step:
    """Send a line (None: nothing, the greeting comes by itself) and wait for its reply."""

    stage: Stage
    line: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Handshake:
    """Put the connection under TLS now; anything already read is an attack (CVE-2011-0411)."""


Opening = Generator[Step | Handshake, Reply, Terms]


def opening(options: SmtpOptions, helo: str) -> Opening:
    """Open a session and return its terms.

    Raises:
        ProviderRefusedError: the server refuses us, our security or our credentials.
        ProviderError: the server cannot serve us now.
    """
    _expect(options, (yield Step(Stage.GREETING)), "the greeting", 220)
    offered = yield from _hello(options, helo)
    if options.security is Security.STARTTLS:
        yield from _start_tls(options, offered)
        offered = yield from _hello(options, helo)
    if options.username:
        yield from _log_in(options, offered)
    return offered


def _hello(options: SmtpOptions, helo: str) -> Opening:
    reply = yield Step(Stage.HELLO, f"EHLO {helo}".encode())
    if reply.code in (500, 502):
        reply = yield Step(Stage.HELLO, f"HELO {helo}".encode())
        _expect(options, reply, "HELO", 250)
        return Terms(name=(reply.text.split() or [""])[0])
    _expect(options, reply, "EHLO", 250)
    return terms.read(reply)


def _start_tls(options: SmtpOptions, offered: Terms) -> Generator[Step | Handshake, Reply, None]:
    if not offered.starttls:
        raise errors.ProviderRefusedError(
            f"{options.server} does not offer STARTTLS, so that mail would go in the clear",
            hint='set security = "tls" (port 465), or "none" for a server on this machine',
        )
    reply = yield Step(Stage.STARTTLS, b"STARTTLS")
    _expect(options, reply, "STARTTLS", 220)
    yield Handshake()


def _log_in(options: SmtpOptions, offered: Terms) -> Generator[Step | Handshake, Reply, None]:
    if options.security is Security.NONE and not options.is_local:
        raise errors.ProviderRefusedError(
            f"the password for {options.server} would be sent in the clear",
            hint='set security = "starttls" or "tls"',
        )
    mechanism = _mechanism(options, offered)
    reply = yield from {"PLAIN": _plain, "LOGIN": _login, "XOAUTH2": _xoauth2}[mechanism](options)
    _expect(options, reply, f"AUTH {mechanism}", 235)


def _mechanism(options: SmtpOptions, offered: Terms) -> str:
    wanted = ("PLAIN", "LOGIN") if options.auth is Auth.AUTO else (options.auth.value.upper(),)
    for mechanism in wanted:
        if mechanism in offered.auth:
            return mechanism
    has = " ".join(sorted(offered.auth)) or "no login at all"
    raise errors.ProviderRefusedError(
        f"{options.server} offers {has}, and we can log in by {' or '.join(wanted)}",
        hint="check port and security: many servers offer a login only under TLS",
    )


_Exchange = Generator[Step | Handshake, Reply, Reply]


def _plain(options: SmtpOptions) -> _Exchange:
    secret = _base64(f"\0{options.username}\0{options.password}")
    return (yield Step(Stage.AUTH, b"AUTH PLAIN " + secret))


def _login(options: SmtpOptions) -> _Exchange:
    reply = yield Step(Stage.AUTH, b"AUTH LOGIN")
    for word in (options.username, options.password):
        if reply.code != 334:
            return reply
        reply = yield Step(Stage.AUTH, _base64(word))
    return reply


def _xoauth2(options: SmtpOptions) -> _Exchange:
    secret = _base64(f"user={options.username}\x01auth=Bearer {options.password}\x01\x01")
    reply = yield Step(Stage.AUTH, b"AUTH XOAUTH2 " + secret)
    if reply.code == 334:
        # The challenge is the error in JSON; the refusal itself comes after an empty line.
        reply = yield Step(Stage.AUTH, b"")
    return reply


def _base64(text: str) -> bytes:
    return base64.b64encode(text.encode())


def _expect(options: SmtpOptions, reply: Reply, what: str, code: int) -> None:
    if reply.code == code:
        return
    message = f"{options.server} answered {what} with “{reply}”"
    if reply.code // 100 != 5:
        raise errors.ProviderError(message, hint="try again later; if it stays, ask who runs the server")
    if reply.code in (530, 534, 535, 538):
        hint = "check the username and password of this provider"
        raise errors.ProviderRefusedError(message, hint=hint)
    raise errors.ProviderRefusedError(message, hint="ask who runs the server what it wants of a sender")
