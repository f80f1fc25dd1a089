"""Feeds and site map: what programs read of the archive."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING

from newsletter.domain import errors, fields, issues, publications
from newsletter.rendering import theme as themes
from newsletter.rendering import web
from newsletter.web import pages
from newsletter.web.archive import editions, library, lists

if TYPE_CHECKING:
    from jinja2 import Environment

#: What feed readers keep of a publication is theirs; this many issues, newest first, are handed to them.
MOST = 20
#: Each feed by the last part of its address.
KINDS = {
    "feed.rss": "application/rss+xml; charset=utf-8",
    "feed.atom": "application/atom+xml; charset=utf-8",
    "feed.json": "application/feed+json; charset=utf-8",
}
#: What XML 1.0 §2.2 has no place for, not even escaped.
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Story:
    """An issue as feeds have it: in full."""

    edition: editions.Edition
    title: str
    url: str
    html: str


@dataclass(frozen=True, kw_only=True)
class Feeds:
    """Writes the feeds of one publication."""

    publication: publications.Publication
    theme: themes.Theme
    topics: Mapping[str, str]

    def feed(self, held: library.Holdings, name: str) -> str:
        """Write a feed of `KINDS`."""
        stories = [self._story(issue.original) for issue in held.issues[:MOST]]
        if name == "feed.json":
            return self._json(stories)
        return self._xml(
            name, about=self._about(), stories=stories, modified_at=held.modified_at, never=_NEVER
        )

    def site_map(self, held: library.Holdings, *, more: Sequence[str] = ()) -> str:
        """Write sitemap.xml (sitemaps.org, protocol 0.9); ``more`` are pages that only files have."""
        found = [f"/page/{page}" for page in range(2, lists.page_count(held) + 1)]
        for topic in editions.topic_names(held.issues, self.topics):
            found.append(f"/topics/{topic}")
            found += [f"/topics/{topic}/page/{page}" for page in range(2, lists.page_count(held, topic) + 1)]
        return self._xml("sitemap", lists=["/", *found, *more], issues=held.issues)

    def robots(self) -> str:
        """Write robots.txt (RFC 9309): nothing personal, nothing endless."""
        closed = ("/u/", "/undo/", "/preferences/", "/confirm/", "/address/", "/search")
        rules = "".join(f"Disallow: {path}\n" for path in closed)
        return f"User-agent: *\n{rules}\nSitemap: {self.publication.url}/sitemap.xml\n"

    def _xml(self, name: str, /, **values: object) -> str:
        template = _environment().get_template(f"{name}.xml")
        return _NO_XML.sub("", template.render(publication=self.publication, **values))

    def _json(self, stories: list[Story]) -> str:
        feed = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": self.publication.title,
            "home_page_url": f"{self.publication.url}/",
            "feed_url": f"{self.publication.url}/feed.json",
            "description": self._about(),
            "language": self.publication.language,
            "items": [_json_item(story) for story in stories],
        }
        return json.dumps(feed, ensure_ascii=False, indent=1) + "\n"

    def _about(self) -> str:
        return self.publication.about or self.publication.title

    def _story(self, edition: editions.Edition) -> Story:
        url = f"{self.publication.url}{edition.path}"
        return Story(
            edition=edition,
            title=edition.subject,
            url=url,
            html=self._content(edition, url),
        )

    def _content(self, edition: editions.Edition, url: str) -> str:
        try:
            if isinstance(edition.source, issues.Issue):
                return web.content(edition.source, self.publication, self.theme, page=url)
        except errors.RenderError:
            return "".join(f"<p>{html.escape(item.headline)}</p>" for item in edition.items)
        assert not isinstance(edition.source, issues.Issue)
        text = fields.join(edition.source.text, {"view_url": url})
        return f"<pre>{html.escape(text)}</pre>"


def _json_item(story: Story) -> dict[str, object]:
    edition = story.edition
    tags = dict.fromkeys(topic for item in edition.items for topic in item.topics)
    return {
        "id": story.url,
        "url": story.url,
        "title": story.title,
        "summary": edition.preheader,
        "content_html": story.html,
        "date_published": edition.sent_at.isoformat(),
        "date_modified": edition.modified_at.isoformat(),
        "language": edition.language,
        **({"tags": list(tags)} if tags else {}),
    }


def _environment() -> Environment:
    environment = pages.environment()
    environment.filters.setdefault("rfc5322", format_datetime)
    return environment
