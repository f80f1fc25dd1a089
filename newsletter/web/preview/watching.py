"""Watches the files that an issue is made of, and develops it at each save."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from newsletter.web.preview import studio

#: Milliseconds: editors write a file in one go, or write beside and rename; both are over in this time.
_STEP, _DEBOUNCE = 10, 60
_SETTINGS = frozenset({"newsletter.toml", "glossary.toml", ".env"})
_SUFFIXES = frozenset({".md", ".j2", ".toml", ".png", ".jpg", ".jpeg", ".gif", ".html"})


async def watch(easel: studio.Studio, *, root: Path, folders: Sequence[Path], stop: asyncio.Event) -> None:
    """Develop the issue anew after each change, until told to stop."""
    existing = [folder for folder in dict.fromkeys(folders) if folder.is_dir()]
    await asyncio.gather(
        _watch(easel, existing, recursive=True, stop=stop), _watch(easel, [root], recursive=False, stop=stop)
    )


async def _watch(
    easel: studio.Studio, paths: Sequence[Path], *, recursive: bool, stop: asyncio.Event
) -> None:
    import watchfiles

    def concerns(_change: watchfiles.Change, path: str) -> bool:
        return Path(path).name in _SETTINGS if not recursive else Path(path).suffix in _SUFFIXES

    async for changes in watchfiles.awatch(
        *paths,
        watch_filter=concerns,
        debounce=_DEBOUNCE,
        step=_STEP,
        recursive=recursive,
        stop_event=stop,
    ):
        settings_changed = any(Path(path).name in _SETTINGS for _, path in changes)
        await asyncio.to_thread(easel.develop, settings_changed=settings_changed)
        await easel.ring()
