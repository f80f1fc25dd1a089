"""`issue preview`: the issue in the browser, live while it is written."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter import wiring
from newsletter.cli import invocation, nouns, output
from newsletter.cli.issue.group import app, path_of
from newsletter.domain import errors

if TYPE_CHECKING:
    import asyncio

    import uvicorn
    from starlette.applications import Starlette


@app.command(epilog=nouns.example("newsletter issue preview", "newsletter issue preview 2.23 --no-open"))
def preview(
    ctx: typer.Context,
    issue: Annotated[
        str, typer.Argument(metavar="ISSUE", help="2.23, vol-2-23, a file, “latest” or “next” (to go out).")
    ] = "latest",
    port: Annotated[int, typer.Option(metavar="PORT", help="Port on 127.0.0.1; 0: any that is free.")] = 0,
    no_open: Annotated[bool, typer.Option("--no-open", help="Do not open the browser.")] = False,
) -> None:
    """Show an issue in the browser as each kind of reader will see it, anew at every save."""
    house = invocation.of(ctx).app
    path = path_of(house, issue)
    with _listening(port) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        server = _server(house, path, address if not no_open else "")
        output.line(f"{path}: {address}")
        output.line("Ctrl-C ends the preview.")
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise errors.UsageError(
            f"port {port} on 127.0.0.1 cannot be used: {reason}",
            hint="leave --port out, and any free one is taken",
        ) from error
    return listener


def _server(house: wiring.App, path: Path, opened: str) -> uvicorn.Server:
    import asyncio

    import uvicorn

    stop = asyncio.Event()
    config = uvicorn.Config(
        _application(house, path, stop, opened),
        log_level="warning",
        lifespan="on",
        timeout_graceful_shutdown=1,
    )

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: object) -> None:
            # Streams of events never end by themselves.
            stop.set()
            super().handle_exit(sig, frame)  # type: ignore[arg-type]  # uvicorn wants a FrameType

    return Server(config)


def _application(house: wiring.App, path: Path, stop: asyncio.Event, opened: str) -> Starlette:
    import asyncio

    from newsletter.web.preview import app as preview_app
    from newsletter.web.preview import studio, watching

    easel = studio.Studio(press=lambda: house.anew().press, path=path, send=house.send_trial)
    folders = [path.parent, *house.theme.folders]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await asyncio.to_thread(easel.develop)
        watcher = asyncio.create_task(
            watching.watch(easel, root=house.workspace.root, folders=folders, stop=stop)
        )
        if opened:
            import webbrowser

            await asyncio.to_thread(webbrowser.open, opened)
        yield
        stop.set()
        await watcher

    return preview_app.create(easel, stop=stop, lifespan=lifespan)
