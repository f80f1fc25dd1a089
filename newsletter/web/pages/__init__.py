"""Pages as readers see them: Jinja2 templates, one style sheet, no script."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from starlette.responses import HTMLResponse

from newsletter.domain import publications

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("newsletter.web", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def page(
    name: str, publication: publications.Publication, *, status: int = 200, **values: object
) -> HTMLResponse:
    """Render a page that no cache may keep and no search engine may list."""
    html = _environment().get_template(f"{name}.html").render(publication=publication, **values)
    return HTMLResponse(html, status, {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"})
