"""The issue in the browser, as it was sent, without anything personal in it."""

from __future__ import annotations

import mimetypes

from fastapi import APIRouter, Response
from starlette.responses import FileResponse, HTMLResponse

from newsletter.domain import errors, messages, numbering
from newsletter.web import desk, pages, security

_SHOW = ["GET", "HEAD"]
#: What may lie beside an issue and be shown in it.
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif"})


def router(at: desk.Desk) -> APIRouter:
    """Return the pages under /issues."""
    routes = APIRouter()
    shelf = _Shelf(at)
    routes.add_api_route("/issues/{slug}", shelf.issue, methods=_SHOW)
    routes.add_api_route("/issues/{slug}/{name:path}", shelf.picture, methods=_SHOW)
    return routes


class _Shelf:
    """The issues that went out."""

    def __init__(self, at: desk.Desk) -> None:
        self._at = at

    def issue(self, slug: str, language: str = "") -> Response:
        """Show an issue as its mailing froze it."""
        number = _number(slug)
        mailing = self._at.ledger.mailing(number) if number else None
        if mailing is None:
            return pages.page("lost", self._at.publication, status=404)
        editions = self._at.ledger.template(mailing.id)
        template = editions.get(language) or next(iter(editions.values()))
        headers = {"Content-Security-Policy": security.LETTER_POLICY, "Cache-Control": "public, max-age=300"}
        return HTMLResponse(_impersonal(template.rendered.html, self._at.publication.url), headers=headers)

    def picture(self, slug: str, name: str) -> Response:
        """Show a picture that lies beside the issue files."""
        path = (self._at.issues / name).resolve()
        inside = path.is_relative_to(self._at.issues.resolve()) and path.suffix.lower() in _PICTURES
        if not inside or _number(slug) is None or not path.is_file():
            return pages.page("lost", self._at.publication, status=404)
        kind = mimetypes.guess_type(path.name)[0]
        return FileResponse(path, media_type=kind, headers={"Cache-Control": "public, max-age=86400"})


def _number(slug: str) -> numbering.IssueNumber | None:
    try:
        return numbering.parse(slug) if slug.startswith("vol-") else None
    except errors.NewsletterError:
        return None


def _impersonal(pieces: messages.Pieces, url: str) -> str:
    """Fill open fields with what is true for every reader."""
    public = {"unsubscribe_url": f"{url}/leave", "preferences_url": f"{url}/leave"}
    return "".join(
        piece if isinstance(piece, str) else public.get(piece.name, piece.default) for piece in pieces
    )
