"""The samples and the packaged theme are held to every rule that readers' issues are held to."""

from __future__ import annotations

import shutil
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from newsletter import checking
from newsletter.domain import issues
from newsletter.rendering import theme
from newsletter.sending import proofs
from tests.checking import desk

SAMPLES = Path(__file__).parents[2] / "issues"
ORIGINALS = sorted(path.name for path in SAMPLES.glob("*.md") if path.suffixes == [".md"])


def press(folder: Path) -> proofs.Press:
    return proofs.Press(
        publication=desk.PUBLICATION,
        theme=theme.packaged(),
        folder=folder,
        at=time(9),
        zone=ZoneInfo("UTC"),
        glossary=folder / "glossary.toml",
    )


def findings(folder: Path, name: str, layout: issues.Layout) -> str:
    """Check a sample, and its translations with it, in a layout that need not be its own."""
    shutil.copytree(SAMPLES, folder, dirs_exist_ok=True)
    for path in folder.glob("*.md"):
        text = path.read_text(encoding="utf-8")
        if "\nlayout:" not in text:
            path.write_text(text.replace("---\n", f"---\nlayout: {layout}\n", 1), encoding="utf-8")
    return checking.report(press(folder).findings(folder / name))


def test_there_are_samples() -> None:
    assert len(ORIGINALS) >= 2


@pytest.mark.parametrize("layout", list(issues.Layout))
@pytest.mark.parametrize("name", ORIGINALS)
def test_a_sample_has_no_finding_in_either_layout(tmp_path: Path, name: str, layout: issues.Layout) -> None:
    assert findings(tmp_path, name, layout) == "nothing found"


def test_an_issue_with_everything_in_it_leaves_the_theme_without_a_finding(tmp_path: Path) -> None:
    from tests.checking import baseline

    for layout in issues.Layout:
        path = desk.write(tmp_path, baseline.EVERYTHING.format(layout=layout))
        rules = [rule.id for rule in checking.rules() if rule.family == "accessibility"]
        assert checking.report(press(tmp_path).findings(path, only=rules)) == "nothing found"
