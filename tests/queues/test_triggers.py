"""The clock strikes on issue days, at the hour of the publication."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from newsletter.domain import cadence
from newsletter.queues import triggers


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 6, 14, 0, tzinfo=UTC)),
        # New York goes to summer time on 8 March 2026: nine o'clock stays nine o'clock.
        (datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 3, 20, 13, 0, tzinfo=UTC)),
        (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 13, 14, 0, tzinfo=UTC)),
    ],
)
def test_the_cadence_keeps_the_hour_of_the_publication_through_summer_time(
    after: datetime, expected: datetime
) -> None:
    rule = cadence.Cadence(
        every=2,
        unit=cadence.Unit.WEEKS,
        first=date(2022, 1, 14),
        at=time(9),
        zone=ZoneInfo("America/New_York"),
        weekday=4,
    )
    days = triggers.on_issue_days(rule)
    fired = days.get_next_fire_time(None, after)
    while fired < after:
        fired = days.get_next_fire_time(fired, after)
    assert fired == expected
    assert next(rule.all_days(after.date())) == expected.date()
