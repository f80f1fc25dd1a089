"""Texts out of pages, PDFs, mails and plain files, with what they say about themselves."""

from __future__ import annotations

import datetime
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from newsletter.authoring import dates
from newsletter.domain import errors

if TYPE_CHECKING:
    from email.message import EmailMessage

#: Pages of a PDF that are read.
_PAGES = 40
#: Characters of a text that are looked at.
_LONGEST = 400_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_-]+)", re.IGNORECASE)
_BYLINE = re.compile(r"(?:by|von|文=)\s+([A-Z][\w.'’-]+(?:\s+[A-Z][\w.'’-]+){1,3})\s*$", re.IGNORECASE)
#: A paragraph that is a name, with a place or a year below it.
_SIGNED = re.compile(r"([A-Z][\w’'-]+(?: [A-Z]\.)?(?: [A-Z][\w’'-]+){1,2})[ ]*(?:\n[^\n]{1,60})?$")
_KANA = re.compile(r"[\u3040-\u30ff]")
_FREE = re.compile(r'"isAccessibleForFree"\s*:\s*"?(true|false)', re.IGNORECASE)
_LINK_CANONICAL = re.compile(r"<link\b[^>]*\brel=[\"']?canonical[\"'\s][^>]*>", re.IGNORECASE)
_HREF = re.compile(r"\bhref=[\"']?([^\"'\s>]+)", re.IGNORECASE)
_LANG = re.compile(r"<html\b[^>]*\blang=[\"']?([A-Za-z-]{2,12})", re.IGNORECASE)


class ExtractError(errors.NewsletterError):
    """Nothing can be read out of a file or page."""


@dataclass(frozen=True, kw_only=True)
class Extract:
    """What could be read."""

    title: str
    text: str
    canonical: str = ""
    publisher: str = ""
    author: str = ""
    published: datetime.date | None = None
    language: str = ""
    paywall: bool | None = None


def by_kind(content: bytes, kind: str, *, url: str = "", charset: str = "", name: str = "") -> Extract:
    """Read content of a media type or file suffix: ``text/html``, ``.pdf``.

    Raises:
        ExtractError: the kind is unknown, or nothing can be read.
    """
    if content.startswith(b"%PDF-"):
        kind = "application/pdf"
    readers: dict[str, Callable[[], Extract]] = {
        "html": lambda: from_html(content, url=url, charset=charset),
        "text": lambda: from_text(decode(content, charset), name=name),
        "pdf": lambda: from_pdf(content, name=name),
        "mail": lambda: from_mail(content),
    }
    if kind not in _KINDS:
        raise ExtractError(f"“{kind or 'no type'}” cannot be read", hint="save it as text, HTML, PDF or .eml")
    return readers[_KINDS[kind]]()


_KINDS = {
    "text/html": "html",
    "application/xhtml+xml": "html",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    "text/plain": "text",
    "text/markdown": "text",
    ".txt": "text",
    ".md": "text",
    ".markdown": "text",
    "application/pdf": "pdf",
    ".pdf": "pdf",
    "message/rfc822": "mail",
    ".eml": "mail",
}


