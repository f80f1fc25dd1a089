"""What `pip install .` gives works without the repository."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `newsletter` command of a new venv that holds the wheel and its pinned dependencies."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(folder),
        str(REPOSITORY),
    )
    (wheel,) = folder.glob("newsletter-*.whl")
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv" / "bin" / "python")
    pins = str(REPOSITORY / "constraints" / "runtime.txt")
    _run(python, "-m", "pip", "install", "-q", "--require-hashes", "--only-binary", ":all:", "-r", pins)
    _run(python, "-m", "pip", "install", "-q", "--no-deps", "--no-index", str(wheel))
    return folder / "venv" / "bin" / "newsletter"


def test_the_installed_command_makes_a_workspace(installed: Path, tmp_path: Path) -> None:
    desk = tmp_path / "desk"
    told = _run(
        str(installed), "init", str(desk), "--title", "Weekly", "--from", "news@example.org", cwd=tmp_path
    )
    assert (desk / "newsletter.toml").is_file()
    assert told.count("newsletter ") >= 3
    listed = _run(str(installed), "issue", "list", cwd=desk)
    assert "issue new" in listed or listed.strip() == "" or "no issue" in listed.lower()


def test_the_installed_command_does_the_whole_demo(installed: Path, tmp_path: Path) -> None:
    told = _run(str(installed), "demo", "--out", str(tmp_path / "demo"), cwd=tmp_path)
    assert "Every step held" in told


def _run(*command: str, cwd: Path = REPOSITORY) -> str:
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "NEWSLETTER", "COVERAGE"))
    }
    done = subprocess.run(
        command, cwd=cwd, env=clean, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout
