"""Newsroom: slips of the typewriter."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable

from newsletter.checking import prose, reading, rulebook
from newsletter.domain import findings

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("newsroom")
english = rulebook.family("newsroom", languages=("en",))
japanese = rulebook.family("newsroom", languages=("ja",))

_ADVICE = findings.Severity.ADVICE
_GUIDES = "The Chicago Manual of Style, chapter 6"

#: What stands before the text of a point in a list, whatever the spaces between them.
_POINT = re.compile(r"[ >]*(?:[-*+]|\d{1,9}[.)])")
_DOUBLE_SPACE = re.compile(r"(?<=[^\s|]) {2,}(?=[^\s|])")
#: The stops of a spaced ellipsis, “. . .”, are as they should be.
_SPACE_BEFORE = re.compile(
    rf"(?<=[\w)”’{prose.FILL}])[ \u00a0]+(?:[,;:!?]|\.(?![ \u00a0]+\.))(?=[\s{prose.FILL}]|$)", re.MULTILINE
)
_MISSING_SPACE = re.compile(r"(?<=[a-z]{2})[,;](?=[A-Za-z])|(?<=[a-z]{2})\.(?=[A-Z][a-z])(?![A-Z][a-z]*\.\w)")
_REPEATED = re.compile(
    r"(?<!\.)\.\.(?!\.)|,,+|;;+|(?<!:)::(?!:)|!{2,}|(?<!\?)\?{2}(?!\?)|、{2,}|。{2,}|・{4,}"
)
_SPACED_HYPHEN = re.compile(rf"(?<=[^\W\d]|[)”’{prose.FILL}]) - (?=[\w“‘({prose.FILL}])")
_NARROW_MARK = re.compile(r"(?<=[\u3040-\u30ff\u3400-\u9fff])[,.!?;:](?![A-Za-z0-9/])")
_WIDE_LATIN = re.compile(r"[Ａ-Ｚａ-ｚ０-９]+")
_PAIRS = {"(": ")", "“": "”", "「": "」", "『": "』", "（": "）", "【": "】"}
_CLOSING = frozenset(_PAIRS.values())


def _each(page: reading.Reading, pattern: re.Pattern[str], message: str, fix: str) -> Hits:
    for passage in page.passages:
        for match, place in passage.find(pattern):
            yield rulebook.Hit(message=message.format(match[0].strip()), place=place, fix=fix)


@rule("double-space", _ADVICE, source=_GUIDES)
def double_space(page: reading.Reading) -> Hits:
    """Two spaces in a row show as a hole in the plain text part, and as one in HTML."""
    for passage in page.passages:
        for match, place in passage.find(_DOUBLE_SPACE):
            if not _POINT.fullmatch(passage.text[: match.start()].rpartition("\n")[2]):
                yield rulebook.Hit(
                    message="more than one space between two words", place=place, fix="leave one"
                )


@english("space-before-mark", _ADVICE, source=_GUIDES)
def space_before_mark(page: reading.Reading) -> Hits:
    """English sets no space before a punctuation mark; the mark may wrap to the next line alone."""
    return _each(page, _SPACE_BEFORE, "a space before “{}”", "close the gap")


@english("space-after-mark", _ADVICE, source=_GUIDES)
def space_after_mark(page: reading.Reading) -> Hits:
    """Two words joined by a comma or full stop are a slip, and some programs make a link of them."""
    return _each(page, _MISSING_SPACE, "no space after “{}”", "put one in")


@rule("repeated-mark", _ADVICE, source=_GUIDES)
def repeated_mark(page: reading.Reading) -> Hits:
    """A doubled mark is a slip; several in a row are held against a mail by spam filters."""
    return _each(page, _REPEATED, "“{}” should be one mark", "one is enough")


@english("hyphen-for-dash", _ADVICE, source=_GUIDES)
def hyphen_for_dash(page: reading.Reading) -> Hits:
    """A hyphen joins, a dash sets apart; a hyphen between spaces is a dash that was hard to type."""
    return _each(page, _SPACED_HYPHEN, "a hyphen stands for a dash", "write -- for –, or --- for —")


@japanese("narrow-mark", _ADVICE, source="JIS X 4051; W3C Requirements for Japanese Text Layout")
def narrow_mark(page: reading.Reading) -> Hits:
    """Japanese text takes full-width marks: a half-width comma or stop leaves an uneven gap after the
    character."""
    return _each(page, _NARROW_MARK, "“{}” is half-width after Japanese text", "use the full-width mark")


@japanese("wide-latin", _ADVICE, source="W3C Requirements for Japanese Text Layout")
def wide_latin(page: reading.Reading) -> Hits:
    """Full-width Latin letters and digits are read out one by one, and searches do not find them."""
    return _each(
        page, _WIDE_LATIN, "“{}” is written in full-width letters", "use half-width letters and digits"
    )


@rule("unbalanced-mark", findings.Severity.WARNING, source=_GUIDES)
def unbalanced_mark(page: reading.Reading) -> Hits:
    """A bracket or quotation mark that never closes leaves the reader waiting for its other half."""
    for passage in page.passages:
        paragraphs = list(passage.paragraphs())
        for (offset, paragraph), (_, following) in itertools.zip_longest(
            paragraphs, paragraphs[1:], fillvalue=(0, "")
        ):
            slip = _unbalanced(paragraph)
            # A quotation of several paragraphs is opened in each, and closed in the last.
            if slip is not None and not (paragraph[slip] == following.lstrip(_BLANKS)[:1] == "“"):
                yield rulebook.Hit(
                    message=f"“{paragraph[slip]}” has no other half in this paragraph",
                    place=passage.place(offset + slip, offset + slip + 1),
                )


#: ``1)`` or ``a)`` need not close anything, and a smiley opens nothing.
_NUMBERING = re.compile(r"(?:(?<=\s)|^)[0-9a-z]{1,2}\)|[:;]-?\)", re.MULTILINE)
_SAD = re.compile(r"[:;]-?\(")
_BLANKS = f"> \t\n{prose.FILL}"


def _unbalanced(paragraph: str) -> int | None:
    text = _SAD.sub(lambda match: " " * len(match[0]), paragraph)
    free = {match.end() - 1 for match in _NUMBERING.finditer(text)}
    opened: list[tuple[str, int]] = []
    # “(a) yes, or b) no)”: a mark that closed something may turn out to have been a numbering.
    lent = 0
    for position, char in enumerate(text):
        if char in _PAIRS:
            opened.append((_PAIRS[char], position))
        elif char not in _CLOSING:
            continue
        elif opened and opened[-1][0] == char:
            opened.pop()
            lent += position in free
        elif char == ")" and lent and position not in free:
            lent -= 1
        elif position not in free:
            return position
    return opened[0][1] if opened else None
