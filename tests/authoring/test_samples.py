"""The sample issues that travel with the program are finished work."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.authoring import issue_files
from newsletter.domain import issues

SAMPLES = Path(__file__).parents[2] / "issues"


@pytest.mark.parametrize("name", ["1.1", "1.2", "vol-1-2.ja"])
def test_a_sample_issue_is_finished_and_has_nothing_to_mend(name: str) -> None:
    path = issue_files.find(SAMPLES, name)
    issue = issue_files.read(path, title="Digest")
    assert issue_files.problems(path) == []
    assert (len(issue.entries), issue.status) == (5, issues.Status.READY)
    assert issue.hero is not None
    assert (path.parent / issue.hero.src).is_file()
