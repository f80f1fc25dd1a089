"""The search over what is public: every word must occur, in any language, headlines before texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.web.archive import editions

#: What is shown of a search.
MOST = 24
#: Longer queries are no searches.
_LONGEST, _MOST_WORDS = 100, 8
#: Characters shown before and after the first word that was found.
_BEFORE, _AFTER = 60, 140


@dataclass(frozen=True, kw_only=True)
class Hit:
    """An entry that was found."""

    edition: editions.Edition
    item: editions.Item
    excerpt: str


def cleaned(query: str) -> str:
    """Return what is searched for."""
    shown = "".join(each if each.isprintable() else " " for each in query)
    return " ".join(shown[:_LONGEST].split()[:_MOST_WORDS])


def search(published: Sequence[editions.Published], query: str) -> list[Hit]:
    """Return the entries in which every word occurs, newest first, found headlines before found texts."""
    words = editions.folded(query).split()
    if not words:
        return []
    in_headlines: list[Hit] = []
    in_texts: list[Hit] = []
    for issue in published:
        for edition in issue.editions:
            for item in edition.items:
                headline, whole = item.index
                if all(word in whole for word in words):
                    found = in_headlines if all(word in headline for word in words) else in_texts
                    if len(found) < MOST:
                        found.append(Hit(edition=edition, item=item, excerpt=_excerpt(item.text, words[0])))
    return (in_headlines + in_texts)[:MOST]


def _excerpt(text: str, word: str) -> str:
    at = max(0, text.casefold().find(word))
    begin, end = max(0, at - _BEFORE), at + _AFTER
    shown = text[begin:end]
    if begin and " " in shown[:20]:
        shown = shown.partition(" ")[2]
    return f"{'… ' if begin else ''}{shown}{' …' if end < len(text) else ''}"
