"""The states of a delivery and the moves between them."""

from __future__ import annotations

from newsletter.domain import deliveries
from newsletter.domain.deliveries import State


def test_every_state_has_its_moves_written_down() -> None:
    assert set(deliveries.MOVES) == set(State)


def test_nothing_goes_back_to_sending_but_through_planned() -> None:
    before_sending = {state for state in State if deliveries.may_move(state, State.SENDING)}
    assert before_sending == {State.PLANNED}


def test_a_complaint_and_a_skip_are_final() -> None:
    assert not deliveries.MOVES[State.COMPLAINED]
    assert not deliveries.MOVES[State.SKIPPED]


def test_an_unknown_delivery_can_be_planned_again_or_taken_for_sent() -> None:
    assert deliveries.may_move(State.UNKNOWN, State.PLANNED)
    assert deliveries.may_move(State.UNKNOWN, State.SENT)


def test_what_was_sent_is_never_planned_again() -> None:
    assert not deliveries.may_move(State.SENT, State.PLANNED)
    assert not deliveries.may_move(State.DELIVERED, State.PLANNED)
