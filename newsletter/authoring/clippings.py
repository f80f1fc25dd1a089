"""Clippings: sources saved for later, one file each in the inbox, with room for the editor's own words."""

from __future__ import annotations

import datetime
import enum
import hashlib
import re
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.authoring import flaws, front_matter, manuscripts
from newsletter.authoring.front_matter import Scalar
from newsletter.domain import slugs

FOLDER = "inbox"

_EXCERPT = "## Excerpt"
_PLACE = "<!-- Your words for the entry go here; as long as this is empty the draft quotes the excerpt. -->"
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_TRACKING = re.compile(r"utm_.*|fbclid|gclid|mc_[ce]id|igshid|ref_src|cmpid|smid|s_cid", re.IGNORECASE)


class Kind(enum.StrEnum):
    """Where a source comes from."""

    OFFICIAL = "official"
    PRESS = "press"
    #: Our own house.
    OWN = "own"
    ACADEMIC = "academic"


@dataclass(frozen=True, kw_only=True)
class Clipping:
    """A source saved for later."""

    title: str
    #: The editor's; the title stands until one is written.
    headline: str = ""
    url: str = ""
    #: The address that the page itself gives; equal for two ways to the same page.
    canonical: str = ""
    publisher: str = ""
    author: str = ""
    published: datetime.date | None = None
    accessed: datetime.date | None = None
    language: str = ""
    #: None: nobody knows.
    paywall: bool | None = None
    kind: Kind = Kind.PRESS
    topics: tuple[str, ...] = ()
    #: The editor's judgement: what weighs more goes first.
    weight: int = 0
    #: Number of the approved issue that it stands in.
    used: str = ""
    #: Name of the local file that it was made from.
    file: str = ""
    #: sha-256, in hex, of the text it was made from, white space aside.
    sha256: str = ""
    #: The editor's words for the entry, Markdown.
    words: str = ""
    #: The telling sentences, one a line.
    excerpt: str = ""
    path: Path = field(default=Path(), compare=False)

    @property
    def name(self) -> str:
        """The name by which entries refer to it: that of its file."""
        return self.path.stem

    @property
    def address(self) -> str:
        """The best address there is."""
        return self.canonical or self.url

    @property
    def day(self) -> datetime.date | None:
        """When it was published, else when it was read."""
        return self.published or self.accessed

    def stem(self) -> str:
        """Return the file name it should have, without its suffix."""
        day = self.accessed or self.published
        return f"{day}-{slugs.slug(self.title, default='clipping')}" if day else slugs.slug(self.title)


def fingerprint(text: str) -> str:
    """Return the hash by which the same text is known again, whatever its white space."""
    return hashlib.sha256(" ".join(text.split()).encode()).hexdigest()


def same_page(url: str) -> str:
    """Return an address without what differs between two ways to one page."""
    try:
        parts = urllib.parse.urlsplit(url.strip())
        port = parts.port
    except ValueError:
        return url
    pairs = urllib.parse.parse_qsl(parts.query, keep_blank_values=True)
    query = [pair for pair in pairs if not _TRACKING.fullmatch(pair[0])]
    host = (parts.hostname or "").lower().removeprefix("www.")
    if port not in {None, 80, 443}:
        host = f"{host}:{port}"
    return f"{host}{parts.path.rstrip('/') or '/'}" + (
        f"?{urllib.parse.urlencode(sorted(query))}" if query else ""
    )


def dumps(clipping: Clipping) -> str:
    """Write a clipping as a file."""
    fields: dict[str, object] = {
        "title": " ".join(clipping.title.split()),
        "headline": clipping.headline,
        "url": clipping.url,
        "canonical": clipping.canonical if clipping.canonical != clipping.url else "",
        "publisher": clipping.publisher,
        "author": clipping.author,
        "published": clipping.published,
        "accessed": clipping.accessed,
        "language": clipping.language,
        "paywall": clipping.paywall,
        "kind": str(clipping.kind),
        "topics": ", ".join(clipping.topics),
        "weight": clipping.weight,
        "used": clipping.used,
        "file": clipping.file,
        "sha256": clipping.sha256,
    }
    # An editor should see what there is to fill in.
    kept = [key for key, value in fields.items() if value not in ("", None)]
    empty = [key for key in ("headline", "publisher", "topics") if key not in kept]
    lines = manuscripts.dump({key: fields[key] for key in kept})
    lines += "".join(f"{key}:\n" for key in empty)
    words = clipping.words or _PLACE
    return f"---\n{lines}---\n\n{words}\n\n{_EXCERPT}\n\n{clipping.excerpt}\n"


