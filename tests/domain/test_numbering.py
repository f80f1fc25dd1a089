"""Issue numbers: two integers, read in every spelling and sorted as editors expect."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.domain import errors, numbering
from newsletter.domain.numbering import IssueNumber

COUNTS = st.integers(1, 9999)


@pytest.mark.parametrize(
    "text", ["2.23", "vol-2-23", "Vol: 2.23", "VOL 2.23", " volume 2.23 ", "Vol. 2-23", "vol.2.23"]
)
def test_every_spelling_is_the_same_number(text: str) -> None:
    assert numbering.parse(text) == IssueNumber(2, 23)


@pytest.mark.parametrize("text", ["", "2", "2.23.1", "latest", "v2n23", "2,23", "-2.23", "2.23x", "99999.1"])
def test_what_is_no_number_is_refused_by_its_text(text: str) -> None:
    with pytest.raises(errors.NewsletterError) as caught:
        numbering.parse(text)
    assert f"“{text}”" in str(caught.value)


@pytest.mark.parametrize(("volume", "number"), [(0, 1), (1, 0), (-1, 1)])
def test_volumes_and_numbers_count_from_one(volume: int, number: int) -> None:
    with pytest.raises(ValueError, match="count from 1"):
        IssueNumber(volume, number)


def test_1_9_comes_before_1_10() -> None:
    assert sorted([IssueNumber(1, 10), IssueNumber(2, 1), IssueNumber(1, 9)]) == [
        IssueNumber(1, 9),
        IssueNumber(1, 10),
        IssueNumber(2, 1),
    ]


@given(volume=COUNTS, number=COUNTS)
def test_a_number_is_read_back_from_each_of_its_names(volume: int, number: int) -> None:
    issue = IssueNumber(volume, number)
    assert numbering.parse(str(issue)) == numbering.parse(issue.slug) == numbering.parse(issue.label) == issue


@given(left=st.tuples(COUNTS, COUNTS), right=st.tuples(COUNTS, COUNTS))
def test_numbers_sort_as_their_pairs_do(left: tuple[int, int], right: tuple[int, int]) -> None:
    assert (IssueNumber(*left) < IssueNumber(*right)) == (left < right)


@given(volume=st.integers(1, 9998), number=st.integers(1, 9998))
def test_the_following_number_is_the_next_one_there_is(volume: int, number: int) -> None:
    issue = IssueNumber(volume, number)
    assert issue < issue.following() < issue.following(new_volume=True) == IssueNumber(volume + 1, 1)
