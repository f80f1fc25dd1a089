"""`newsletter theme show`: the tokens of a workspace and how well they can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Run


@pytest.fixture
def root(run: Run, tmp_path: Path) -> Path:
    """A new workspace."""
    folder = tmp_path / "digest"
    assert run("init", folder, "--title", "T", "--from", "news@example.org").code == 0
    return folder


def set_theme(root: Path, *lines: str) -> None:
    file = root / "newsletter.toml"
    text = file.read_text("utf-8").replace("[theme]\n", "[theme]\n" + "\n".join(lines) + "\n")
    file.write_text(text, "utf-8")


def test_the_tokens_and_every_contrast_are_shown(run: Run, root: Path) -> None:
    set_theme(root, 'accent = ["#005f3c", "#7fd1ae"]')
    result = run("-C", root, "theme", "show")
    assert result.code == 0
    assert "accent #005f3c  paper #ffffff" in result.out
    assert ":1" in result.out
    found = run("-C", root, "theme", "show", "--json").json
    assert found["tokens"]["accent"] == {"light": "#005f3c", "dark": "#7fd1ae"}
    assert all(one["ratio"] >= 4.5 for one in found["contrast"])


def test_a_colour_that_cannot_be_read_is_refused_with_one_that_can(run: Run, root: Path) -> None:
    set_theme(root, 'muted = ["#bbbbbb", "#a8adb4"]')
    result = run("-C", root, "theme", "show")
    assert result.code == 1
    assert "newsletter.toml:" in result.err
    assert "theme.muted" in result.err
    assert "the nearest that passes is #" in result.err


def test_every_commented_default_of_the_table_is_the_default(run: Run, root: Path) -> None:
    plain = run("-C", root, "theme", "show", "--json").json["tokens"]
    file = root / "newsletter.toml"
    head, _, table = file.read_text("utf-8").partition("[theme]\n")
    opened = "\n".join(
        line.removeprefix("# ") if " = " in line and line.startswith("# ") else line
        for line in table.split("\n")
    )
    file.write_text(f"{head}[theme]\n{opened}", "utf-8")
    assert run("-C", root, "theme", "show", "--json").json["tokens"] == plain
    assert len([line for line in opened.split("\n") if " = " in line]) == len(plain)
