"""Ask a provider who we are to it, how it is reached, and what hangs on the account."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from newsletter import ports
from newsletter.domain import errors
from newsletter.domain.diagnoses import Concern, Diagnosis
from newsletter.providers import answers, enrolling, judging
from newsletter.providers.answers import Answer
from newsletter.providers.http_api import HttpProvider
from newsletter.providers.smtp.options import Security, SmtpOptions
from newsletter.providers.smtp.terms import Terms
from newsletter.sending.standing.examination import Met

CONNECTION = Concern("connection")
_FALLBACK = "mend the provider first: see its line above"


async def meet(provider: ports.Provider, kind: str, *, domain: str, hook: str, now: datetime) -> Met:
    """Return what a provider says; an account question that it refuses is told, and no error.

    Raises:
        ProviderError: it cannot be reached, or does not know us.
    """
    said = await provider.probe()
    if not isinstance(provider, HttpProvider):
        return Met(connection=_of_server(provider, said))
    first = await provider.look()
    found = await _account(provider, kind, domain=domain, hook=hook, now=now)
    connection = CONNECTION.holds(f"{provider.api.name} over https with a valid certificate")
    return Met(connection=connection, account=found, date=answers.http_date(first.headers.get("date", "")))


async def _account(
    provider: HttpProvider, kind: str, *, domain: str, hook: str, now: datetime
) -> Sequence[Diagnosis]:
    desk = enrolling.DESKS[kind](provider.api, now=now)
    found = []
    for call, judge in desk.questions(domain, now=now):
        answer = await provider.ask(call)
        # “Not there” is an answer about a domain.
        told = answer.ok or answer.status == 404
        found.append(judge(answer) if told else _refused(answer))
    listing = desk.hooks()
    if listing is not None:
        answer = await provider.ask(listing)
        found.append(judging.registered(answer, hook) if answer.ok else _refused(answer))
    return found


def _refused(answer: Answer) -> Diagnosis:
    return Concern("account").untold(
        f"the key may not ask: {answer.status} {answers.said(answer)}", "look in the provider's pages"
    )


def _of_server(provider: Any, said: str) -> Diagnosis:
    """Judge what an SMTP server offers."""
    terms, options = getattr(provider, "terms", None), getattr(provider, "options", None)
    if not isinstance(terms, Terms) or not isinstance(options, SmtpOptions):
        return CONNECTION.holds(said)
    if options.security is Security.NONE and terms.starttls and not _is_here(options.host):
        return CONNECTION.broken(
            f"{options.host} offers STARTTLS, and mail goes there in the clear", 'set security = "starttls"'
        )
    if options.security is Security.NONE and not _is_here(options.host):
        return CONNECTION.doubtful(f"mail goes to {options.host} in the clear", "use a server with TLS")
    lacking = [
        word
        for word, has in (
            ("SIZE", terms.size),
            ("PIPELINING", terms.pipelining),
            ("8BITMIME", terms.eight_bit),
            ("SMTPUTF8", terms.utf8),
            ("DSN", terms.dsn),
        )
        if not has
    ]
    beside = f"; it lacks {', '.join(lacking)}" if lacking else ""
    return CONNECTION.holds(f"{said}{beside}")


def _is_here(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")


def told(error: errors.NewsletterError, *, account: bool = False) -> Met:
    """Return what can be said of a provider that does not answer; ``account``: it would tell of one."""
    cause = error.__cause__
    if isinstance(cause, socket.gaierror) and cause.errno == socket.EAI_AGAIN:
        connection = CONNECTION.untold(str(error), "look again when the network is up")
    else:
        connection = CONNECTION.broken(str(error), error.hint or _FALLBACK)
    beside = [Concern("account").untold("the provider has to answer first", _FALLBACK)] if account else []
    return Met(connection=connection, account=beside)
