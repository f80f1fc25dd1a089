"""Back issues as text in the digest's own layout: headlines first, then as many details in the same order."""

from __future__ import annotations

import re
from collections.abc import Sequence

from newsletter.authoring import dates
from newsletter.authoring.manuscripts import Kind, Manuscript, Piece, placeholders
from newsletter.domain import numbering

_MARK = r"[#*_\s]*"
_HEADLINES = re.compile(rf"{_MARK}headlines?{_MARK}:?{_MARK}$", re.IGNORECASE)
_DETAILS = re.compile(rf"{_MARK}details?{_MARK}:?{_MARK}$", re.IGNORECASE)
_VOLUME = re.compile(
    r"\s*[-–—|,(]*\s*\bvol(?:ume)?\b\.?\s*[:#-]?\s*(\d{1,4})\s*[.\-–,]\s*(?:no\.?|number|issue)?\s*(\d{1,4})\s*[-–—|)]*",
    re.IGNORECASE,
)
# Older pages have a stray letter before the words.
_CREDIT = re.compile(
    r".{0,3}?\b(?:(?:image|photo|picture)\s*(?:source|credits?|by|courtesy(?: of)?)|credits?)\s*:\s*(.+)$",
    re.IGNORECASE,
)
_PICTURE = re.compile(r"!\[([^\]]*)\]\(\s*<?([^\s)>]+)>?[^)]*\)")
_LINKED = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_BULLET = re.compile(r"\s{0,3}(?:[-*+•●◦▪‣·○■–]|\d{1,2}[.)])\s+(?=\S)")
_WORD = re.compile(r"[^\W\d_]{4,}|\d{2,}")


def is_digest(text: str) -> bool:
    """Whether a text has the digest's two lists."""
    lines = text.split("\n")
    return any(map(_HEADLINES.match, lines)) and any(map(_DETAILS.match, lines))


def read(text: str) -> Manuscript:
    """Read a text with LF line ends in the digest's layout, noting what was guessed and what was left."""
    lines = [line.replace("\u00a0", " ").rstrip() for line in text.split("\n")]
    first = next((i for i, line in enumerate(lines) if _HEADLINES.match(line)), len(lines))
    second = next((i for i, line in enumerate(lines) if i > first and _DETAILS.match(line)), len(lines))
    script = Manuscript()
    _read_head(lines[:first], script)
    headlines, stray = _items(lines[first + 1 : second])
    for paragraph in stray:
        script.note(Kind.LEFT, f"between headlines and details: “{_cut(paragraph)}”")
    details, closing = _items(lines[second + 1 :])
    if closing and not details:
        details, closing = closing[: len(headlines)], closing[len(headlines) :]
        script.note(Kind.GUESSED, "the details are paragraphs without bullets")
    script.closing = "\n\n".join(closing)
    _pair([_bare(headline) for headline in headlines], details, script)
    _note_placeholders(script)
    return script


def _read_head(lines: Sequence[str], script: Manuscript) -> None:
    rest: list[str] = []
    for raw in lines:
        line = _take_number(_bare(raw), script)
        if not line or _take_picture(raw, script) or _take_credit(line, script) or _take_date(line, script):
            continue
        if not script.title:
            script.title = line
        else:
            rest.append(raw.strip())
    for line in rest:
        script.note(Kind.LEFT, f"above the headlines: “{_cut(line)}”")


def _take_number(line: str, script: Manuscript) -> str:
    match = _VOLUME.search(line)
    if match is None or script.number or not int(match[1]) or not int(match[2]):
        return line
    script.number = numbering.IssueNumber(int(match[1]), int(match[2]))
    return (line[: match.start()] + " " + line[match.end() :]).strip(" -–—|,:")


def _take_date(line: str, script: Manuscript) -> bool:
    day = dates.only(line)
    if day is None or script.date:
        return False
    script.date = day
    return True


def _take_picture(line: str, script: Manuscript) -> bool:
    match = _PICTURE.search(line)
    if match is None:
        return False
    script.alt, script.picture = match[1], match[2]
    return True


def _take_credit(line: str, script: Manuscript) -> bool:
    match = _CREDIT.match(line)
    if match is None or script.credit:
        return False
    linked = _LINKED.search(match[1])
    script.credit = (linked[1] if linked else match[1]).strip()
    if linked and linked[2].strip() not in {"", "#"}:
        script.credit_url = linked[2].strip()
    elif linked:
        script.note(Kind.LEFT, f"the link of the image credit “{script.credit}” leads nowhere")
    return True


