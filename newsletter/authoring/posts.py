"""Posts: issues as other tools keep them, read into manuscripts: Markdown with front matter, HTML, mail."""

from __future__ import annotations

import base64
import binascii
import csv
import datetime
import email
import email.policy
import io
import posixpath
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from newsletter.authoring import dates, digest_texts, extraction, flaws, front_matter, html_markdown, markup
from newsletter.authoring.bundles import Bundle, cannot
from newsletter.authoring.manuscripts import Kind, Manuscript, Piece
from newsletter.domain import errors, numbering, slugs

_MARKDOWN = (".md", ".markdown", ".mdown")
_HTML = (".html", ".htm")
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
_NOT_POSTS = frozenset({"readme", "license", "changelog", "contributing", "_index", "about"})
_VOLUME = re.compile(
    r"\bvol(?:ume)?\.?\s*(\d{1,4})\s*[.,\-–]\s*(?:no\.?|number|issue)?\s*(\d{1,4})", re.IGNORECASE
)
_SINGLE = re.compile(r"(?:\bissue\s*#?|\bno\.?\s*|#|第)\s*(\d{1,4})\b", re.IGNORECASE)
_IMAGE = re.compile(r"!\[([^\]]*)\]\(\s*<?([^)\s>]+)>?[^)]*\)")
_SHORTCODE = re.compile(r"\{\{[<%].*?[%>]\}\}|\{%.*?%\}", re.DOTALL)
_HEADING = re.compile(r"^ {0,3}(#{1,6})[ \t]+(.*?)[ \t]*#*[ \t]*$")
_DATA = re.compile(r"data:image/(png|jpe?g|gif|webp);base64,(.+)$", re.DOTALL)


def of_bundle(bundle: Bundle) -> Iterator[tuple[str, Manuscript | errors.NewsletterError]]:
    """Yield each post of a bundle by its name, or why it cannot be read."""
    substack = _substack(bundle)
    for name in sorted(bundle.files):
        suffix = PurePosixPath(name).suffix.lower()
        stem = PurePosixPath(name).stem.lower()
        if suffix not in (*_MARKDOWN, *_HTML, ".eml") or stem in _NOT_POSTS:
            continue
        try:
            yield name, of_file(bundle, name, substack.get(stem, {}))
        except errors.NewsletterError as error:
            yield name, error


def of_file(bundle: Bundle, name: str, known: Mapping[str, str] | None = None) -> Manuscript:
    """Read one post; ``known`` is what an index of the bundle says of it.

    Raises:
        IssueError: it cannot be read, or has no text.
    """
    suffix = PurePosixPath(name).suffix.lower()
    content = bundle.read(name)
    if suffix == ".eml":
        return _of_mail(content, name)
    text = extraction.decode(content)
    if suffix in _HTML:
        fields = {"title": html_markdown.title(text)} | dict(known or {})
        return _of_markdown(html_markdown.convert(text), fields, name, bundle)
    fields, body = _fields(text, name)
    return _of_markdown(body, fields | dict(known or {}), name, bundle)


def _of_markdown(body: str, fields: Mapping[str, str], name: str, bundle: Bundle) -> Manuscript:
    if not body.strip():
        raise cannot(f"{bundle.source}: {name}" if bundle.source else name, "there is no text in it")
    body, removed = _SHORTCODE.subn("", body)
    script = digest_texts.read(body) if digest_texts.is_digest(body) else _cut(body)
    if removed:
        script.note(Kind.LEFT, f"{removed} tags of the old site’s own language")
    script.title = fields.get("publication", "") or ""
    script.subject = fields.get("subject") or fields.get("title") or script.subject
    script.language = fields.get("language", fields.get("lang", ""))
    if fields.get("draft", "").lower() == "true" or fields.get("status", "").lower() in {
        "draft",
        "scheduled",
    }:
        script.status = "draft"
        script.note(Kind.READ, "it was never published there, and is a draft here")
    _date(script, fields, name)
    _number(script, fields, name)
    if cover := next((fields[key] for key in ("image", "cover_image", "cover") if fields.get(key)), ""):
        script.intro = f"![{fields.get('image_alt', '')}]({cover})\n\n{script.intro}".strip()
    _pictures(script, name, bundle)
    return script


def _of_mail(content: bytes, name: str) -> Manuscript:
    mail = email.message_from_bytes(content, policy=email.policy.default)
    text, html = extraction.mail_bodies(mail)
    body = html_markdown.convert(html) if html.strip() else text
    files = {
        f"cid:{str(part.get('Content-ID', '')).strip('<> ')}": (
            lambda part=part: part.get_payload(decode=True)
        )
        for part in mail.walk()
        if part.get_content_maintype() == "image" and part.get("Content-ID")
    }
    fields = {"subject": " ".join(str(mail.get("Subject", "")).split()), "date": str(mail.get("Date", ""))}
    return _of_markdown(body, fields, name, Bundle(source="", files=files))


def _fields(text: str, name: str) -> tuple[dict[str, str], str]:
    if text.lstrip().startswith("+++"):
        head, _, body = text.lstrip()[3:].partition("\n+++")
        try:
            plain = tomllib.loads(head)
        except tomllib.TOMLDecodeError as error:
            raise cannot(name, f"the front matter is not TOML: {error}") from error
        return {str(key).lower(): _plain(value) for key, value in plain.items()}, body.partition("\n")[2]
    if front_matter.split(text) is None:
        return {}, text
    found = flaws.Flaws(Path(name))
    document = front_matter.parse(text, found)
    found.stop()
    values = document.fields.values.items()
    scalars = {
        key.lower(): value.text
        for key, value in values
        if isinstance(value, front_matter.Scalar) and value.text
    }
    return scalars, document.body


def _plain(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime.date) else str(value)


