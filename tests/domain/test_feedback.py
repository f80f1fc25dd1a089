"""What comes back cleans the list, and never costs a good subscriber for somebody else's fault."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from newsletter.domain import feedback
from newsletter.domain.deliveries import State
from newsletter.domain.events import DEAD, Cause, Event, Kind
from newsletter.domain.feedback import Decision, Figures, Past, Policy, Standing
from newsletter.domain.subscribers import Status

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def event(kind: Kind, *, hard: bool = False, cause: Cause = Cause.OTHER, at: datetime = NOW) -> Event:
    return Event(kind=kind, at=at, key="k", hard=hard, cause=cause)


def standing(
    *past: Past, state: State = State.SENT, status: Status = Status.ACTIVE, of_delivery: tuple[Past, ...] = ()
) -> Standing:
    return Standing(state=state, mailing=100, status=status, of_delivery=of_delivery, of_subscriber=past)


def soft(mailing: int, days: int) -> Past:
    return Past(kind=Kind.BOUNCED, at=NOW - days * DAY, mailing=mailing, cause=Cause.MAILBOX_FULL)


def decide(an_event: Event, a_standing: Standing) -> Decision:
    return feedback.decide(an_event, a_standing, Policy())


def test_a_complaint_suppresses_at_once() -> None:
    assert decide(event(Kind.COMPLAINED), standing()) == Decision(
        state=State.COMPLAINED, status=Status.COMPLAINED, suppress="complained"
    )


@pytest.mark.parametrize("cause", sorted(DEAD - {Cause.BAD_DOMAIN}))
def test_an_address_that_is_dead_is_suppressed_at_once(cause: Cause) -> None:
    decision = decide(event(Kind.BOUNCED, hard=True, cause=cause), standing())
    assert decision == Decision(state=State.BOUNCED, status=Status.BOUNCED, suppress=f"bounced: {cause}")


@pytest.mark.parametrize("cause", sorted(set(Cause) - DEAD))
def test_a_permanent_refusal_for_another_cause_costs_nobody_their_subscription(cause: Cause) -> None:
    decision = decide(event(Kind.BOUNCED, hard=True, cause=cause), standing())
    assert decision == Decision(state=State.BOUNCED)


def test_a_missing_domain_needs_a_second_report_a_day_later() -> None:
    gone = event(Kind.BOUNCED, hard=True, cause=Cause.BAD_DOMAIN)
    earlier = Past(kind=Kind.BOUNCED, at=NOW - DAY, mailing=99, hard=True, cause=Cause.BAD_DOMAIN)
    just_now = Past(
        kind=Kind.BOUNCED, at=NOW - timedelta(hours=23), mailing=99, hard=True, cause=Cause.BAD_DOMAIN
    )
    assert not decide(gone, standing()).suppress
    assert not decide(gone, standing(just_now)).suppress
    assert decide(gone, standing(earlier)).suppress == "bounced: bad domain"


def test_the_fifth_soft_bounce_in_a_row_over_a_fortnight_suppresses() -> None:
    four = [soft(mailing, days) for mailing, days in ((96, 56), (97, 42), (98, 28), (99, 14))]
    again = event(Kind.BOUNCED, cause=Cause.MAILBOX_FULL)
    assert decide(again, standing(*four)).suppress == "bounced: 5 issues in a row came back"
    assert not decide(again, standing(*four[1:])).suppress


def test_soft_bounces_count_once_an_issue() -> None:
    many = [soft(99, days) for days in (14, 15, 16, 17, 18, 19)]
    assert not decide(event(Kind.BOUNCED), standing(*many)).suppress


def test_soft_bounces_within_a_few_days_do_not_suppress() -> None:
    quick = [soft(mailing, days) for mailing, days in ((96, 4), (97, 3), (98, 2), (99, 1))]
    assert not decide(event(Kind.BOUNCED), standing(*quick)).suppress


def test_a_delivery_starts_the_count_anew() -> None:
    four = [soft(mailing, days) for mailing, days in ((96, 56), (97, 42), (98, 28), (99, 14))]
    delivered = Past(kind=Kind.DELIVERED, at=NOW - 30 * DAY, mailing=97)
    assert not decide(event(Kind.BOUNCED), standing(*four, delivered)).suppress


def test_refusals_for_content_or_policy_never_count_towards_giving_an_address_up() -> None:
    blamed = [
        Past(kind=Kind.BOUNCED, at=NOW - days * DAY, mailing=mailing, cause=Cause.POLICY)
        for mailing, days in ((96, 56), (97, 42), (98, 28), (99, 14))
    ]
    assert not decide(event(Kind.BOUNCED, cause=Cause.MAILBOX_FULL), standing(*blamed)).suppress
    assert not decide(
        event(Kind.BOUNCED, cause=Cause.CONTENT), standing(*map(soft, (96, 97), (56, 42)))
    ).suppress


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (Kind.DELIVERED, State.DELIVERED),
        (Kind.REJECTED, State.REJECTED),
        (Kind.OPENED, None),
        (Kind.CLICKED, None),
        (Kind.DEFERRED, None),
        (Kind.ACCEPTED, None),
        (Kind.AUTO_REPLIED, None),
        (Kind.UNKNOWN, None),
    ],
)
def test_other_events_move_the_delivery_at_most(kind: Kind, state: State | None) -> None:
    assert decide(event(kind), standing()) == Decision(state=state)


def test_a_provider_s_own_unsubscribing_is_honoured() -> None:
    assert decide(event(Kind.UNSUBSCRIBED), standing()).status is Status.UNSUBSCRIBED
    assert decide(event(Kind.UNSUBSCRIBED), standing(status=Status.BOUNCED)).status is None


def test_delivered_after_a_hard_bounce_does_not_undo_it() -> None:
    bounced = Past(kind=Kind.BOUNCED, at=NOW - DAY, mailing=100, hard=True, cause=Cause.UNKNOWN_USER)
    late = standing(bounced, state=State.BOUNCED, of_delivery=(bounced,))
    assert decide(event(Kind.DELIVERED), late).state is None


def test_delivered_and_then_bounced_is_bounced_in_whichever_order_they_arrive() -> None:
    delivered = Past(kind=Kind.DELIVERED, at=NOW - DAY, mailing=100)
    first = standing(delivered, state=State.DELIVERED, of_delivery=(delivered,))
    assert decide(event(Kind.BOUNCED), first).state is State.BOUNCED
    bounced = Past(kind=Kind.BOUNCED, at=NOW, mailing=100)
    second = standing(bounced, state=State.BOUNCED, of_delivery=(bounced,))
    assert decide(event(Kind.DELIVERED, at=NOW - DAY), second).state is None


def test_a_soft_bounce_that_was_delivered_later_is_delivered() -> None:
    bounced = Past(kind=Kind.BOUNCED, at=NOW - DAY, mailing=100)
    later = standing(bounced, state=State.BOUNCED, of_delivery=(bounced,))
    assert decide(event(Kind.DELIVERED), later).state is State.DELIVERED


def test_an_unknown_delivery_is_settled_by_the_provider_s_own_event() -> None:
    assert decide(event(Kind.DELIVERED), standing(state=State.UNKNOWN)).state is State.DELIVERED


@pytest.mark.parametrize("state", [State.PLANNED, State.SKIPPED, State.FAILED, State.COMPLAINED])
def test_an_event_never_moves_a_delivery_that_was_not_handed_over_or_is_final(state: State) -> None:
    assert decide(event(Kind.DELIVERED), standing(state=state)).state is None


@pytest.mark.parametrize(
    ("figures", "pauses"),
    [
        (Figures(sent=200, hard=10, complaints=0), False),
        (Figures(sent=200, hard=11, complaints=0), True),
        (Figures(sent=40, hard=11, complaints=0), True),
        (Figures(sent=40, hard=8, complaints=0), False),
        (Figures(sent=10_000, hard=500, complaints=0), False),
        (Figures(sent=10_000, hard=501, complaints=0), True),
        (Figures(sent=500, hard=0, complaints=3), False),
        (Figures(sent=500, hard=0, complaints=4), True),
        (Figures(sent=10_000, hard=0, complaints=30), False),
        (Figures(sent=10_000, hard=0, complaints=31), True),
        (Figures(sent=10_000, hard=0, complaints=0, blamed=5000), False),
    ],
)
def test_a_mailing_that_goes_wrong_pauses_itself_and_says_why(figures: Figures, pauses: bool) -> None:
    assert bool(feedback.breaker(figures, Policy())) is pauses
