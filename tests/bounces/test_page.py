"""docs/bounces.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "bounces.md"
ROOM = Path(__file__).parents[2] / "newsletter" / "bounces"


def test_the_examples_run() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), {})


def test_every_module_it_names_exists() -> None:
    steps = re.findall(
        r"^\d\. (.*?)(?=^\d\. |^$)", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    named = {name for step in steps for name in re.findall(r"`(\w+)`", step)}
    assert len(named) > 6
    assert {name for name in named if not (ROOM / f"{name}.py").exists()} == set()
