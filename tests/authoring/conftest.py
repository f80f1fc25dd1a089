"""What the editors' desk needs: a press to clip from, an inbox to clip into."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.authoring import downloads, gathering, inbox
from tests.authoring import press as presses

TODAY = datetime.date(2026, 11, 20)


@pytest.fixture
def press() -> Iterator[presses.Press]:
    with presses.running() as running:
        yield running


@pytest.fixture
def gatherer(tmp_path: Path) -> Iterator[gathering.Gatherer]:
    downloader = downloads.Downloader(downloads.Limits(allow_private=True))
    yield gathering.Gatherer(
        into=inbox.Inbox(tmp_path / "inbox"), downloader=downloader, today=TODAY, own="digest.example.org"
    )
    downloader.close()
