"""The public web application: what it answers, and how it fails calmly."""

from __future__ import annotations

import importlib.resources
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, PlainTextResponse

from newsletter.domain import errors
from newsletter.web import (
    archive,
    desk,
    joining,
    languages,
    leaving,
    pages,
    parting,
    preferences,
    refusals,
    security,
    webhooks,
)

_SHOW = ["GET", "HEAD"]


def create(at: desk.Desk) -> webhooks.Door:
    """Return the application over everything a page may touch."""
    counter = webhooks.Counter(at.reception)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with counter.at_work():
            yield

    app = FastAPI(
        title=at.publication.title, docs_url=None, redoc_url=None, openapi_url=None, lifespan=lifespan
    )
    # RFC 8058 forbids a redirect, also the one that would only mend a slash.
    app.router.redirect_slashes = False
    app.include_router(archive.router(at))
    ways = leaving.Ways(at)
    app.include_router(ways.router())
    app.include_router(parting.router(at))
    app.include_router(joining.router(at))
    app.include_router(preferences.router(at))
    _add_plain_pages(app, at)
    _add_failures(app, at)
    app.add_middleware(leaving.Door, ways=ways)
    app.add_middleware(security.BodyLimit)
    app.add_middleware(security.SafeHeaders, https=at.publication.url.startswith("https://"))
    return webhooks.Door(app, counter=counter)


def _add_plain_pages(app: FastAPI, at: desk.Desk) -> None:
    style = importlib.resources.files(pages).joinpath("style.css").read_text(encoding="utf-8")

    @app.api_route("/health", methods=_SHOW)
    def health() -> Response:
        at.directory.counts()
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    @app.api_route("/style.css", methods=_SHOW)
    def stylesheet() -> Response:
        return Response(style, media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})

    @app.api_route("/leave", methods=_SHOW)
    def how_to_leave(request: Request) -> Response:
        return pages.page("how", at.publication, language=languages.chosen(request, at.publication.language))


def _add_failures(app: FastAPI, at: desk.Desk) -> None:
    @app.exception_handler(errors.TokenError)
    def forged(request: Request, _error: Exception) -> Response:
        return refusals.forged(request, at.publication)

    @app.exception_handler(errors.StoreError)
    def unavailable(_request: Request, error: Exception) -> Response:
        return refusals.unavailable(error)

    @app.exception_handler(HTTPException)
    def refused(_request: Request, error: HTTPException) -> Response:
        if error.status_code == 404:
            return pages.page("lost", at.publication, status=404)
        return PlainTextResponse(f"{error.detail}\n", error.status_code, error.headers)