def _items(lines: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the bullets of a section, with what belongs to each, and the paragraphs after the last."""
    paragraphs: list[tuple[bool, list[str]]] = []
    open_ = False
    for line in lines:
        if match := _BULLET.match(line):
            paragraphs.append((True, [line[match.end() :].strip()]))
            open_ = True
        elif not line.strip():
            open_ = False
        elif open_:
            paragraphs[-1][1].append(line.strip())
        else:
            paragraphs.append((False, [line.strip()]))
            open_ = True
    last = max((i for i, (is_bullet, _) in enumerate(paragraphs) if is_bullet), default=-1)
    items: list[str] = []
    after: list[str] = []
    for i, (is_bullet, words) in enumerate(paragraphs):
        text = " ".join(words)
        if is_bullet:
            items.append(text)
        elif i < last and items:
            items[-1] += f"\n\n{text}"
        else:
            after.append(text)
    return items, after


def _pair(headlines: list[str], details: list[str], script: Manuscript) -> None:
    pairs = _in_order(headlines, details)
    if len(headlines) != len(details):
        script.note(
            Kind.GUESSED, f"{len(headlines)} headlines were paired with {len(details)} details by their words"
        )
    for headline, detail in pairs:
        if detail is None:
            script.note(Kind.LEFT, f"the headline “{_cut(headline or '')}” has no detail")
        if headline is None:
            script.note(Kind.LEFT, f"the detail “{_cut(detail or '')}” has no headline")
        script.pieces.append(Piece(headline or f"TK: {_cut(_plain(detail or ''))}", detail or ""))


def _in_order(headlines: list[str], details: list[str]) -> list[tuple[str | None, str | None]]:
    """Pair two lists without changing their order, so that the pairs share as many words as can be."""
    if len(headlines) == len(details):
        return list(zip(headlines, details, strict=True))
    best: list[list[float]] = [[0.0] * (len(details) + 1) for _ in range(len(headlines) + 1)]
    for i in range(len(headlines) - 1, -1, -1):
        for j in range(len(details) - 1, -1, -1):
            paired = best[i + 1][j + 1] + _likeness(headlines[i], details[j])
            best[i][j] = max(paired, best[i + 1][j], best[i][j + 1])
    pairs: list[tuple[str | None, str | None]] = []
    i = j = 0
    while i < len(headlines) or j < len(details):
        if j == len(details) or (i < len(headlines) and best[i][j] == best[i + 1][j] > 0):
            pairs.append((headlines[i], None))
            i += 1
        elif i == len(headlines) or best[i][j] == best[i][j + 1] > 0:
            pairs.append((None, details[j]))
            j += 1
        else:
            pairs.append((headlines[i], details[j]))
            i, j = i + 1, j + 1
    return pairs


def _likeness(headline: str, detail: str) -> float:
    # Word beginnings: “agree” in a headline is “agreement” in its detail.
    ours = {word[:5].lower() for word in _WORD.findall(headline)}
    theirs = {word[:5].lower() for word in _WORD.findall(detail)}
    return 0.01 + len(ours & theirs) / (len(ours) or 1)


def _note_placeholders(script: Manuscript) -> None:
    texts = [(f"entry {i}", piece.body) for i, piece in enumerate(script.pieces, 1)]
    for where, text in [*texts, ("closing", script.closing)]:
        if words := placeholders(text):
            links = "1 link leads" if len(words) == 1 else f"{len(words)} links lead"
            script.note(Kind.LEFT, f"{where}: {links} nowhere: {', '.join(f'“{word}”' for word in words)}")
    if script.credit and not script.picture:
        script.note(Kind.LEFT, f"the picture credited to “{script.credit}” did not come with the text")


def _bare(line: str) -> str:
    """Return a line without the marks of headings, bullets and emphasis."""
    line = _BULLET.sub("", line, count=1) if _BULLET.match(line) and not line.startswith("**") else line
    return re.sub(r"^[#\s]+|(?<!\w)[*_]{1,3}(?=\S)|(?<=\S)[*_]{1,3}(?!\w)", "", line).strip()


def _plain(text: str) -> str:
    return _LINKED.sub(r"\1", text).replace("*", "")


def _cut(text: str) -> str:
    return text if len(text) <= 70 else text[:67].rstrip() + "…"
