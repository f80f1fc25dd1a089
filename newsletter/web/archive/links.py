"""Links of pages that are files: relative, so that they lead somewhere on any host, in any folder."""

from __future__ import annotations

import html
import posixpath
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

_LINK = re.compile(r'<(?:a|img|link|form)\b[^>]*?\s(?:href|src|action)="([^"]*)"[^>]*>', re.IGNORECASE)
#: What search engines and feed readers are told stays the public address.
_PUBLIC = re.compile(r'^<link\b[^>]*(?:rel="canonical"|hreflang=)', re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Links:
    """Knows every file of a built archive."""

    #: The publication's address.
    url: str
    #: Paths as ``issues/vol-2-23/index.html``.
    files: Collection[str]
    #: Says whether there is a picture at such a path.
    is_picture: Callable[[str], bool]

    def settled(self, page: str, *, at: str, folder: str = "") -> str:
        """Return a page with its links to files made relative, and those to the service whole.

        ``at`` is the page's own path; pages in ``folder`` go before those of the same name outside.
        """

        def link(match: re.Match[str]) -> str:
            if _PUBLIC.match(match[0]):
                return match[0]
            # A link that says its language leads there, and not to the one that the page is in.
            wanted = "" if " hreflang=" in match[0] else folder
            address = html.escape(self._address(html.unescape(match[1]), at, wanted))
            begin, end = match.start(1) - match.start(), match.end(1) - match.start()
            return f"{match[0][:begin]}{address}{match[0][end:]}"

        return _LINK.sub(link, page)

    def whole(self, page: str) -> str:
        """Return a page, which hosts show in place of any other, with its links made whole."""
        return re.sub(r'(\s(?:href|src|action)=")(?=/)', rf"\g<1>{self.url}", page)

    def _address(self, address: str, at: str, folder: str) -> str:
        own = address.removeprefix(self.url) if address.startswith(f"{self.url}/") else address
        if not own.startswith("/") or own.startswith("//"):
            return address
        parts = urlsplit(own)
        file = self._file(unquote(parts.path).strip("/"), folder)
        if not file:
            return f"{self.url}{own}"
        fragment = f"#{parts.fragment}" if parts.fragment else ""
        if file == at and fragment:
            return fragment
        return f"{quote(posixpath.relpath(file, posixpath.dirname(at) or '.'))}{fragment}"

    def _file(self, path: str, folder: str) -> str:
        """Return the file that stands for a path; empty where none does."""
        for begin in ([folder] if folder else []) + [""]:
            for end in ("", "index.html"):
                file = posixpath.join(begin, path, end) if end else posixpath.join(begin, path)
                if file in self.files:
                    return file
        return path if self.is_picture(path) else ""
