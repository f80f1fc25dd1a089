"""The form that stands on somebody else's site: plain HTML, without a script or a style of its own."""

from __future__ import annotations

from collections.abc import Mapping

from newsletter.domain import publications
from newsletter.web import pages


def form(publication: publications.Publication, topics: Mapping[str, str]) -> str:
    """Write the form in the publication's language; it posts to /subscribe, where our own button waits."""
    language = publication.language.partition("-")[0].lower()
    return pages.render("embedded", publication, language=language, topics=topics)
