"""The seams: what the floors above the port may ask of a provider, a ledger, a directory, a queue, a clock.

Protocols and nothing else. Every implementation passes the suite of its port in ``tests/contract``.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from newsletter.ports.directory import Directory
from newsletter.ports.ledger import LEASE, Audience, Lease, Ledger, MailingDraft
from newsletter.ports.providers import Feed, Limits, Provider
from newsletter.ports.queue import Queue

__all__ = [
    "LEASE",
    "Audience",
    "Clock",
    "Directory",
    "Feed",
    "Lease",
    "Ledger",
    "Limits",
    "MailingDraft",
    "Provider",
    "Queue",
]

#: The time now, with a zone.
Clock = Callable[[], datetime]
