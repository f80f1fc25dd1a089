"""Mails that come back: bounces, complaints, robots, unsubscriptions and people."""

from newsletter.bounces.reading import examine, read
from newsletter.bounces.report import Kind, Recipient, Report, Verdict
from newsletter.bounces.telling import events

__all__ = ["Kind", "Recipient", "Report", "Verdict", "events", "examine", "read"]
