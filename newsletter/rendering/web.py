"""The web version of an issue: the same source, wider, with an anchor at each entry and nothing personal."""

from __future__ import annotations

import html
from collections.abc import Mapping

from newsletter.domain import fields, issues, publications
from newsletter.rendering import confinement, templating, views
from newsletter.rendering import theme as themes

_TEMPLATE = "web.html.j2"
_CONTENT = "feed.html.j2"


def render(
    issue: issues.Issue,
    publication: publications.Publication,
    theme: themes.Theme,
    *,
    image_base: str = "",
    page: str = "",
) -> str:
    """Write the page of an issue: deterministic, and the same for every reader.

    Args:
        issue: what the editors wrote.
        publication: what stays the same from issue to issue.
        theme: templates and tokens.
        image_base: what the names of local images are put behind; the issue's own public address
            when empty.
        page: where this edition can be read; the address of the issue when empty.

    Raises:
        RenderError: a template, a personal field or a text cannot be rendered; says which.
    """
    return _written(_TEMPLATE, issue, publication, theme, image_base=image_base, page=page)


def content(
    issue: issues.Issue, publication: publications.Publication, theme: themes.Theme, *, page: str = ""
) -> str:
    """Write the text of an issue for feeds: plain HTML without a head, its addresses absolute.

    Raises:
        RenderError: a template, a personal field or a text cannot be rendered; says which.
    """
    return _written(_CONTENT, issue, publication, theme, page=page)


def _written(
    template: str,
    issue: issues.Issue,
    publication: publications.Publication,
    theme: themes.Theme,
    *,
    image_base: str = "",
    page: str = "",
) -> str:
    """Pour an issue into a template; into a workspace's own within limits."""
    address_ = page or address(issue, publication)
    if themes.is_own(theme):
        return confinement.run(_poured, template, issue, publication, theme, image_base, address_)
    return _poured(template, issue, publication, theme, image_base, address_)


def _poured(
    template: str,
    issue: issues.Issue,
    publication: publications.Publication,
    theme: themes.Theme,
    *places: str,
) -> str:
    """Pour an issue into a template, and close what is personal in it with what is true of everybody."""
    image_base, page = places
    reading = views.Views(issue, publication, theme, image_base=image_base, in_mail=False)
    context = reading.context() | {"address": page}
    written = templating.run(
        themes.environment(theme.folders, escaping=True, tokens=theme.tokens), template, context
    )
    values = {**everybody(issue, publication), "view_url": page}
    return fields.join(reading.slots.fill(written), values, escape=html.escape)


def address(issue: issues.Issue, publication: publications.Publication) -> str:
    """Return where an issue can be read by everybody."""
    return f"{publication.url}/issues/{issue.slug}"


def everybody(issue: issues.Issue, publication: publications.Publication) -> Mapping[str, str]:
    """Return values of personal fields that are true of every reader; the rest take their defaults."""
    leave = f"{publication.url}/leave"
    return {
        "view_url": address(issue, publication),
        "unsubscribe_url": leave,
        "preferences_url": leave,
        "subscriber.language": issue.language,
    }
