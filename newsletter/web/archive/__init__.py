"""The archive: every issue that went out, for everybody, with search, topics and feeds."""

from __future__ import annotations

from newsletter.web.archive.reading_room import router

__all__ = ["router"]
