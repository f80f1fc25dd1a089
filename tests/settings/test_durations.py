"""Lengths of time as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from newsletter.settings import durations


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("6h", timedelta(hours=6)),
        ("30s", timedelta(seconds=30)),
        ("15 minutes", timedelta(minutes=15)),
        ("1 day 12 hours", timedelta(hours=36)),
        ("2 weeks", timedelta(weeks=2)),
        ("0.5h", timedelta(minutes=30)),
    ],
)
def test_lengths_are_read(text: str, expected: timedelta) -> None:
    assert durations.parse(text) == expected


@pytest.mark.parametrize("value", ["", "soon", "6", "six hours", "-1h", "1 month", "6h ago", 6, None])
def test_what_is_no_length_is_refused_with_examples(value: object) -> None:
    with pytest.raises(ValueError, match="6h"):
        durations.parse(value)
