"""The wheel works without the repository: in an empty environment, from another folder."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this source."""
    folder = tmp_path_factory.mktemp("dist")
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(folder),
        str(REPOSITORY),
    ]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`newsletter`, installed as a stranger does, at the pinned versions."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check", "install"]
    pins = REPOSITORY / "constraints" / "runtime.txt"
    subprocess.run([*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(pins)], check=True)
    subprocess.run([*pip, "--no-index", str(wheel)], check=True)
    return folder / "bin" / "newsletter"


def run(program: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(cwd)}
    return subprocess.run(
        [program, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


def test_templates_samples_and_settings_travel_in_the_wheel(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    for source, target in (("templates", "newsletter/_theme"), ("issues", "newsletter/_samples")):
        files = [
            path
            for path in (REPOSITORY / source).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        ]
        assert files
        assert {f"{target}/{path.relative_to(REPOSITORY / source)}" for path in files} <= names
    assert "newsletter/cli/newsletter.toml.in" in names
    assert "newsletter/py.typed" in names
    assert not [name for name in names if name.startswith("tests/") or "__pycache__" in name]


def test_a_workspace_can_be_made_with_an_installed_wheel(program: Path, tmp_path: Path) -> None:
    made = run(
        program,
        "init",
        "digest",
        "--title",
        "T",
        "--from",
        "news@example.org",
        "--eject-templates",
        cwd=tmp_path,
    )
    assert made.returncode == 0, made.stderr
    assert (tmp_path / "digest" / "templates" / "digest.mjml.j2").is_file()
    listed = run(program, "issue", "list", "--json", cwd=tmp_path / "digest")
    assert listed.returncode == 0, listed.stderr


def test_the_demo_holds_with_an_installed_wheel(program: Path, tmp_path: Path) -> None:
    told = run(program, "demo", "--out", str(tmp_path / "demo"), cwd=tmp_path)
    assert told.returncode == 0, told.stdout + told.stderr
    assert "Every step held" in told.stdout
