"""The preview's pages: for one machine, without a request that leaves it."""

from __future__ import annotations

import asyncio
import importlib.resources
import json
import mimetypes
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import (
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from newsletter import checking
from newsletter.checking import document, picture_files
from newsletter.domain import errors
from newsletter.sending import proofs
from newsletter.web import security
from newsletter.web.preview import frames, lists, readers, studio

if TYPE_CHECKING:
    from jinja2 import Environment

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
#: Nothing in a letter can run or load from elsewhere; the page may read how far it is scrolled.
_FRAME_POLICY = (
    "sandbox allow-same-origin; default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
_PLAIN = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
#: Seconds of silence after which a sign of life is sent.
_HEARTBEAT = 15.0
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif"})
_STATIC = {"preview.css": "text/css", "preview.js": "text/javascript"}

Lifespan = Callable[[Starlette], AbstractAsyncContextManager[None]]


def create(easel: studio.Studio, *, stop: asyncio.Event, lifespan: Lifespan | None = None) -> Starlette:
    """Return the preview of what stands on the easel."""
    pages = _Pages(easel, stop)
    return Starlette(
        routes=[
            Route("/", pages.whole),
            Route("/panels", pages.panels),
            Route("/frame", pages.frame),
            Route("/events", pages.events),
            Route("/test", pages.test, methods=["POST"]),
            Route("/pictures/{name}", pages.picture),
            Route("/{name:path}", pages.static),
        ],
        # A page elsewhere cannot reach in by a host name of its own that it points here.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        lifespan=lifespan,
    )


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("newsletter.web.preview", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class _Pages:
    """What each address answers."""

    def __init__(self, easel: studio.Studio, stop: asyncio.Event) -> None:
        self._easel = easel
        self._stop = stop

    async def whole(self, request: Request) -> Response:
        """Show the whole page."""
        return await run_in_threadpool(self._page, "page.html", request)

    async def panels(self, request: Request) -> Response:
        """Show what changes when the issue does."""
        return await run_in_threadpool(self._page, "panels.html", request)

    async def frame(self, request: Request) -> Response:
        """Show the letter as one reader's program would."""
        return await run_in_threadpool(self._frame, request)

    async def picture(self, request: Request) -> Response:
        """Show a picture that lies beside the issue."""
        path = self._easel.path.parent / Path(request.path_params["name"]).name
        if path.suffix.lower() not in _PICTURES or not path.is_file():
            return PlainTextResponse("There is no such picture.\n", 404, _PLAIN)
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        # The address changes with the file.
        kept = {"Cache-Control": "private, max-age=3600"} if request.url.query else {}
        return FileResponse(path, media_type=kind, headers=_PLAIN | kept)

    async def static(self, request: Request) -> Response:
        """Return our own style sheet and script."""
        name = request.path_params["name"]
        if name == "favicon.ico":
            return Response(status_code=204, headers=_PLAIN)
        if name not in _STATIC:
            return PlainTextResponse("There is no such page.\n", 404, _PLAIN)
        pages = importlib.resources.files("newsletter.web.preview").joinpath("pages")
        return Response(pages.joinpath(name).read_bytes(), media_type=_STATIC[name], headers=_PLAIN)

    async def events(self, request: Request) -> Response:
        """Tell of each new print as it comes (server-sent events)."""
        headers = _PLAIN | {"Content-Security-Policy": _PAGE_POLICY}
        return StreamingResponse(self._told(request), media_type="text/event-stream", headers=headers)

    async def _told(self, request: Request) -> AsyncIterator[str]:
        version = self._easel.print.version
        yield f"event: hello\ndata: {version}\n\n"
        while not self._stop.is_set() and not await request.is_disconnected():
            try:
                version = await asyncio.wait_for(self._news(version), _HEARTBEAT)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if self._stop.is_set():
                return
            broken = bool(self._easel.print.faults)
            yield f"event: changed\ndata: {json.dumps({'version': version, 'broken': broken})}\n\n"

    async def _news(self, version: int) -> int:
        """Wait for a newer print, or for the end."""
        tasks = [asyncio.create_task(self._easel.after(version)), asyncio.create_task(self._stop.wait())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        return self._easel.print.version

    async def test(self, request: Request) -> Response:
        """Send the issue to an editor, through the provider."""
        if request.headers.get("X-Preview") != "1":
            # Pages elsewhere cannot set this header without being asked first, and are refused there.
            return JSONResponse({"said": "only the preview's own page may send"}, 403, _PLAIN)
        try:
            address = str(json.loads(await security.body(request)).get("to", "")).strip()
            said = await run_in_threadpool(self._send, address)
        except (errors.NewsletterError, ValueError, AttributeError) as error:
            hint = getattr(error, "hint", "")
            return JSONResponse({"said": f"{error}{f': {hint}' if hint else ''}"}, 400, _PLAIN)
        return JSONResponse({"said": said}, headers=_PLAIN)

    def _send(self, address: str) -> str:
        proof = self._easel.print.proof
        if proof is None or self._easel.print.faults:
            raise errors.RenderError("the issue cannot be rendered as it is now")
        receipts = self._easel.send(proof, [address])
        return "; ".join(f"{one.verdict.kind}{f' ({one.reply})' if one.reply else ''}" for one in receipts)

    def _frame(self, request: Request) -> Response:
        headers = _PLAIN | {"Content-Security-Policy": _FRAME_POLICY}
        proof = self._easel.print.proof
        if proof is None:
            return HTMLResponse(
                "<!doctype html><title>Nothing yet</title><p>Nothing to show yet.", headers=headers
            )
        asked = request.query_params
        reader = readers.find(asked.get("reader", ""))
        edition = readers.edition(proof, reader, asked.get("edition", ""))
        html, _ = self._filled(reader, edition)
        palette = asked.get("palette", "")
        view = frames.View(
            palette=frames.Palette(palette) if palette in set(frames.Palette) else frames.Palette.LIGHT,
            pictures=asked.get("pictures") != "off",
            styles=asked.get("styles") != "off",
        )
        shown = frames.show(self._with_pictures(html, edition), view, edition.issue.entries)
        return HTMLResponse(shown, headers=headers)

    def _is_of_another(self, path: str, edition: proofs.Edition) -> bool:
        """Say whether a file is that of another edition."""
        proof = self._easel.print.proof
        others = {one.issue.path.name for one in proof.editions if one is not edition} if proof else set()
        return Path(path).name in others

    def _with_pictures(self, html: str, edition: proofs.Edition) -> str:
        """Let the issue's own pictures come from here, under an address that changes when the file does."""

        def here(match: re.Match[str]) -> str:
            path = edition.issue.path.parent / Path(unquote(match[1])).name
            changed = path.stat().st_mtime_ns if path.is_file() else 0
            return f"/pictures/{match[1]}?{changed}"

        return re.sub(rf"{re.escape(self._base(edition))}([^\"'\s<>]+)", here, html)

    def _base(self, edition: proofs.Edition) -> str:
        """Return what the addresses of an issue's own pictures begin with."""
        return f"{self._easel.at.publication.url}/issues/{edition.issue.slug}/"

    def _filled(self, reader: readers.Reader, edition: proofs.Edition) -> tuple[str, str]:
        values = readers.values(reader, self._easel.at.publication, edition.issue)
        rendered = edition.template.rendered
        return (
            checking.personalise(rendered.html, values, is_html=True),
            checking.personalise(rendered.text, values, is_html=False),
        )

    def _page(self, template: str, request: Request) -> Response:
        values = self._values(request)
        html = _environment().get_template(template).render(values)
        return HTMLResponse(
            html, headers=_PLAIN | {"Content-Security-Policy": _PAGE_POLICY, "X-Frame-Options": "DENY"}
        )

    def _values(self, request: Request) -> dict[str, Any]:
        now = self._easel.print
        asked = {
            key: request.query_params.get(key, "")
            for key in ("reader", "edition", "palette", "pictures", "styles")
        }
        shown: dict[str, Any] = {
            "print": now,
            "asked": asked,
            "readers": readers.READERS,
            "languages": [one.issue.language for one in now.proof.editions] if now.proof else [],
            "path": self._easel.path,
            "title": now.proof.issue.subject if now.proof else self._easel.path.name,
            "letter": None,
        }
        if now.proof is not None:
            reader = readers.find(asked["reader"])
            shown["letter"] = self._letter(reader, readers.edition(now.proof, reader, asked["edition"]))
        return shown

    def _letter(self, reader: readers.Reader, edition: proofs.Edition) -> dict[str, Any]:
        html, text = self._filled(reader, edition)
        page = document.Page(html)
        found = [one for one in self._easel.findings() if not self._is_of_another(one.path, edition)]
        at = self._easel.at
        weighed = checking.tracked(html, at.publication, at.counted)
        headers, parts = lists.parts(self._easel.at.sample(edition).raw)
        return {
            "issue": edition.issue,
            "sender": self._easel.at.publication.sender.name,
            "rows": lists.inbox(edition),
            "text": text,
            "source": lists.formatted(html),
            "headers": headers,
            "parts": parts,
            "meter": lists.meter(weighed, edition.template.rendered, page),
            "links": list(lists.links(page, found, edition)),
            "pictures": list(
                lists.pictures(page, picture_files.loader(edition.issue.path.parent), self._base(edition))
            ),
            "outline": list(lists.outline(page)),
            "findings": found,
            "summary": checking.summary(found),
            "headlines": {entry.id: entry.headline for entry in edition.issue.entries},
        }
