"""Names for addresses and files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.domain import slugs


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ("Allies meet in Tokyo", "allies-meet-in-tokyo"),
        ("Japan's Diet & the Senate", "japans-diet-the-senate"),
        ("The mayor visits Kyōto", "the-mayor-visits-kyoto"),
        ("日米同盟", "entry-3"),
        ("", "entry-3"),
    ],
)
def test_a_headline_becomes_a_slug(text: str, slug: str) -> None:
    assert slugs.slug(text, default="entry-3") == slug


@given(st.text())
def test_a_slug_is_short_and_a_slug_again(text: str) -> None:
    name = slugs.slug(text)
    assert len(name) <= slugs.LONGEST
    assert not name or (slugs.is_slug(name) and slugs.slug(name) == name)
