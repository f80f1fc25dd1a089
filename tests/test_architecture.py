"""The house stands as docs/architecture.md draws it."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
PACKAGE = REPOSITORY / "newsletter"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "versions" not in path.parts)
BANNED = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "base",
    "core",
    "manager",
    "service",
    "models",
}
LONGEST_MODULE = 400
LONGEST_FUNCTION = 40


def name_of(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports_of(path: Path) -> Iterator[str]:
    """Yield the dotted name of everything a file imports, wherever in it, absolute."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_files_were_found() -> None:
    assert len(MODULES) > 20


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_module_outgrows_its_reader(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_no_function_outgrows_a_screen(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= LONGEST_FUNCTION, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_is_named_for_what_it_holds(path: Path) -> None:
    assert not BANNED & set(path.relative_to(PACKAGE).with_suffix("").parts)


@pytest.mark.parametrize("path", sorted((PACKAGE / "domain").rglob("*.py")), ids=name_of)
def test_the_domain_needs_nothing_but_python(path: Path) -> None:
    for name in imports_of(path):
        top = name.split(".")[0]
        assert top in sys.stdlib_module_names or name.startswith("newsletter.domain"), name


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.relative_to(PACKAGE).parts[0] in {"cli", "web"}], ids=name_of
)
def test_commands_and_pages_reach_stores_and_providers_through_the_wiring_alone(path: Path) -> None:
    concrete = re.compile(r"newsletter\.(store|providers|queues)\b")
    assert not [name for name in imports_of(path) if concrete.match(name)]


IMPORT_EACH = """
import os, sys

for heavy in ("pydantic_settings", "typer", "sqlmodel", "fastapi", "jinja2", "alembic"):
    __import__(heavy)
failed = []
for name in sys.argv[1:]:
    # A process of its own for every module: none may rest on what another one imported before it.
    if child := os.fork():
        if os.waitpid(child, 0)[1]:
            failed.append(name)
        continue
    __import__(name)
    os._exit(0)
sys.exit(f"failed: {failed}" if failed else 0)
"""


def test_every_module_can_be_imported_alone_in_an_empty_environment(tmp_path: Path) -> None:
    names = [
        name_of(path) for path in MODULES if path.name != "__main__.py" and "migrations" not in path.parts
    ]
    result = subprocess.run(
        [sys.executable, "-c", IMPORT_EACH, *names],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert not list(tmp_path.iterdir()), "an import wrote files"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    lint = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [lint, "--no-cache"], cwd=folder, env={"PYTHONPATH": "."}, capture_output=True, text=True, check=False
    )


def test_the_import_contracts_hold() -> None:
    result = lint_imports(REPOSITORY)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("domain/words.py", "import newsletter.ports", "Imports only go down"),
        ("ports/words.py", "import newsletter.settings", "Imports only go down"),
        ("settings/words.py", "import newsletter.wiring", "Imports only go down"),
        ("wiring/words.py", "import newsletter.cli.output", "Imports only go down"),
        ("rendering/words.py", "import newsletter.checking.words", "Imports only go down"),
        ("sending/words.py", "import newsletter.subscribing.words", "Imports only go down"),
        ("store/words.py", "import newsletter.providers.words", "Imports only go down"),
        ("attic/words.py", "import newsletter.domain", "Imports only go down"),
        ("settings/words.py", "import sqlalchemy", "Only store and queues speak SQL"),
        ("cli/words.py", "from sqlmodel import Session", "Only store and queues speak SQL"),
        ("sending/words.py", "import httpx", "speak HTTP"),
        ("authoring/words.py", "import httpx", "speak HTTP"),
    ],
)
def test_the_import_contracts_would_notice(tmp_path: Path, file: str, line: str, contract: str) -> None:
    shutil.copytree(PACKAGE, tmp_path / "newsletter", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    for name in (file, *re.findall(r"newsletter\.(\w+)\.words", line)):
        path = tmp_path / "newsletter" / (name if name.endswith(".py") else f"{name}/words.py")
        path.parent.mkdir(exist_ok=True)
        (path.parent / "__init__.py").touch()
        path.touch()
    target = tmp_path / "newsletter" / file
    target.write_text(target.read_text() + f"\n{line}\n")
    result = lint_imports(tmp_path)
    broken = [text for text in result.stdout.splitlines() if " BROKEN" in text]
    assert result.returncode == 1, result.stdout
    assert len(broken) == 1
    assert contract in broken[0]
