"""Stories: clippings that tell of one thing, put together; and the order they go in."""

from __future__ import annotations

import itertools
import re
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from newsletter.authoring.inbox import Slip

#: Two reports of one story are rarely further apart.
_DAYS = 14
#: Titles this alike, in percent, tell of one story whatever their texts say.
_SAME_TITLE = 88
#: Titles this alike do so when their texts share this part of their words.
_LIKE_TITLE, _SHARED = 55, 0.34
#: Texts this alike, by no fewer words, are one story under different titles.
_SAME_TEXT, _MANY = 0.6, 12
#: Fewer words than this in common are chance.
_FEWEST = 5
#: A word in more texts than this says nothing about which belong together.
_COMMON = 40
_ASCII_WORD = re.compile(r"[a-z0-9]{4,8}")
_WORD = re.compile(r"[a-z][\w'’-]{3,7}|\d[\d,.]+|[\u4e00-\u9fff]{2,4}|[\u30a0-\u30ff]{3,}")
_EMPTY = frozenset(
    {"with", "from", "that", "this", "have", "will", "said", "also", "their", "which", "more", "than"}
    | {"been", "were", "would", "about", "after", "over", "into", "between", "other", "could", "some"}
)


@dataclass(frozen=True, kw_only=True)
class Story:
    """One thing that happened, and what was clipped about it."""

    #: The best source first.
    slips: tuple[Slip, ...]

    @property
    def lead(self) -> Slip:
        """The source that the entry is made of."""
        return self.slips[0]

    @property
    def weight(self) -> int:
        """The editor's weight, then how many reported it, official sources counting double."""
        own = max(slip.weight for slip in self.slips)
        return own * 100 + sum(2 if slip.kind == "official" else 1 for slip in self.slips)

    @property
    def topics(self) -> tuple[str, ...]:
        """Every topic of its sources."""
        return tuple(dict.fromkeys(topic for slip in self.slips for topic in slip.topics))

    @property
    def day(self) -> date:
        """The newest day among its sources."""
        return max((slip.day for slip in self.slips if slip.day), default=date.min)


def group(slips: Iterable[Slip]) -> list[Story]:
    """Put clippings of one story together."""
    pile = list(slips)
    words = _words(pile)
    root = list(range(len(pile)))
    for left, right in _candidates(words):
        one, other = _find(root, left), _find(root, right)
        if one != other and _is_one_story(pile[left], pile[right], set(words[left]), set(words[right])):
            root[one] = other
    groups: dict[int, list[Slip]] = defaultdict(list)
    for i, slip in enumerate(pile):
        groups[_find(root, i)].append(slip)
    return [Story(slips=tuple(sorted(members, key=_best_first))) for members in groups.values()]


def _is_one_story(left: Slip, right: Slip, ours: set[int], theirs: set[int]) -> bool:
    from rapidfuzz import fuzz

    if left.day and right.day and abs((left.day - right.day).days) > _DAYS:
        return False
    common = len(ours & theirs)
    shared = common / min(len(ours), len(theirs)) if common >= _FEWEST else 0.0
    alike = fuzz.token_sort_ratio(left.title.lower(), right.title.lower())
    same_text = shared >= _SAME_TEXT and common >= _MANY
    return alike >= _SAME_TITLE or same_text or (alike >= _LIKE_TITLE and shared >= _SHARED)


def order(stories: Sequence[Story], topics: Sequence[str] = ()) -> list[Story]:
    """Return stories by weight, then in the order of topics, then newest first."""
    rank = {topic: i for i, topic in enumerate(topics)}

    def key(story: Story) -> tuple[int, int, int, str]:
        place = min((rank.get(topic, len(rank)) for topic in story.topics), default=len(rank) + 1)
        return (-story.weight, place, -story.day.toordinal(), story.lead.name)

    return sorted(stories, key=key)


def _words(slips: Sequence[Slip]) -> list[array[int]]:
    """Return the words of each clipping, as numbers: thousands of texts take some megabytes."""
    numbers: defaultdict[str, int] = defaultdict()
    numbers.default_factory = numbers.__len__
    found = []
    for slip in slips:
        text = f"{slip.title} {slip.text}".lower()
        words = set((_ASCII_WORD if text.isascii() else _WORD).findall(text)) - _EMPTY
        found.append(array("I", [*map(numbers.__getitem__, words)]))
    return found


def _candidates(words: Sequence[array[int]]) -> Iterable[tuple[int, int]]:
    """Yield pairs that share rare words; all others cannot be one story."""
    places: dict[int, list[int]] = defaultdict(list)
    counts = Counter(itertools.chain.from_iterable(words))
    telling = {word for word, count in counts.items() if 1 < count <= _COMMON}
    for i, one in enumerate(words):
        for word in telling.intersection(one):
            places[word].append(i)
    shared: Counter[tuple[int, int]] = Counter()
    for where in places.values():
        shared.update(itertools.combinations(where, 2))
    return [pair for pair, count in shared.items() if count >= 2]


def _find(root: list[int], i: int) -> int:
    while root[i] != i:
        root[i] = root[root[i]]
        i = root[i]
    return i


def _best_first(slip: Slip) -> tuple[int, int, str]:
    kinds = {"official": 0, "academic": 1, "own": 1}
    return (-slip.weight, kinds.get(slip.kind, 1), slip.name)
