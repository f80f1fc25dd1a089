"""When to try again: the pure step from a provider's receipt to what a delivery came to."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from newsletter.domain import deliveries, verdicts
from newsletter.domain.deliveries import State
from newsletter.domain.verdicts import Kind, Scope

_MINUTE = timedelta(minutes=1)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How long and how often a refused delivery is tried again."""

    #: The wait before each further try; the last one repeats until `give_up`.
    delays: tuple[timedelta, ...] = (
        5 * _MINUTE,
        15 * _MINUTE,
        30 * _MINUTE,
        _HOUR,
        2 * _HOUR,
        4 * _HOUR,
        8 * _HOUR,
    )
    #: Share by which each wait is spread, so that tries refused together do not come back together.
    jitter: float = 0.2
    #: Counted from the first try. A bi-weekly issue that is days late is of no use to anybody.
    give_up: timedelta = timedelta(hours=24)
    after_crash: deliveries.AfterCrash = deliveries.AfterCrash.RESEND

    def delay(self, tries: int, rng: random.Random) -> timedelta:
        """Return how long to wait after so many tries."""
        planned = self.delays[min(tries, len(self.delays)) - 1]
        return planned * rng.uniform(1 - self.jitter, 1 + self.jitter)


def settle(
    claimed: deliveries.Claimed,
    receipt: deliveries.Receipt,
    policy: Policy,
    *,
    now: datetime,
    rng: random.Random,
) -> deliveries.Outcome:
    """Return what a delivery came to by its receipt; the digest is left to whoever merged the message."""
    verdict = receipt.verdict
    tried = deliveries.Outcome(
        delivery=claimed.id,
        state=State.SENT,
        at=now,
        attempts=claimed.attempts + 1,
        first_tried=claimed.first_tried or now,
        reply=receipt.reply or verdict.reason,
        provider_id=receipt.provider_id,
    )
    match verdict.kind:
        case Kind.ACCEPTED:
            return tried
        case Kind.SUPPRESS:
            return tried._replace(state=State.REJECTED, suppress=verdict.reason or receipt.reply)
        case Kind.REJECT:
            return tried._replace(state=State.REJECTED)
        case Kind.STOP if verdict.scope is not Scope.DOMAIN:
            return release(claimed, now=now)._replace(reply=tried.reply)
        case Kind.UNKNOWN:
            return _unknown(tried, verdict, policy, rng)
    return _again(tried, verdict, policy, rng) or tried._replace(state=State.FAILED)


def release(
    claimed: deliveries.Claimed, *, now: datetime, not_before: datetime | None = None
) -> deliveries.Outcome:
    """Return the outcome of a delivery that was claimed and never handed over: no try is counted."""
    return deliveries.Outcome(
        delivery=claimed.id,
        state=State.PLANNED,
        at=now,
        attempts=claimed.attempts,
        first_tried=claimed.first_tried,
        not_before=not_before or now,
    )


def _unknown(
    tried: deliveries.Outcome, verdict: verdicts.Verdict, policy: Policy, rng: random.Random
) -> deliveries.Outcome:
    held = tried._replace(state=State.UNKNOWN)
    if policy.after_crash is deliveries.AfterCrash.HOLD:
        return held
    return _again(tried, verdict, policy, rng) or held


def _again(
    tried: deliveries.Outcome, verdict: verdicts.Verdict, policy: Policy, rng: random.Random
) -> deliveries.Outcome | None:
    """Return the outcome that tries once more, or None when time is used up."""
    asked = verdict.retry_after
    if asked is None or (asked <= 0 and tried.attempts > 1):
        # “In 0 seconds” is believed once: it would meet the same refusal again and again.
        wait = policy.delay(tried.attempts, rng)
    else:
        wait = timedelta(seconds=max(asked, 0))
    due = tried.at + wait
    if due > (tried.first_tried or tried.at) + policy.give_up:
        return None
    return tried._replace(state=State.PLANNED, not_before=due)
