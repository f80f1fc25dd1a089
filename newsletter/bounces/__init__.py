"""Mails that come back: bounces, complaints, robots, unsubscriptions and people."""

from newsletter.bounces.reading import examine, read
from newsletter.bounces.report import Cause, Kind, Recipient, Report, Verdict

__all__ = ["Cause", "Kind", "Recipient", "Report", "Verdict", "examine", "read"]
