"""Passages: stretches of the editors' Markdown, each read once however often its issue is rendered.

A preview renders the whole issue at every save, and a check, an approval and a mailing render it again;
most passages are the same each time, and reading Markdown is most of the work.
"""

from __future__ import annotations

import dataclasses
import functools
import posixpath
import urllib.parse
from collections.abc import Callable, Mapping
from typing import NamedTuple

from newsletter.domain import errors
from newsletter.rendering import markdown, slots, styles, text
from newsletter.rendering import tokens as token_room

#: Passages kept: some ten issues' worth.
_KEPT = 128


@dataclasses.dataclass(frozen=True, kw_only=True)
class Manner:
    """How the Markdown of one render is written."""

    tokens: token_room.Tokens
    language: str
    direction: str
    #: With styles inline and the elements that mail programs know.
    in_mail: bool
    #: What the names of local images are put behind, and what other relative addresses begin from.
    image_base: str
    page: str
    #: The words “Credit” and “Image” in the language of the edition.
    credit_label: str
    image: str

    def __hash__(self) -> int:
        return self._hash

    @functools.cached_property
    def _hash(self) -> int:
        """Reckoned once: every passage asks for it."""
        return hash(tuple(getattr(self, field.name) for field in dataclasses.fields(self)))

    def address(self, url: str, is_image: bool) -> str:
        """Make an address absolute.

        Raises:
            RenderError: a picture lies outside of the issue's folder.
        """
        if urllib.parse.urlsplit(url).scheme or not url:
            return url
        if is_image:
            return self.image_base + urllib.parse.quote(_inside(url))
        return urllib.parse.urljoin(self.page, url)


class Read(NamedTuple):
    """A passage as HTML and as plain text."""

    html: str
    text: str
    #: Its link notes, and the number of the last one.
    notes: str
    last: int


class _Tree(NamedTuple):
    html: str
    #: Writes it as plain text, with its link notes.
    to_text: Callable[[text.Notes], str]


def read(source: str, manner: Manner, *, level: int, after: int, holder: slots.Slots) -> Read:
    """Read Markdown in which personal fields are slots already.

    Args:
        source: the Markdown.
        manner: how it is written.
        level: the level of the heading that stands above it.
        after: the number of the last link note before it.
        holder: knows the slots.

    Raises:
        RenderError: it is too long, or an address in it cannot stand.
    """
    if holder.pattern.search(source):
        # Slots are named anew whenever the issue changes, so nothing is gained by keeping these.
        return _written(_tree(source, manner, level, holder), manner, after)
    return _kept_text(source, manner, level, after)


@functools.lru_cache(maxsize=_KEPT)
def _kept_text(source: str, manner: Manner, level: int, after: int) -> Read:
    return _written(_kept_tree(source, manner, level), manner, after)


@functools.lru_cache(maxsize=_KEPT)
def _kept_tree(source: str, manner: Manner, level: int) -> _Tree:
    return _tree(source, manner, level, None)


def forget() -> None:
    """Let go of every passage."""
    _kept_text.cache_clear()
    _kept_tree.cache_clear()


def _tree(source: str, manner: Manner, level: int, holder: slots.Slots | None) -> _Tree:
    elements = _elements(manner)
    # Where slots may stand in addresses, each address is looked at.
    plain = markdown.prose_of(source) if holder is None else None
    if plain is not None:
        html = markdown.prose_to_html(plain, elements)
        return _Tree(html, functools.partial(text.from_prose, plain))
    tokens = markdown.prepare(
        markdown.parse(source),
        level=level,
        address=manner.address,
        slots=holder,
        credit_label=manner.credit_label,
    )
    return _Tree(markdown.to_html(tokens, elements), functools.partial(text.from_tokens, tokens))


def _written(tree: _Tree, manner: Manner, after: int) -> Read:
    notes = text.Notes(image=manner.image, after=after)
    return Read(tree.html, tree.to_text(notes), notes.listed(), notes.last)


@functools.lru_cache(maxsize=8)
def _elements(manner: Manner) -> Mapping[str, styles.Element]:
    if not manner.in_mail:
        return {}
    return styles.elements(manner.tokens, language=manner.language, direction=manner.direction)


def _inside(src: str) -> str:
    """Return the path of a local image from the folder of its issue."""
    name = posixpath.normpath(urllib.parse.unquote(src))
    if name.startswith(("../", "/")):
        raise errors.RenderError(
            f"the picture {src} lies outside of the issue's folder", hint="move it beside the issue file"
        )
    return name
