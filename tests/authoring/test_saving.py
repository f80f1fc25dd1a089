"""Files are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from newsletter.authoring import saving
from newsletter.domain import errors


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.md"
    saving.save(path, "one")
    saving.save(path, "twö")
    assert path.read_text(encoding="utf-8") == "twö"
    assert list(path.parent.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    folder = tmp_path / "a.md"
    folder.mkdir()
    (folder / "inside").touch()
    with pytest.raises(errors.WorkspaceError, match="cannot be written"):
        saving.save(folder, "text")
    assert list(tmp_path.iterdir()) == [folder]


def test_a_new_file_never_replaces_one_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.md"
    path.write_text("mine")
    with pytest.raises(errors.WorkspaceError, match="there already"):
        saving.save_new(path, "other")
    assert path.read_text() == "mine"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target.md", tmp_path / "link.md"
    target.write_text("old")
    link.symlink_to(target)
    saving.save(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"
