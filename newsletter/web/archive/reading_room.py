"""The addresses of the archive: pages are made once, and again only when something behind them changed."""

from __future__ import annotations

import logging
import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from newsletter.domain import errors, numbering
from newsletter.web import desk, languages, pages
from newsletter.web.archive import answers, editions, feeds, letters, library, lists, stylesheets

_log = logging.getLogger(__name__)
_SHOW = ["GET", "HEAD"]
#: What may lie beside an issue and be shown in it.
PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif"})
#: No list has more pages; larger numbers are not even read.
_LARGEST_PAGE = 10_000
Made = answers.Answer | None


def router(at: desk.Desk) -> APIRouter:
    """Return the pages that are the same for everybody."""
    routes = APIRouter()
    room = ReadingRoom(at)
    addresses: dict[str, Callable[[Request], Awaitable[Response] | Response]] = {
        "/": room.front,
        "/page/{page}": room.front,
        "/issues/{name}": room.issue,
        "/issues/{slug}/{name:path}": room.picture,
        "/topics/{topic}": room.topic,
        "/topics/{topic}/page/{page}": room.topic,
        "/search": room.search,
        "/sitemap.xml": room.site_map,
        "/robots.txt": room.robots,
        **{f"/{feed}": room.feed for feed in feeds.KINDS},
    }
    for path, answer in addresses.items():
        # Plain routes: what FastAPI does about parameters costs more than a page that is made already.
        routes.add_route(path, answer, methods=_SHOW)
    return routes


class ReadingRoom:
    """Answers readers."""

    def __init__(self, at: desk.Desk) -> None:
        self._at = at
        self.library = library.Library(at.ledger, at.issues, at.read, at.clock)
        self.lists = lists.Lists(publication=at.publication, topics=at.topics)
        self.feeds = feeds.Feeds(publication=at.publication, theme=at.theme, topics=at.topics)
        self._robots = answers.Answer(self.feeds.robots(), "text/plain; charset=utf-8", seconds=86_400)

    async def front(self, request: Request) -> Response:
        """Show all issues."""
        language, number = self._language(request), _number(request.path_params.get("page", "1"))
        return await self._kept(
            request,
            (f"/page/{number}", language),
            lambda held: _listed(self.lists.front(held, language, number)),
        )

    async def topic(self, request: Request) -> Response:
        """Show the issues about a topic."""
        topic: str = request.path_params["topic"]
        language, number = self._language(request), _number(request.path_params.get("page", "1"))
        return await self._kept(
            request,
            (f"/topics/{topic}/page/{number}", language),
            lambda held: _listed(self.lists.topic(held, language, topic, number)),
        )

    async def issue(self, request: Request) -> Response:
        """Show an issue, nothing personal in it."""
        held = await self._held()
        edition = held.by_name.get(request.path_params["name"])
        language = request.query_params.get("language", "") if request.scope["query_string"] else ""
        if edition is not None and language:
            edition = held.of(edition.number).edition(language)
        key = edition.path if edition else ""
        return await self._kept(request, (key, ""), lambda held: self.letter(held, edition))

    def letter(self, held: library.Holdings, edition: editions.Edition | None) -> Made:
        """Return the page of an edition; None where there is none."""
        page = self._written(held, edition) if edition else ""
        policy = {"Content-Security-Policy": stylesheets.policy(page), "X-Frame-Options": "DENY"}
        return answers.Answer(page, headers=policy) if page else None

    def _written(self, held: library.Holdings, edition: editions.Edition) -> str:
        publication, theme = self._at.publication, self._at.theme
        try:
            return letters.page(edition, held, publication, theme)
        except errors.RenderError as error:
            _log.warning("%s is shown as it was sent: %s", edition.name, error, extra={"action": "archive"})
        as_sent = self.library.as_sent(edition)
        return letters.page(as_sent, held, publication, theme) if as_sent else ""

    async def search(self, request: Request) -> Response:
        """Show what a search finds."""
        q = request.query_params.get("q", "")
        language = self._language(request)
        held = await self._held()
        html = await run_in_threadpool(self.lists.found, held, language, q)
        answer = answers.Answer(html, headers={"X-Robots-Tag": "noindex", "Vary": "Accept-Language"})
        return answer.to(request)

    async def feed(self, request: Request) -> Response:
        """Answer a feed reader."""
        name = request.url.path.lstrip("/")
        return await self._kept(
            request,
            (name, ""),
            lambda held: answers.Answer(
                self.feeds.feed(held, name), feeds.KINDS[name], modified_at=held.modified_at
            ),
        )

    async def site_map(self, request: Request) -> Response:
        """Answer a search engine."""
        return await self._kept(
            request,
            ("sitemap", ""),
            lambda held: answers.Answer(
                self.feeds.site_map(held), "application/xml; charset=utf-8", modified_at=held.modified_at
            ),
        )

    async def robots(self, request: Request) -> Response:
        """Answer a robot."""
        return self._robots.to(request)

    def picture(self, request: Request) -> Response:
        """Show a picture that lies beside the issue files."""
        path = self.picture_path(request.path_params["slug"], request.path_params["name"])
        if path is None:
            return pages.page("lost", self._at.publication, status=404)
        kind = mimetypes.guess_type(path.name)[0]
        return FileResponse(path, media_type=kind, headers={"Cache-Control": "public, max-age=86400"})

    def picture_path(self, slug: str, name: str) -> Path | None:
        """Return the file of a picture of an issue; None for anything else."""
        try:
            numbering.parse(slug)
            path = (self._at.issues / name).resolve()
            inside = path.is_relative_to(self._at.issues.resolve()) and path.suffix.lower() in PICTURES
            return path if slug.startswith("vol-") and inside and path.is_file() else None
        except (errors.NewsletterError, OSError, ValueError):
            return None

    async def _kept(
        self, request: Request, key: tuple[str, str], make: Callable[[library.Holdings], Made]
    ) -> Response:
        """Answer with a page that was made before, or make it and keep it."""
        held = await self._held()
        answer = held.pages.get(key)
        if answer is None:
            answer = await run_in_threadpool(make, held)
            if answer is None:
                return pages.page("lost", self._at.publication, status=404, language=self._language(request))
            # Made twice when two ask at once, and the same both times.
            held.pages[key] = answer
        return answer.to(request)

    async def _held(self) -> library.Holdings:
        held = self.library.fresh()
        return held if held is not None else await run_in_threadpool(self.library.look)

    def _language(self, request: Request) -> str:
        return languages.chosen(request, self._at.publication.language)


def _listed(html: str | None) -> Made:
    return answers.Answer(html, headers={"Vary": "Accept-Language"}) if html is not None else None


def _number(page: str) -> int:
    """Return the number of a page; 0, which no list has, for anything that is none."""
    number = int(page) if page.isascii() and page.isdigit() and len(page) < 6 else 0
    return number if number <= _LARGEST_PAGE else 0