def _cut(body: str) -> Manuscript:
    """Cut a text into entries at the headings it uses most; one without headings is a letter."""
    lines = body.split("\n")
    prose = markup.without_code(lines)
    levels = Counter(len(match[1]) for line in prose if (match := _HEADING.match(line)))
    level = next((one for one in (2, 3, 1, 4) if levels[one] > 1), 0) or next(iter(sorted(levels)), 0)
    script = Manuscript()
    if not level or (level == 1 and levels[1] == 1):
        script.layout, script.intro = "letter", body.strip()
        return script
    if level != 2:
        script.note(Kind.GUESSED, f"headings of level {level} are taken for headlines")
    cuts = [i for i, line in enumerate(prose) if (match := _HEADING.match(line)) and len(match[1]) == level]
    script.intro = _without_title("\n".join(lines[: cuts[0]]).strip(), script)
    for start, end in zip(cuts, [*cuts[1:], len(lines)], strict=True):
        match = _HEADING.match(lines[start])
        headline = match[2].replace("**", "").strip() if match else ""
        script.pieces.append(
            Piece(
                headline or f"TK headline {len(script.pieces) + 1}", "\n".join(lines[start + 1 : end]).strip()
            )
        )
    return script


def _without_title(intro: str, script: Manuscript) -> str:
    match = re.match(r"#[ \t]+(.+?)[ \t]*(?:\n|$)", intro)
    if match is None:
        return intro
    script.subject = match[1].strip()
    return intro[match.end() :].strip()


def _date(script: Manuscript, fields: Mapping[str, str], name: str) -> None:
    for key in ("publish_date", "date", "published", "published_at", "post_date", "email_sent_at", "created"):
        if (text := fields.get(key, "")) and (day := dates.stamp(text)):
            script.date = day
            return
    if script.date:
        return
    script.date = dates.guess(name) or dates.guess(" ".join((script.subject, script.intro[:400])))
    if script.date:
        script.note(Kind.GUESSED, f"the date {script.date} is taken from its name or its text")


def _number(script: Manuscript, fields: Mapping[str, str], name: str) -> None:
    if fields.get("volume", "").isdigit() and fields.get("number", "").isdigit():
        script.number = numbering.IssueNumber(int(fields["volume"]), int(fields["number"]))
        return
    texts = (script.subject, fields.get("slug", ""), PurePosixPath(name).stem, script.intro[:200])
    for text in texts:
        if script.number is None and (match := _VOLUME.search(text)) and int(match[1]) and int(match[2]):
            script.number = numbering.IssueNumber(int(match[1]), int(match[2]))
    only = fields.get("issue") or fields.get("number") or fields.get("issue_number") or ""
    found = (
        only if only.isdigit() else next((match[1] for text in texts if (match := _SINGLE.search(text))), "")
    )
    if script.number is None and found.isdigit() and int(found):
        script.number = numbering.IssueNumber(1, int(found))
        script.note(Kind.GUESSED, f"it counts without volumes; {found} became {script.number.label}")


def _pictures(script: Manuscript, name: str, bundle: Bundle) -> None:
    """Take pictures along that lie in the bundle, under names of their own."""

    def replace(match: re.Match[str]) -> str:
        alt, link = match[1], match[2]
        taken = _picture(link, name, bundle)
        if taken is None:
            if not link.startswith(("http://", "https://")):
                script.note(Kind.LEFT, f"the picture “{link[:60]}” did not come along")
            return match[0]
        script.pictures[taken[0]] = taken[1]
        if not alt.strip():
            script.note(Kind.LEFT, f"the picture “{taken[0]}” has no alt text")
        return f"![{alt}]({taken[0]})"

    script.intro = _IMAGE.sub(replace, script.intro)
    script.closing = _IMAGE.sub(replace, script.closing)
    script.pieces = [piece._replace(body=_IMAGE.sub(replace, piece.body)) for piece in script.pieces]


def _picture(link: str, name: str, bundle: Bundle) -> tuple[str, Callable[[], bytes]] | None:
    if match := _DATA.match(link):
        try:
            data = base64.b64decode(match[2], validate=True)
        except binascii.Error:
            return None
        return (
            f"{slugs.slug(PurePosixPath(name).stem)}-{len(data)}.{match[1].replace('jpeg', 'jpg')}",
            lambda: data,
        )
    if link.startswith(("http://", "https://")):
        return None
    found = link if link in bundle.files else bundle.find(link, name)
    suffix = PurePosixPath(found).suffix.lower()
    if found.startswith("cid:"):
        data = bundle.read(found)
        return f"{slugs.slug(found[4:], default='picture')}{_suffix(data)}", lambda: data
    if not found or suffix not in _PICTURES:
        return None
    return f"{slugs.slug(PurePosixPath(found).stem, default='picture')}{suffix}", bundle.files[found]


def _suffix(data: bytes) -> str:
    starts = {b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"GIF8": ".gif"}
    return next((suffix for start, suffix in starts.items() if data.startswith(start)), ".png")


def _substack(bundle: Bundle) -> dict[str, dict[str, str]]:
    """Return what ``posts.csv`` of a Substack export says of each post, by the name of its file."""
    name = next((one for one in bundle.files if posixpath.basename(one) == "posts.csv"), "")
    if not name:
        return {}
    rows = csv.DictReader(io.StringIO(extraction.decode(bundle.read(name))))
    found = {}
    for row in rows:
        fields = {
            key: (row.get(key) or "").strip() for key in ("title", "subtitle", "post_date", "email_sent_at")
        }
        fields["draft"] = "true" if (row.get("is_published") or "").strip().lower() == "false" else ""
        found[(row.get("post_id") or "").lower()] = {key: value for key, value in fields.items() if value}
    return found
