"""An issue in the browser: the web version of its file, or what was mailed, with the way to the others."""

from __future__ import annotations

import html
import re

from newsletter.domain import fields, issues, publications
from newsletter.rendering import theme as themes
from newsletter.rendering import web
from newsletter.web import joining, pages
from newsletter.web.archive import editions, library, stylesheets

_BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)


def page(
    edition: editions.Edition,
    held: library.Holdings,
    publication: publications.Publication,
    theme: themes.Theme,
) -> str:
    """Write the page of an edition, the same for every reader.

    Raises:
        RenderError: the theme or the text cannot be rendered.
    """
    address = f"{publication.url}{edition.path}"
    if isinstance(edition.source, issues.Issue):
        letter = web.render(edition.source, publication, theme, page=address)
    else:
        public = {
            "unsubscribe_url": f"{publication.url}/leave",
            "preferences_url": f"{publication.url}/leave",
        }
        sent = fields.join(edition.source.html, {**public, "view_url": address}, escape=html.escape)
        letter = stylesheets.outlined(_whole(sent, edition))
    return _framed(letter, edition, held, publication)


def _whole(letter: str, edition: editions.Edition) -> str:
    """Return a letter as a document; a theme's mail may be a fragment."""
    if "</head>" in letter:
        return letter
    title, language = html.escape(edition.subject), html.escape(edition.language)
    head = f'<meta charset="utf-8">\n<title>{title}</title>\n'
    start = f'<!doctype html>\n<html lang="{language}">\n<head>\n{head}</head>\n<body>\n'
    return f"{start}{letter}\n</body>\n</html>\n"


def _framed(
    letter: str,
    edition: editions.Edition,
    held: library.Holdings,
    publication: publications.Publication,
) -> str:
    """Put the way to the other issues around a letter."""
    newer, older = held.neighbours(edition.number)
    template = pages.environment(edition.language.partition("-")[0]).get_template("around.html")
    around = template.make_module(
        {
            "publication": publication,
            "edition": edition,
            "others": [each for each in held.of(edition.number).editions if each is not edition],
            "names": joining.NAMES,
            "newer": newer and newer.edition(edition.language),
            "older": older and older.edition(edition.language),
            "is_letter": not isinstance(edition.source, issues.Issue),
        }
    )
    head, top, foot = (str(getattr(around, part)()) for part in ("head", "top", "foot"))
    letter = stylesheets.into_head(letter, head)
    begin, end = ("", "") if "<main" in letter else ("<main>\n", "</main>\n")
    letter = _BODY.sub(lambda body: f"{body[0]}\n{top}{begin}", letter, count=1)
    before, mark, after = letter.rpartition("</body>")
    return f"{before}{end}{foot}{mark}{after}" if mark else f"{letter}{end}{foot}"
