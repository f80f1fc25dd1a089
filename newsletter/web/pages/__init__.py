"""Pages as readers see them: Jinja2 templates, one style sheet, no script."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse

from newsletter.domain import publications
from newsletter.web import languages

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def environment(language: str = languages.SOURCE) -> Environment:
    """Return the environment that pages of a language are rendered in."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    catalogue = languages.catalogue(language)
    built = Environment(
        loader=PackageLoader("newsletter.web", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    built.policies["ext.i18n.trimmed"] = True
    built.install_gettext_callables(  # type: ignore[attr-defined]  # the extension adds it
        lambda text: catalogue.get(text, text),
        lambda one, many, count: catalogue.get(one, one) if count == 1 else catalogue.get(many, many),
        newstyle=True,
    )
    return built


def words(language: str) -> Callable[[str], str]:
    """Return what translates a text into a language; the text itself where the catalogue has none."""
    catalogue = languages.catalogue(language)
    return lambda text: catalogue.get(text, text)


def page(
    name: str,
    publication: publications.Publication,
    /,
    *,
    status: int = 200,
    language: str = languages.SOURCE,
    **values: object,
) -> HTMLResponse:
    """Render a page that no cache may keep and no search engine may list."""
    html = render(name, publication, language=language, **values)
    return HTMLResponse(html, status, {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"})


def render(
    name: str, publication: publications.Publication, /, *, language: str = languages.SOURCE, **values: object
) -> str:
    """Render a page as text."""
    template = environment(language).get_template(f"{name}.html")
    return template.render(publication=publication, language=language, **values)
