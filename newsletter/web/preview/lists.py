"""What the panels list: the inbox row, links, pictures, the outline, bytes, and how the message is made."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage

from newsletter import checking
from newsletter.checking import document, limits
from newsletter.domain import findings, messages
from newsletter.sending import proofs

#: How much of the row narrow, middling and wide inboxes show.
INBOXES = (35, 70, 110)
_SCALE = 120_000
_BOXES = "html|head|body|style|table|tbody|thead|tr|td|th|div|ul|ol|blockquote"
_BREAK = re.compile(rf">(?=<(?:!--|/?(?:{_BOXES})\b|(?:meta|title|h[1-6]|p|li)\b))")


@dataclass(frozen=True, kw_only=True)
class Row:
    """An inbox row as wide as one kind of inbox."""

    width: int
    subject: str
    preheader: str


@dataclass(frozen=True, kw_only=True)
class Link:
    """A link of the letter."""

    text: str
    url: str
    entry: str
    #: Rules that have something to say to it.
    rules: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture of the letter."""

    src: str
    alt: str
    shown: str
    #: None when the file is not ours to look into.
    facts: checking.ImageFacts | None


@dataclass(frozen=True, kw_only=True)
class Stop:
    """Something a screen reader stops at: a heading or a picture."""

    level: int
    kind: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Share:
    """The bytes that an entry, or all the rest, takes of the letter."""

    name: str
    size: int
    percent: float


@dataclass(frozen=True, kw_only=True)
class Meter:
    """How far the letter is from being clipped; places in per cent of the scale."""

    size: int
    encoded: int
    clipped: int
    filled: float
    line: float
    shares: tuple[Share, ...]
    styles: int


@dataclass(frozen=True, kw_only=True)
class Part:
    """A part of the message."""

    depth: int
    kind: str
    encoding: str
    size: int


def inbox(edition: proofs.Edition) -> tuple[Row, ...]:
    """Return the row as inboxes of three widths show it: the subject first, the preheader in what is left."""
    subject, preheader = edition.issue.subject, edition.issue.preheader
    return tuple(
        Row(
            width=width,
            subject=_cut(subject, width),
            preheader=_cut(preheader, max(width - len(subject) - 3, 0)),
        )
        for width in INBOXES
    )


def _cut(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    return text[: width - 1].rstrip() + "…" if width > 1 else ""


def links(page: document.Page, found: Sequence[findings.Finding], edition: proofs.Edition) -> Iterator[Link]:
    """Yield the links in reading order."""
    places = checking.Places(edition.issue, edition.issue.path.read_text(encoding="utf-8-sig").split("\n"))
    for element in page.all("a"):
        url = element.get("href", "")
        if not page.is_visible(element):
            continue
        place = places.href(url)
        rules = {one.rule for one in found if _covers(one, place)}
        yield Link(text=page.name(element), url=url, entry=place.entry, rules=tuple(sorted(rules)))


def _covers(finding: findings.Finding, place: checking.Place) -> bool:
    """Say whether a finding is about what stands at a place: a link's, or the whole of its Markdown."""
    start, end = finding.column, finding.column + finding.length
    return bool(place.line) and finding.line == place.line and start <= place.column <= end


def pictures(page: document.Page, facts: checking.ImageLoader, base: str) -> Iterator[Picture]:
    """Yield the pictures in reading order; files lie beside the issue where the address begins with
    ``base``."""
    for element in page.all("img"):
        src = element.get("src", "")
        known = facts(src.removeprefix(base)) if src.startswith(base) else None
        yield Picture(src=src, alt=element.get("alt", ""), shown=element.get("width", ""), facts=known)


def outline(page: document.Page) -> Iterator[Stop]:
    """Yield headings and pictures in reading order."""
    level = 1
    for element in page.elements:
        tag = document.tag(element)
        if not page.is_visible(element):
            continue
        if re.fullmatch(r"h[1-6]", tag):
            level = int(tag[1])
            yield Stop(level=level, kind=tag, text=page.name(element))
        elif tag == "img" and element.get("alt"):
            yield Stop(level=min(level + 1, 6), kind="picture", text=element.get("alt", ""))


def meter(html: str, rendered: messages.Rendered, page: document.Page) -> Meter:
    """Measure a letter."""
    size = len(html.encode())
    spent = dict(rendered.bytes_by_entry)
    rest = size - sum(spent.values())
    shares = [*sorted(spent.items(), key=lambda item: -item[1]), ("frame, masthead and footer", rest)]
    return Meter(
        size=size,
        encoded=limits.quoted_printable_size(html),
        clipped=limits.CLIPPED,
        filled=min(100.0, 100 * size / _SCALE),
        line=100 * limits.CLIPPED / _SCALE,
        shares=tuple(
            Share(name=name, size=bytes_, percent=100 * bytes_ / size) for name, bytes_ in shares if size
        ),
        styles=sum(len(block.encode()) for block in page.style_blocks),
    )


def formatted(html: str) -> str:
    """Return HTML with a line for each block, which the renderer does not write."""
    return _BREAK.sub(">\n", html)


def parts(raw: bytes) -> tuple[tuple[tuple[str, str], ...], tuple[Part, ...]]:
    """Return the headers of a message, decoded, and its parts from the outside in."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    headers = tuple((name, str(value)) for name, value in message.items())
    return headers, tuple(_walk(message, 0))


def _walk(message: EmailMessage, depth: int) -> Iterator[Part]:
    body = message.get_payload(decode=False)
    size = 0 if message.is_multipart() else len(str(body).encode())
    yield Part(
        depth=depth,
        kind=message.get_content_type(),
        encoding=str(message.get("Content-Transfer-Encoding", "")),
        size=size,
    )
    for part in message.iter_parts() if message.is_multipart() else ():
        assert isinstance(part, EmailMessage)
        yield from _walk(part, depth + 1)
