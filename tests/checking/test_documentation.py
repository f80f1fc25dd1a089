"""docs/checks.md lists the rules as they are."""

from __future__ import annotations

import runpy
from pathlib import Path

WRITER = runpy.run_path(str(Path(__file__).parents[2] / "docs" / "write_checks.py"))


def test_the_list_of_rules_is_what_the_rules_say() -> None:
    page = WRITER["PAGE"].read_text(encoding="utf-8")
    assert WRITER["written"](page) == page, "run `make docs`"