def decode(content: bytes, charset: str = "", *, declared: str = "") -> str:
    """Return the text of bytes whose announced charset may be wrong: UTF-8 goes first, a guess goes last."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return clean(content.decode("utf-16", "replace"))
    for name in ("utf-8-sig", charset, declared):
        try:
            if name and name.lower() not in {"iso-8859-1", "latin-1", "windows-1252", "ascii", "us-ascii"}:
                return clean(content.decode(name))
        except (UnicodeDecodeError, LookupError):
            continue
    for name in ("shift_jis", "euc_jp"):
        try:
            text = content.decode(name)
        except UnicodeDecodeError:
            continue
        if len(_KANA.findall(text)) > 8:
            return clean(text)
    return clean(content.decode("cp1252", "replace"))


def from_html(content: bytes, *, url: str = "", charset: str = "") -> Extract:
    """Read the article of a page.

    Raises:
        ExtractError: there is no text in it.
    """
    import trafilatura

    meta = _META_CHARSET.search(content[:4096])
    markup = decode(content, charset, declared=meta[1].decode() if meta else "")
    try:
        found = trafilatura.bare_extraction(
            markup, url=url or None, include_comments=False, include_tables=False, with_metadata=True
        )
    except (ValueError, AssertionError, RecursionError) as error:
        raise ExtractError(f"the page cannot be taken apart: {error}") from error
    document = found.as_dict() if found is not None and not isinstance(found, dict) else (found or {})
    text = clean(str(document.get("text") or ""))
    if not text.strip():
        raise ExtractError("the page has no text", hint="it may want JavaScript: save what you see as a file")
    language = _LANG.search(markup[:4000])
    free = _FREE.search(markup)
    return Extract(
        title=str(document.get("title") or "") or _first_line(text),
        text=text[:_LONGEST],
        canonical=_canonical(markup) or "",
        publisher=str(document.get("sitename") or ""),
        author=str(document.get("author") or ""),
        published=_published(str(document.get("date") or ""), markup, text),
        language=language[1].lower().partition("-")[0] if language else language_of(text),
        paywall=None if free is None else free[1].lower() == "false",
    )


def from_text(text: str, *, name: str = "") -> Extract:
    """Read a plain text or Markdown, whose title is its first short line.

    Raises:
        ExtractError: there is none.
    """
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text[:_LONGEST]) if block.strip()]
    if not blocks:
        raise ExtractError("the file has no text")
    title, rest = _titled(blocks, name)
    head = "\n".join(blocks[:6])
    byline = next((match[1] for line in head.split("\n") if (match := _BYLINE.match(line.strip()))), "")
    if not byline and rest and (signed := _SIGNED.match(rest[0])):
        byline = signed[1]
    return Extract(
        title=title,
        text="\n\n".join(rest),
        author=byline,
        published=dates.guess("\n".join(line for line in head.split("\n") if len(line) < 60)),
        language=language_of(text),
    )


def from_pdf(content: bytes, *, name: str = "") -> Extract:
    """Read a PDF that has text in it.

    Raises:
        ExtractError: it is encrypted, damaged, or only pictures.
    """
    text, meta = _pdf(content)
    if not text.strip():
        raise ExtractError("the PDF has no text in it, only pictures", hint="run it through OCR first")
    plain = from_text(text, name=name)
    title = meta.get("title", "")
    return Extract(
        # What a word processor called the file is no title.
        title=title
        if len(title) > 8 and not re.search(r"\.(?:docx?|indd|pdf)|untitled", title, re.I)
        else plain.title,
        text=plain.text,
        author=meta.get("author", "") or plain.author,
        published=plain.published or dates.guess(meta.get("date", "")),
        language=plain.language,
    )


def from_mail(content: bytes) -> Extract:
    """Read a mail: its subject is the title, its sender the publisher.

    Raises:
        ExtractError: it has no text.
    """
    import email
    import email.policy
    import email.utils

    mail = email.message_from_bytes(content, policy=email.policy.default)
    name, address = email.utils.parseaddr(str(mail.get("From", "")))
    text, markup = mail_bodies(mail)
    if not text.strip() and markup:
        text = from_html(markup.encode()).text
    if not text.strip():
        raise ExtractError("the mail has no text")
    return Extract(
        title=clean(str(mail.get("Subject", ""))).strip() or _first_line(text),
        text=text[:_LONGEST],
        publisher=clean(name) or address.rpartition("@")[2],
        published=dates.stamp(str(mail.get("Date", ""))) if mail.get("Date") else None,
        language=language_of(text),
    )


def mail_bodies(mail: EmailMessage) -> tuple[str, str]:
    """Return plain text and HTML of a mail, as far as it has them."""
    bodies = []
    for kind in ("plain", "html"):
        part = mail.get_body((kind,))
        try:
            bodies.append(clean(str(part.get_content())) if part is not None else "")
        except (LookupError, KeyError):  # a charset that nobody knows
            payload = part.get_payload(decode=True) if part is not None else b""
            bodies.append(decode(payload) if isinstance(payload, bytes) else "")
    return bodies[0], bodies[1]


def language_of(text: str) -> str:
    """Guess between the languages a digest of this kind is made of: ``ja``, ``en``, or nothing."""
    sample = text[:4000]
    if len(_KANA.findall(sample)) > len(sample) * 0.05:
        return "ja"
    words = re.findall(r"[a-z]+", sample.lower())
    return "en" if sum(word in {"the", "of", "and", "to", "in"} for word in words) > len(words) * 0.08 else ""


def _pdf(content: bytes) -> tuple[str, dict[str, str]]:
    import io
    import logging

    import pypdf
    from pypdf.errors import PyPdfError

    # It tells its troubles to the log; the ones that matter come back as errors.
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        document = pypdf.PdfReader(io.BytesIO(content))
        if document.is_encrypted and not document.decrypt(""):
            raise ExtractError("the PDF is encrypted", hint="save it again without a password")
        text = "\n\n".join(page.extract_text() for page in document.pages[:_PAGES])
        meta = {key: str(getattr(document.metadata, key, "") or "") for key in ("title", "author")}
        created = str(getattr(document.metadata, "creation_date_raw", "") or "").removeprefix("D:")
    except ExtractError:
        raise
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OSError) as error:
        raise ExtractError(f"the PDF is damaged: {error}") from error
    except Exception as error:  # cryptography is only needed for some encrypted files
        raise ExtractError(f"the PDF cannot be read: {error}") from error
    return clean(text), {key: clean(value).strip() for key, value in meta.items()} | {"date": created[:8]}


def _titled(blocks: list[str], name: str) -> tuple[str, list[str]]:
    first = blocks[0].lstrip("#").strip()
    if len(first) <= 160 and "\n" not in first and not first.endswith("."):
        rest = [block for block in blocks[1:] if block.lstrip("#").strip() != first]
        return first, rest or blocks
    # A text that begins at once: what its first sentence says before the first comma is the gist.
    sentence = re.split(r"(?<=[.!?])\s|(?<=。)", " ".join(first.split()))[0]
    words = sentence if len(sentence) <= 110 else sentence[:107].rpartition(" ")[0] + "…"
    return words or PurePath(name).stem, blocks


def _published(found: str, markup: str, text: str) -> datetime.date | None:
    day = dates.stamp(found) if found else None
    if day is None or day.month == day.day == 1:
        stated = _stated_dates(markup)
        day = next(iter(stated), None) or dates.guess(text[:600]) or day
    return day


def _stated_dates(markup: str) -> Iterator[datetime.date]:
    pattern = (
        r"(?:article:published_time\"\s+content=\"|\"datePublished\"\s*:\s*\"|<time[^>]*>)([^\"<]{4,40})"
    )
    for match in re.finditer(pattern, markup):
        if day := dates.stamp(match[1]):
            yield day


def _canonical(markup: str) -> str:
    tag = _LINK_CANONICAL.search(markup)
    href = _HREF.search(tag[0]) if tag else None
    return href[1] if href and href[1].startswith(("http://", "https://")) else ""


def _first_line(text: str) -> str:
    line = next((line.strip() for line in text.split("\n") if line.strip()), "")
    return line[:110]


def clean(text: str) -> str:
    """Return a text with LF line ends, composed characters and no control characters."""
    text = _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\u00a0", " "))
    return unicodedata.normalize("NFC", text)
