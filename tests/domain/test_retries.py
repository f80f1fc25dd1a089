"""What a receipt makes of a delivery, and when it is tried again."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.domain import deliveries, retries
from newsletter.domain.deliveries import AfterCrash, Claimed, Receipt, State
from newsletter.domain.verdicts import ACCEPTED, Kind, Scope, Verdict

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
POLICY = retries.Policy(jitter=0)
FRESH = Claimed(7, 70, "ada@example.org", "Ada", "en", 0, None)


def settle(
    verdict: Verdict,
    *,
    claimed: Claimed = FRESH,
    policy: retries.Policy = POLICY,
    now: datetime = NOW,
    reply: str = "as it came",
) -> deliveries.Outcome:
    receipt = Receipt(claimed.id, verdict, reply, "id-1")
    return retries.settle(claimed, receipt, policy, now=now, rng=random.Random(1))


def test_an_accepted_delivery_is_sent() -> None:
    outcome = settle(ACCEPTED)
    assert (outcome.delivery, outcome.state, outcome.at, outcome.attempts) == (7, State.SENT, NOW, 1)
    assert (outcome.first_tried, outcome.reply, outcome.provider_id) == (NOW, "as it came", "id-1")
    assert (outcome.not_before, outcome.suppress) == (None, "")


def test_a_dead_address_is_rejected_and_suppressed() -> None:
    outcome = settle(Verdict(kind=Kind.SUPPRESS, reason="no such user"))
    assert (outcome.state, outcome.suppress) == (State.REJECTED, "no such user")


def test_a_refused_message_does_not_blame_the_address() -> None:
    outcome = settle(Verdict(kind=Kind.REJECT, reason="content"))
    assert (outcome.state, outcome.suppress) == (State.REJECTED, "")


def test_a_refusal_without_a_reply_keeps_its_reason() -> None:
    assert settle(Verdict(kind=Kind.REJECT, reason="too large"), reply="").reply == "too large"


def test_tries_come_after_5_15_30_minutes_then_1_2_4_8_hours_and_end_within_a_day() -> None:
    busy = Verdict(kind=Kind.RETRY, reason="busy")
    claimed, now, waits = FRESH, NOW, []
    while (outcome := settle(busy, claimed=claimed, now=now)).state is State.PLANNED:
        assert outcome.not_before is not None
        waits.append((outcome.not_before - now).total_seconds() / 60)
        now = outcome.not_before
        claimed = claimed._replace(attempts=outcome.attempts, first_tried=outcome.first_tried)
    assert waits == [5, 15, 30, 60, 120, 240, 480, 480]
    assert outcome.state is State.FAILED
    assert now - NOW <= timedelta(hours=24)


def test_waits_are_spread_by_a_fifth() -> None:
    policy, rng = retries.Policy(), random.Random(2)
    waits = [policy.delay(1, rng) / timedelta(minutes=5) for _ in range(1000)]
    assert min(waits) >= 0.8
    assert max(waits) <= 1.2
    assert max(waits) - min(waits) > 0.39


def test_a_server_that_names_its_own_wait_is_obeyed() -> None:
    outcome = settle(Verdict(kind=Kind.RETRY, retry_after=90))
    assert outcome.not_before == NOW + timedelta(seconds=90)


def test_a_wait_beyond_the_time_to_give_up_is_not_waited_for() -> None:
    assert settle(Verdict(kind=Kind.RETRY, retry_after=25 * 3600)).state is State.FAILED


def test_a_server_that_asks_for_a_wait_in_the_past_is_tried_at_once() -> None:
    assert settle(Verdict(kind=Kind.RETRY, retry_after=-5)).not_before == NOW


def test_time_runs_from_the_first_try_and_not_from_the_plan() -> None:
    late = FRESH._replace(attempts=1, first_tried=NOW - timedelta(hours=23, minutes=50))
    assert settle(Verdict(kind=Kind.RETRY), claimed=late).state is State.FAILED
    just = late._replace(first_tried=NOW - timedelta(hours=23, minutes=40))
    assert settle(Verdict(kind=Kind.RETRY), claimed=just).state is State.PLANNED


def test_a_stop_of_the_mailing_counts_no_try() -> None:
    outcome = settle(Verdict(kind=Kind.STOP, scope=Scope.MAILING, reason="credentials"))
    assert (outcome.state, outcome.attempts, outcome.first_tried) == (State.PLANNED, 0, None)
    assert (outcome.not_before, outcome.reply) == (NOW, "as it came")


def test_a_stop_of_a_domain_is_tried_again_later() -> None:
    outcome = settle(Verdict(kind=Kind.STOP, scope=Scope.DOMAIN))
    assert (outcome.state, outcome.attempts) == (State.PLANNED, 1)
    assert outcome.not_before == NOW + timedelta(minutes=5)


@pytest.mark.parametrize(
    ("after_crash", "state"), [(AfterCrash.RESEND, State.PLANNED), (AfterCrash.HOLD, State.UNKNOWN)]
)
def test_what_was_handed_over_without_an_answer_follows_the_policy(
    after_crash: AfterCrash, state: State
) -> None:
    policy = retries.Policy(jitter=0, after_crash=after_crash)
    assert settle(Verdict(kind=Kind.UNKNOWN), policy=policy).state is state


def test_what_never_gets_an_answer_ends_as_unknown_and_not_as_failed() -> None:
    late = FRESH._replace(attempts=9, first_tried=NOW - timedelta(hours=24))
    assert settle(Verdict(kind=Kind.UNKNOWN), claimed=late).state is State.UNKNOWN


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("scope", Scope)
@pytest.mark.parametrize("after_crash", AfterCrash)
def test_every_outcome_is_a_move_that_is_written_down(
    kind: Kind, scope: Scope, after_crash: AfterCrash
) -> None:
    outcome = settle(Verdict(kind=kind, scope=scope), policy=retries.Policy(after_crash=after_crash))
    assert deliveries.may_move(State.SENDING, outcome.state)
    assert (outcome.not_before is not None) == (outcome.state is State.PLANNED)


def test_a_release_counts_no_try() -> None:
    tried = FRESH._replace(attempts=2, first_tried=NOW)
    outcome = retries.release(tried, now=NOW, not_before=NOW + timedelta(minutes=1))
    assert (outcome.state, outcome.attempts, outcome.first_tried) == (State.PLANNED, 2, NOW)
    assert outcome.not_before == NOW + timedelta(minutes=1)
    assert outcome.merged_at is None
