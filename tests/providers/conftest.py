"""The event loops that providers are tested on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest

#: Speak to sockets themselves, and so meet the loops' own ways.
_ON_BOTH = {"test_smtp.py", "test_smtp_faults.py"}


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Have what speaks to sockets tested on both loops that mailings can be sent on."""
    import uvloop

    if item.path.name in _ON_BOTH:
        return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}
    return {"asyncio": asyncio.new_event_loop}
