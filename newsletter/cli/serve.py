"""Run the public pages and the scheduler in one process."""

from __future__ import annotations

import contextlib
import enum
import logging
import signal
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter import wiring
from newsletter.cli import invocation, nouns, output
from newsletter.domain import errors
from newsletter.domain.deliveries import MailingStatus

if TYPE_CHECKING:
    from starlette.types import ASGIApp

app = nouns.command()
_log = logging.getLogger(__name__)


class Role(enum.StrEnum):
    """What a process does of what a service does."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"


@app.command(
    epilog=nouns.example(
        "newsletter serve",
        "newsletter serve --host 0.0.0.0 --port 8080",
        "newsletter serve --role worker",
    )
)
def serve(
    ctx: typer.Context,
    host: Annotated[str, typer.Option("--host", help="Address to listen on; default: web.host.")] = "",
    port: Annotated[
        int | None, typer.Option("--port", help="Port to listen on; default: web.port.", min=0, max=65535)
    ] = None,
    role: Annotated[
        Role, typer.Option("--role", help="web: pages alone; worker: mailings and returned mail alone.")
    ] = Role.ALL,
) -> None:
    """Run the public pages and the scheduler."""
    house = invocation.of(ctx).app
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", level=logging.WARNING)
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, _end)
    if role is Role.WORKER:
        _work(house)
        return
    web = house.settings.web
    with _listener(host or web.host, web.port if port is None else port) as listener:
        pages = _pages(house)
        clock = _clock(house, files=True) if role is Role.ALL else contextlib.nullcontext()
        with clock, _mailroom(house):
            output.line(f"Pages at http://{_name(listener)}/ - stop with Ctrl-C")
            _answer(pages, listener)


def _work(house: wiring.App) -> None:
    """Send what is due until a signal ends the process."""
    with _clock(house, files=False), _mailroom(house):
        output.line("At work - stop with Ctrl-C")
        while True:
            signal.pause()


def _end(*_: object) -> None:
    """Leave by way of every ``with``: uvicorn raises the signal again when its last answer is out."""
    raise SystemExit(0)


def _pages(house: wiring.App) -> ASGIApp:
    from newsletter.web import app as web
    from newsletter.web import desk

    return web.create(desk.of(house))


@contextlib.contextmanager
def _clock(house: wiring.App, *, files: bool) -> Iterator[None]:
    """Send what is due while the block runs; ``files``: and do what the issue files are needed for."""
    queue = house.queue()
    queue.start()
    for said in _standing(house):
        output.line(said)
    house.keep_watch(queue, (lambda: _remind(house)) if files else None)
    try:
        with house.listening():
            yield
    finally:
        queue.stop()


@contextlib.contextmanager
def _mailroom(house: wiring.App) -> Iterator[None]:
    """Have letters go out while the block runs, in whatever role they were written."""
    house.errand.start()
    try:
        yield
    finally:
        house.errand.stop()


def _standing(house: wiring.App) -> Iterator[str]:
    """Yield what whoever starts the service should know of its mailings."""
    for mailing in house.ledger.mailings():
        if mailing.status is MailingStatus.SCHEDULED:
            yield f"Issue {mailing.number} is due at {mailing.due_at:%Y-%m-%d %H:%M} UTC."
        elif mailing.status is MailingStatus.HELD:
            yield (
                f"Issue {mailing.number} is held: {mailing.reason}; "
                f"newsletter mailing resume {mailing.number} sends it."
            )
        elif mailing.status is MailingStatus.SENDING:
            yield f"Issue {mailing.number} is being sent."


def _remind(house: wiring.App) -> None:
    for number in house.forgotten():
        _log.warning(
            "issue %s bears today's date and is not sent: newsletter mailing send %s", number, number
        )


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=256)
        # Head and body are written apart; with Nagle's algorithm the second waits 40 ms for an answer to the
        # first. asyncio switches it off for sockets that it opens itself, not for one that it is given.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except OSError as error:
        raise errors.NewsletterError(
            f"cannot listen on {host}:{port}: {error.strerror}",
            hint=f"choose another port: newsletter serve --port {port + 1}",
        ) from error


def _name(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _answer(pages: ASGIApp, listener: socket.socket) -> None:
    import uvicorn

    from newsletter.web import patience

    config = uvicorn.Config(
        pages,
        http=patience.Impatient,
        # Who a visitor is, the pages find out themselves, by web.trusted_proxies alone.
        proxy_headers=False,
        # Tokens are part of addresses, and none belongs into a log.
        access_log=False,
        server_header=False,
        log_level="warning",
        timeout_keep_alive=10,
        limit_concurrency=500,
        h11_max_incomplete_event_size=16 * 1024,
        timeout_graceful_shutdown=10,
    )
    uvicorn.Server(config).run(sockets=[listener])
