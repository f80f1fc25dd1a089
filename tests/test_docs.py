"""The documentation says what the code does."""

from __future__ import annotations

import re
import runpy
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from newsletter.cli import main, nouns
from newsletter.providers import registry

REPOSITORY = Path(__file__).parent.parent
PAGES = sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").glob("**/*.md")])
WRITER = runpy.run_path(str(REPOSITORY / "docs" / "write_reference.py"))
COMMANDS: list[tuple[typer.Context, Any]] = list(WRITER["commands"]())
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())


def path_of(value: object) -> str:
    return value.command_path if isinstance(value, typer.Context) else ""


def parse(line: str) -> None:
    """Parse a command line without running it; raises what the command line would say."""
    words = shlex.split(line, comments=True)
    assert words.pop(0) == "newsletter"
    group: Any = typer.main.get_command(main.app)
    context = group.make_context("newsletter", words)
    while hasattr(group, "commands"):
        name, group, rest = group.resolve_command(context, [*context._protected_args, *context.args])
        context = group.make_context(name, rest, parent=context)


def typed_in(text: str) -> Iterator[str]:
    """Yield the lines of the code blocks of a page that a reader is meant to type."""
    for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", text, flags=re.DOTALL):
        for line in re.sub(r"\\\n\s*", "", block).splitlines():
            yield line.removeprefix("$ ").strip()


def test_the_table_of_providers_is_what_they_declare() -> None:
    writer = runpy.run_path(str(REPOSITORY / "docs" / "write_providers.py"))
    assert writer["PAGE"].read_text() == writer["page"](), "run `make docs`"
    assert writer["table"]().count("\n") == 2 + len(registry.KINDS)


def test_the_reference_is_what_the_commands_say() -> None:
    assert WRITER["REFERENCE"].read_text() == WRITER["reference"](), "run `make docs`"


@pytest.mark.parametrize(("context", "command"), COMMANDS, ids=path_of)
def test_every_command_and_option_explains_itself(context: typer.Context, command: Any) -> None:
    assert command.help
    for parameter in command.get_params(context):
        assert getattr(parameter, "help", None), f"{parameter.name} says nothing"


@pytest.mark.parametrize(
    ("context", "command"), [pair for pair in COMMANDS if not hasattr(pair[1], "commands")], ids=path_of
)
def test_every_command_shows_an_example_that_parses(context: typer.Context, command: Any) -> None:
    lines = [line.strip() for line in (command.epilog or "").splitlines() if line.startswith("  ")]
    assert lines
    assert any(line.startswith(context.command_path) for line in lines)
    for line in lines:
        if line.startswith("newsletter"):
            parse(line)


@pytest.mark.parametrize("name", nouns.NOUNS)
def test_the_line_in_the_list_is_the_line_of_the_command(name: str) -> None:
    assert (nouns.load(name).help or "").splitlines()[0] == nouns.NOUNS[name].help


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_a_page_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), flags=re.MULTILINE))
    for line in typed_in(page.read_text()):
        if line.startswith("newsletter "):
            parse(line)
        elif line.startswith("make "):
            assert line.split()[1] in targets, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


def test_every_dependency_has_its_reason() -> None:
    page = (REPOSITORY / "docs" / "dependencies.md").read_text()
    explained = {
        canonicalize_name(name.split(" ")[0])
        for cell in re.findall(r"^\| ([^|]+) \|", page, flags=re.MULTILINE)
        for name in cell.split(", ")
    }
    project = PROJECT["project"]
    groups = (
        project["dependencies"],
        *project["optional-dependencies"].values(),
        *PROJECT["dependency-groups"].values(),
    )
    needed = {canonicalize_name(Requirement(text).name) for group in groups for text in group}
    assert needed == explained - {"package", "-"}


def test_the_architecture_draws_every_room_and_no_other() -> None:
    page = (REPOSITORY / "docs" / "architecture.md").read_text()
    floors = page.partition("## 3. Floors")[2].partition("```")[2].partition("```")[0]
    drawn = set(re.findall(r"^[ \d]{3}([a-z_]+(?:/|\.py))", floors, flags=re.MULTILINE))
    package = REPOSITORY / "newsletter"
    rooms = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    assert drawn == rooms | {path.name for path in package.glob("*.py") if not path.name.startswith("__")}


def test_the_readme_leads_to_every_page() -> None:
    readme = (REPOSITORY / "README.md").read_text()
    assert [
        page.name for page in (REPOSITORY / "docs").glob("*.md") if f"(docs/{page.name})" not in readme
    ] == []