def read(path: Path) -> Clipping:
    """Read a clipping that an editor may have changed.

    Raises:
        IssueError: it cannot be understood; every problem is listed.
    """
    found = flaws.Flaws(path)
    document = front_matter.parse(front_matter.decode(front_matter.load(path), found), found)
    found.stop(hint="mend the file; the other clippings are not touched by it")
    texts = {
        key: value.text.strip()
        for key, value in document.fields.values.items()
        if isinstance(value, Scalar) and value.kind != "nothing"
    }
    lines = document.fields.lines
    words, _, rest = document.body.partition(f"\n{_EXCERPT}\n")
    clipping = Clipping(
        **{name: texts.get(name, "") for name in _TEXTS},
        title=texts.get("title") or path.stem,
        published=_date("published", texts, lines, found),
        accessed=_date("accessed", texts, lines, found),
        paywall={"true": True, "false": False}.get(texts.get("paywall", "").lower()),
        kind=_kind(texts, lines, found),
        topics=_topics(document.fields),
        weight=_weight(texts, lines, found),
        words=_COMMENT.sub("", words).strip(),
        excerpt=rest.strip(),
        path=path,
    )
    found.stop(hint="mend the file; the other clippings are not touched by it")
    return clipping


_TEXTS = ("headline", "url", "canonical", "publisher", "author", "language", "used", "file", "sha256")


def _date(key: str, texts: dict[str, str], lines: dict[str, int], found: flaws.Flaws) -> datetime.date | None:
    text = texts.get(key, "")
    try:
        return datetime.date.fromisoformat(text) if text else None
    except ValueError:
        found.block("date", lines[key], f"“{text}” is not a date", text=text, fix="write it as 2026-11-20")
        return None


def _kind(texts: dict[str, str], lines: dict[str, int], found: flaws.Flaws) -> Kind:
    text = texts.get("kind", "") or Kind.PRESS
    if text not in set(Kind):
        fix = flaws.nearest(text, list(Kind)) or f"write {', '.join(Kind)}"
        found.block("wrong-type", lines["kind"], f"“kind: {text}” is not known", text=text, fix=fix)
        return Kind.PRESS
    return Kind(text)


def _weight(texts: dict[str, str], lines: dict[str, int], found: flaws.Flaws) -> int:
    text = texts.get("weight", "") or "0"
    if not re.fullmatch(r"-?\d{1,4}", text):
        found.block("wrong-type", lines["weight"], f"“weight: {text}” is not a whole number", text=text)
        return 0
    return int(text)


def _topics(fields: front_matter.Block) -> tuple[str, ...]:
    value = fields.values.get("topics")
    if isinstance(value, Scalar):
        parts = value.text.split(",")
    elif isinstance(value, front_matter.Items):
        parts = [one.text for one in value.items if isinstance(one, Scalar)]
    else:
        parts = []
    return tuple(dict.fromkeys(word for part in parts if (word := part.strip())))


def prose(body: str) -> str:
    """Return what stands below the front matter of a clipping, without the words of its form."""
    return _COMMENT.sub("", body).replace(f"\n{_EXCERPT}\n", "\n")


def kind_of(url: str, own: str = "") -> Kind:
    """Guess from an address where a source comes from; ``own`` is the host of the publication."""
    try:
        host = (urllib.parse.urlsplit(url).hostname or "").lower()
    except ValueError:
        return Kind.PRESS
    if own and (host == own or host.endswith(f".{own}")):
        return Kind.OWN
    if re.search(r"(?:^|\.)(?:gov|mil|go|gob|gouv|int|europa)(?:\.|$)", host):
        return Kind.OFFICIAL
    if re.search(r"(?:^|\.)(?:edu|ac|doi|arxiv|jstor|ssrn)(?:\.|$)", host):
        return Kind.ACADEMIC
    return Kind.PRESS
