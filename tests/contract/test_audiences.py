"""Whoever a rule leaves out of a mailing is left out in every ledger, for the same reason."""

from __future__ import annotations

import pytest

from newsletter import ports
from newsletter.domain import errors
from newsletter.domain.subscribers import Status
from tests.contract.test_ledger import House, house
from tests.sending.samples import NOW, draft, person

__all__ = ["house"]

AUDIENCE = ports.Audience(name="readers", rule="topic:security and not tag:press", exclude="language:ja")


@pytest.fixture(autouse=True)
def _people(house: House) -> None:
    person(house.directory, "in@example.org", topics=("security",))
    person(house.directory, "other@example.org", topics=("economy",))
    person(house.directory, "press@example.org", topics=("security",), tags=("press",))
    person(house.directory, "ja@example.org", topics=("security",), language="ja")
    person(house.directory, "left@example.org", Status.UNSUBSCRIBED, topics=("security",))


def test_everybody_left_out_is_told_the_first_reason(house: House) -> None:
    included, left_out = house.ledger.preview(AUDIENCE, now=NOW)
    assert included == 1
    assert left_out == {
        "not topic:security": 1,
        "tag:press": 1,
        "excluded by language:ja": 1,
        "unsubscribed": 1,
    }


def test_a_mailing_goes_to_its_audience_only(house: House) -> None:
    mailing = house.ledger.plan(draft(audience=AUDIENCE))
    assert mailing.audience == "readers"
    assert [row.email for row in house.ledger.deliveries(mailing.id)] == ["in@example.org"]


def test_a_rule_that_cannot_be_understood_plans_nothing(house: House) -> None:
    with pytest.raises(errors.AudienceError):
        house.ledger.plan(draft(audience=ports.Audience(name="x", rule="topic")))
    assert list(house.ledger.mailings()) == []
