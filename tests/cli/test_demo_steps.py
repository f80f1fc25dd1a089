"""The steps of `newsletter demo`: what is said to hold holds, if need be a moment later."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from newsletter.cli.demo import steps


def later(times: int) -> Callable[[], bool]:
    """Return what holds from so many looks on."""
    looks = iter([False] * times)
    return lambda: next(looks, True)


def test_what_holds_a_moment_later_holds(capsys: pytest.CaptureFixture[str]) -> None:
    steps.expect_soon(later(2), "the mail is there")
    assert capsys.readouterr().out == "  ✓ the mail is there\n"


def test_what_never_holds_is_an_error_that_names_it() -> None:
    with pytest.raises(steps.DemoError, match="this does not hold: the mail is there"):
        steps.expect_soon(later(10**6), "the mail is there", patience=0.1)
