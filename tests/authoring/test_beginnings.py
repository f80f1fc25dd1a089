"""A new issue begins with its number, its date and the settings of the last one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from newsletter.authoring import beginnings, issue_files
from newsletter.domain import errors, issues, numbering

LAST = """---
volume: 1
number: 9
date: 2026-11-06
title: "Harbour: notes"
layout: letter
status: ready
closing: |
  Written here.

  And there.
---
Text.
"""


def test_a_new_issue_is_a_draft_that_can_be_previewed_and_not_be_sent(tmp_path: Path) -> None:
    path = beginnings.begin(tmp_path, numbering.IssueNumber(1, 10), date(2026, 11, 20))
    issue = issue_files.read(path, title="Harbour Notes")
    assert path.name == "vol-1-10.md"
    assert (str(issue.number), issue.date, issue.status) == ("1.10", date(2026, 11, 20), issues.Status.DRAFT)
    assert {one.rule for one in issue_files.problems(path)} == {"unfinished"}


def test_the_settings_of_the_last_issue_are_the_defaults_of_the_next(tmp_path: Path) -> None:
    (tmp_path / "vol-1-9.md").write_text(LAST)
    last = issue_files.read(tmp_path / "vol-1-9.md")
    path = beginnings.begin(tmp_path, numbering.IssueNumber(1, 10), date(2026, 11, 20), last=last)
    issue = issue_files.read(path)
    assert (issue.title, issue.layout) == ("Harbour: notes", issues.Layout.LETTER)
    assert issue.closing == "Written here.\n\nAnd there."
    assert issue.status is issues.Status.DRAFT


def test_a_new_issue_never_replaces_one_that_is_there(tmp_path: Path) -> None:
    beginnings.begin(tmp_path, numbering.IssueNumber(1, 1), date(2026, 11, 20))
    with pytest.raises(errors.WorkspaceError, match="there already"):
        beginnings.begin(tmp_path, numbering.IssueNumber(1, 1), date(2026, 11, 20))
