"""A browser for the tests: Debian's Chromium, driven by Playwright; nothing is downloaded."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: Screenshots are kept here for people to look at; git does not see them.
ARTEFACTS = Path(__file__).parents[1] / "artefacts"


@contextlib.contextmanager
def running() -> Iterator[Browser]:
    """Start a browser; skip where there is none on a desk, fail where CI is set."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        message = "no Chromium was found on the PATH: apt install chromium"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found)
        yield browser
        browser.close()


def artefact(name: str) -> Path:
    """Return where a screenshot of this name is kept."""
    ARTEFACTS.mkdir(exist_ok=True)
    return ARTEFACTS / name
