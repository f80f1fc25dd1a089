"""Sentences of a source: cut apart, and the telling ones picked out."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ABBREVIATIONS = frozenset(
    (  # noqa: SIM905 - a list of words is read as words
        "mr mrs ms dr prof gen col lt sgt capt adm rep sen gov st no vol fig al inc ltd co corp dept univ"
        " approx vs jan feb mar apr jun jul aug sep sept oct nov dec e.g i.e etc"
    ).split()
)
_END = re.compile(r"(?:[.!?]+[\"'”’)\]]*(?=\s+[\"'“‘(\[]?[A-Z0-9])|[。！？]+[」』）]*)")
_NUMBER = re.compile(r"\d|(?:billion|million|percent|per cent|億|万|％)")
_ACTS = re.compile(
    r"\b(?:agree|sign|announc|launch|establish|approv|adopt|declar|conclud|pledg|commit|deploy|reach|meet|met|held"
    r"|warn|sanction|order|propos|publish|releas|invest)\w*|[締署]結|署名|合意|発表|開催|決定",
    re.IGNORECASE,
)
_NAMES = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z][a-z]+(?:\s+[A-Z][a-z]+)*")
_CHAFF = re.compile(
    r"subscribe|newsletter|cookie|click here|sign up|all rights reserved|advertis|shutterstock|getty|photo by"
    r"|share this|read more|follow us|terms of use|copyright|https?://|<sup>\s*\d+\s*</sup>\s*[A-Z]",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]{4,}")
_DANGLING = re.compile(r"(?:He|She|It|They|This|These|That|Those|However|But|And|Also|Moreover)\b")


def split(text: str) -> list[str]:
    """Cut a text into sentences; headings and short scraps are left out."""
    found: list[str] = []
    for paragraph in re.split(r"\n\s*\n|\n(?=[#*-])", text):
        flat = re.sub(r"(?<=\S)<sup>.*?</sup>", "", " ".join(paragraph.split()))
        if flat and not flat.startswith("#"):
            found += [one for one in _cut(flat) if len(one.encode()) >= 12]
    return found


def telling(text: str, title: str, *, count: int) -> list[str]:
    """Return the sentences that say most, in their own order: acts, figures and names before opinion."""
    sentences = list(dict.fromkeys(split(text)))
    if not sentences:
        return []
    wanted = {word.lower()[:6] for word in _WORD.findall(title)}
    scores = [_score(one, i, wanted) for i, one in enumerate(sentences)]
    best = sorted(range(len(sentences)), key=lambda i: (-scores[i], i))[:count]
    return [sentences[i] for i in sorted(best)]


def excerpt(text: str, title: str, *, length: int = 1_500) -> str:
    """Return the telling sentences of a text up to a length, one a line."""
    kept: list[str] = []
    for sentence in telling(text, title, count=8):
        if sum(map(len, kept)) + len(sentence) <= length:
            kept.append(sentence)
    return "\n".join(kept or [text.strip()[:length]])


def _cut(paragraph: str) -> list[str]:
    found: list[str] = []
    start = 0
    for match in _END.finditer(paragraph):
        before = paragraph[start : match.start()].rpartition(" ")[2].lower().strip("(“\"'")
        is_short = before in _ABBREVIATIONS or re.fullmatch(r"(?:[a-z]\.)*[a-z]", before)
        if match[0].startswith(".") and is_short:
            continue
        found.append(paragraph[start : match.end()].strip())
        start = match.end()
    return [*found, paragraph[start:].strip()]


def _score(sentence: str, position: int, wanted: set[str]) -> float:
    words = {word.lower()[:6] for word in _WORD.findall(sentence)}
    score = 2.0 * len(words & wanted) / (len(wanted) or 1)
    score += 1.0 if _ACTS.search(sentence) else 0.0
    score += 0.8 if _NUMBER.search(sentence) else 0.0
    score += min(len(_NAMES.findall(sentence)), 4) * 0.25
    score += max(0.0, 1.5 - position * 0.3)
    score -= 3.0 if _CHAFF.search(sentence) else 0.0
    score -= 0.5 if _DANGLING.match(sentence) else 0.0
    return score - _length_fault(sentence)


def _length_fault(sentence: str) -> float:
    length = len(sentence)
    return 1.0 if length < 40 else max(0.0, (length - 320) / 100)


def share(left: Sequence[str], right: Sequence[str]) -> float:
    """Return how much of two lists of words is the same, from 0 to 1."""
    ours, theirs = set(left), set(right)
    return len(ours & theirs) / (min(len(ours), len(theirs)) or 1)
