"""Sentences: cut where they end, and the telling ones picked out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.authoring import sentences


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("The U.S. and Japan met. They signed it.", 2),
        ("Dr. Rosa Lind spoke at 9 a.m. in the hall. Mr. Berg agreed.", 2),
        ("It cost 1.5 million. “Too much,” she said.", 2),
        ("港の事務所は合意した。六月から運航する。一日六便となる。", 3),
        ("# A heading\n\nOne sentence only here", 1),
        ("", 0),
    ],
)
def test_sentences_end_where_a_reader_says_they_do(text: str, count: int) -> None:
    assert len(sentences.split(text)) == count


def test_acts_and_figures_come_before_chaff_and_keep_their_order() -> None:
    text = (
        "Subscribe to our newsletter for more stories like this one every day.\n\n"
        "The harbour offices signed an agreement on one ferry line worth 12 million crowns.\n\n"
        "It is a nice day by the sea and everybody seems to enjoy it very much.\n\n"
        "Aldermouth and Kitahama announced six crossings a day from 1 June on the new line."
    )
    told = sentences.telling(text, "Two ports agree on one ferry line", count=2)
    assert [one[:20] for one in told] == ["The harbour offices ", "Aldermouth and Kitah"]


@given(st.text(max_size=400))
def test_an_excerpt_is_short_and_said_in_the_text(text: str) -> None:
    flat = " ".join(text.split())
    for line in sentences.excerpt(text, "Title", length=200).split("\n"):
        assert " ".join(line.split()) in flat
