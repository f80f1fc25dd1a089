"""Answers of pages that cannot do what they were asked, calm and alike wherever they are given."""

from __future__ import annotations

import logging

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from newsletter.domain import publications
from newsletter.web import languages, pages

_log = logging.getLogger(__name__)


def forged(request: Request, publication: publications.Publication) -> Response:
    """Answer a link that is not one of ours."""
    language = languages.chosen(request, publication.language)
    return pages.page("lost", publication, status=404, language=language)


def unavailable(error: Exception) -> Response:
    """Answer while the database does not."""
    _log.error("the database did not answer: %s", error, extra={"action": "page"})
    return PlainTextResponse(
        "We cannot do this right now. Please try again in a minute.\n",
        status_code=503,
        headers={"Retry-After": "60"},
    )
