"""Make a clipping of a page or a file."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

from newsletter.authoring import clippings, downloads, extraction, sentences
from newsletter.domain import errors

#: Local files are read whole; a source of this size is not an article.
LARGEST = 50_000_000


def is_address(source: str) -> bool:
    """Whether a source is on the web and not a file."""
    return source.startswith(("http://", "https://"))


def of_page(
    url: str, downloader: downloads.Downloader, *, today: datetime.date, own: str = ""
) -> clippings.Clipping:
    """Fetch a page and make a clipping of it; ``own`` is the host of the publication.

    Raises:
        DownloadError: it cannot be fetched.
        ExtractError: there is no text in it.
    """
    page = downloader.fetch(url)
    found = extraction.by_kind(
        page.content, page.media_type or "text/html", url=page.url, charset=page.charset
    )
    address = found.canonical or page.url
    host = address.partition("://")[2].partition("/")[0].removeprefix("www.")
    return dataclasses.replace(
        _clipping(found, today),
        url=url,
        canonical=address,
        publisher=" ".join(found.publisher.split()) or host,
        kind=clippings.kind_of(address, own),
    )


def of_file(path: Path, *, today: datetime.date) -> clippings.Clipping:
    """Make a clipping of a local file: text, Markdown, HTML, PDF or mail.

    Raises:
        ExtractError: it cannot be read, or has no text.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise extraction.ExtractError(f"{path}: larger than {LARGEST:,} bytes")
        content = path.read_bytes()
    except OSError as error:
        raise extraction.ExtractError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        found = extraction.by_kind(content, path.suffix.lower(), name=path.name)
    except extraction.ExtractError as error:
        raise extraction.ExtractError(f"{path}: {error}", hint=error.hint) from error
    return dataclasses.replace(_clipping(found, today), file=path.name)


def of_words(
    title: str, text: str, *, today: datetime.date, url: str = "", publisher: str = ""
) -> clippings.Clipping:
    """Make a clipping of words at hand, such as a feed's summary.

    Raises:
        ExtractError: there are none.
    """
    title, text = extraction.clean(title), extraction.clean(text)
    if not (title.strip() or text.strip()):
        raise extraction.ExtractError(f"{url or 'the text'}: there is nothing to read")
    found = extraction.Extract(
        title=title.strip() or text.strip()[:80],
        text=text,
        canonical=url,
        publisher=publisher,
        language=extraction.language_of(f"{title} {text}"),
    )
    return _clipping(found, today)


def _clipping(found: extraction.Extract, today: datetime.date) -> clippings.Clipping:
    return clippings.Clipping(
        title=" ".join(found.title.split())[:300],
        url=found.canonical,
        canonical=found.canonical,
        publisher=" ".join(found.publisher.split()),
        author=" ".join(found.author.split()),
        # A page from tomorrow has a wrong clock, or it is a date that the text is about.
        published=found.published if found.published and found.published <= today else None,
        accessed=today,
        language=found.language,
        paywall=found.paywall,
        kind=clippings.kind_of(found.canonical),
        sha256=clippings.fingerprint(found.text),
        excerpt=sentences.excerpt(found.text, found.title),
    )


def told(error: errors.NewsletterError, source: str) -> str:
    """Say in one line why a source was not clipped."""
    message = str(error)
    return message if source in message else f"{source}: {message}"
