"""When the clock strikes: every so often, and on every issue day in the publication's own zone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from newsletter.domain import cadence as cadences


def every(interval: timedelta) -> Any:
    """Return the APScheduler trigger of something done every so often."""
    from apscheduler.triggers.interval import IntervalTrigger

    return IntervalTrigger(seconds=interval.total_seconds())


def on_issue_days(cadence: cadences.Cadence) -> Any:
    """Return the APScheduler trigger of a cadence: whole days in the publication's own zone, DST and all.

    Raises:
        NewsletterError: the cadence has no first day to count from.
    """
    from apscheduler.triggers.calendarinterval import CalendarIntervalTrigger

    return CalendarIntervalTrigger(
        **{cadence.unit.value: cadence.every},
        start_date=cadence.day(0),
        hour=cadence.at.hour,
        minute=cadence.at.minute,
        timezone=cadence.zone,
    )
