"""The letter as it weighs where opens and clicks are counted: links led past an address of ours, and a pixel.

No provider is let to rewrite links: every API is told so with each message.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from newsletter.domain import publications

#: As long as a signed token that names a delivery and a link of it.
_TOKEN = "x" * 32
_LINK = re.compile(r"(<a\b[^>]*?\shref=\")(https?://[^\"]*)", re.IGNORECASE)
_PIXEL = '<img src="{}" alt="" width="1" height="1" style="display:block;border:0">'


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """What of the readers is counted, as `[tracking]` says."""

    opens: bool = False
    clicks: bool = False


def tracked(html: str, publication: publications.Publication, tracking: Tracking) -> str:
    """Return HTML with links and a pixel as long as counting makes them; links of our own pages stay."""
    if tracking.clicks:
        counted = f"{publication.url}/c/{_TOKEN}"
        own = f"{publication.url}/"
        html = _LINK.sub(lambda link: link[0] if link[2].startswith(own) else link[1] + counted, html)
    if tracking.opens:
        pixel = _PIXEL.format(f"{publication.url}/o/{_TOKEN}.gif")
        head, body, rest = html.rpartition("</body>")
        html = f"{head}{pixel}{body}{rest}"
    return html
