"""What a sender knows of a domain's pace when that domain first says “slower”."""

from __future__ import annotations

import pytest

from newsletter.domain import deliveries
from newsletter.domain.verdicts import Kind, Scope, Verdict
from newsletter.sending import pacing

SLOWER = deliveries.Receipt(1, Verdict(kind=Kind.RETRY, scope=Scope.DOMAIN, reason="slower, please"), "451")


def rate_after(seen: int, *, slow: int, seconds: float) -> float:
    """Return a domain's rate after its first refusal, when one address in so many was its own."""
    paces = pacing.Pacing(pacing.Rates(), now=0.0)
    for start in range(0, seen, 32):
        turn = range(start, min(start + 32, seen))
        paces.saw([f"reader{n}@{'slow' if n % slow == 0 else 'quick'}.example" for n in turn])
    paces.note("reader0@Slow.Example", SLOWER, seconds)
    return paces.slow_domains()["slow.example"]


@pytest.mark.parametrize("seen", [400, 40_000])
def test_a_first_refusal_halves_the_pace_that_the_domain_had(seen: int) -> None:
    assert rate_after(seen, slow=4, seconds=10) == pytest.approx(seen / 4 / 10 / 2, rel=0.01)


def test_domains_with_the_same_servers_share_one_pace() -> None:
    paces = pacing.Pacing(pacing.Rates(), now=0.0)
    paces.saw([f"reader{n}@{('gmail.com', 'googlemail.com')[n % 2]}" for n in range(100)])
    paces.note("reader1@googlemail.com", SLOWER, 10.0)
    assert paces.slow_domains() == {"gmail.com": pytest.approx(5.0)}
