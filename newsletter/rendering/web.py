"""The web version of an issue: the same source, wider, with an anchor at each entry and nothing personal."""

from __future__ import annotations

import html
from collections.abc import Mapping

from newsletter.domain import fields, issues, publications
from newsletter.rendering import templating, views
from newsletter.rendering import theme as themes

_TEMPLATE = "web.html.j2"


def render(
    issue: issues.Issue,
    publication: publications.Publication,
    theme: themes.Theme,
    *,
    image_base: str = "",
) -> str:
    """Write the page of an issue: deterministic, and the same for every reader.

    Args:
        issue: what the editors wrote.
        publication: what stays the same from issue to issue.
        theme: templates and tokens.
        image_base: what the names of local images are put behind; the issue's own public address
            when empty.

    Raises:
        RenderError: a template, a personal field or a text cannot be rendered; says which.
    """
    reading = views.Views(issue, publication, theme, image_base=image_base, in_mail=False)
    context = reading.context() | {"address": address(issue, publication)}
    page = templating.run(themes.environment(theme.folders, escaping=True), _TEMPLATE, context)
    return fields.join(reading.slots.fill(page), everybody(issue, publication), escape=html.escape)


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
