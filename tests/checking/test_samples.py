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


@pytest.mark.parametrize("mark", ["\u2028", "\x0b", "\x85", "\x1d"])
def test_only_what_ends_a_line_for_an_editor_counts_as_one(tmp_path: Path, mark: str) -> None:
    text = desk.CLEAN.replace("one timetable.", f"one{mark}timetable.").replace("[published]", "[click here]")
    path = desk.write(tmp_path, "")
    path.write_bytes(text.replace("\n", "\r\n").encode())
    (finding,) = press(tmp_path).findings(path, only=["link-generic"])
    assert finding.line == desk.line_of(text, "click here")


@pytest.mark.parametrize("longer", ["opening-day", "opening/day", "opening?day=1", "openings"])
def test_a_finding_about_a_link_does_not_stand_at_a_longer_address(tmp_path: Path, longer: str) -> None:
    text = desk.CLEAN.replace("ports.example.org/timetable", f"bridge.example.org/{longer}")
    text = text.replace("[opened]", "[click here]")
    (finding,) = press(tmp_path).findings(desk.write(tmp_path, text), only=["link-generic"])
    assert (finding.line, finding.entry) == (
        desk.line_of(text, "click here"),
        "bridge-opens-ahead-of-schedule",
    )


def test_an_address_that_is_not_ascii_is_told_once_where_it_stands(tmp_path: Path) -> None:
    text = desk.CLEAN.replace("https://bridge.example.org/opening", "http://bridge.example.org/橋")
    found = press(tmp_path).findings(desk.write(tmp_path, text), only=["url-http"])
    assert [finding.line for finding in found] == [desk.line_of(text, "/橋")]
    found = press(tmp_path).findings(
        desk.write(tmp_path, text.replace("[opened]", "[click here]")), only=["link-generic"]
    )
    assert [finding.line for finding in found] == [desk.line_of(text, "/橋")]


def test_an_issue_with_everything_in_it_leaves_the_theme_without_a_finding(tmp_path: Path) -> None:
    from tests.checking import baseline

    for layout in issues.Layout:
        path = desk.write(tmp_path, baseline.EVERYTHING.format(layout=layout))
        rules = [rule.id for rule in checking.rules() if rule.family == "accessibility"]
        assert checking.report(press(tmp_path).findings(path, only=rules)) == "nothing found"
