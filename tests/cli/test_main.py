"""The frame of the command line: help, errors, exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
import typer

import newsletter
from newsletter.cli import invocation, nouns, output
from newsletter.domain import errors
from tests.cli.conftest import Run

Noun = Callable[[Callable[[typer.Context], None]], None]


@pytest.fixture
def noun(monkeypatch: pytest.MonkeyPatch) -> Noun:
    """Register a command for the time of a test, as a file of cli/ would."""

    def register(function: Callable[[typer.Context], None]) -> None:
        module = types.ModuleType("newsletter.cli.trial")
        module.app = app = nouns.command()  # type: ignore[attr-defined]  # modules take any name

        @app.command()
        def act(ctx: typer.Context) -> None:
            function(ctx)

        # The table is what a new noun is written into; the test takes its line out again.
        monkeypatch.setitem(nouns.NOUNS, "trial", nouns.Noun(module=module.__name__, help="Try."))
        monkeypatch.setitem(sys.modules, module.__name__, module)

    return register


RUN_AND_LIST_MODULES = """
import sys
from newsletter.cli import main
try:
    main.run(sys.argv[1:])
finally:
    print(*sys.modules, file=sys.stderr)
"""


def run_and_list_modules(*arguments: str) -> tuple[str, set[str]]:
    """Return what a command line printed, and the modules that it imported."""
    command = [sys.executable, "-c", RUN_AND_LIST_MODULES, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return result.stdout, set(result.stderr.split())


def test_listing_issues_pays_for_no_room_that_it_does_not_enter() -> None:
    printed, modules = run_and_list_modules("-C", str(Path(__file__).parent), "issue", "list")
    assert "vol-1-1.md" in printed
    heavy = {
        "pydantic_settings",
        "rich",
        "jinja2",
        "sqlalchemy",
        "asyncio",
        "fastapi",
        "mjml",
        "lxml",
        "httpx",
    }
    assert not heavy & modules


def test_the_help_lists_every_noun_with_its_line_and_imports_none() -> None:
    printed, modules = run_and_list_modules("--help")
    for name, noun in nouns.NOUNS.items():
        assert f"{name} " in printed
        assert noun.help in printed
        assert noun.module not in modules
    heavy = {"pydantic", "rich", "jinja2", "sqlalchemy", "asyncio", "fastapi"}
    assert not heavy & modules


def test_the_version_is_the_package_s(run: Run) -> None:
    assert run("--version").out == f"newsletter {newsletter.__version__}\n"


def test_a_mistyped_noun_is_a_usage_error_with_the_nearest_one(run: Run) -> None:
    result = run("isue")
    assert result.code == 2
    assert "Did you mean 'issue'" in result.err


def test_an_error_becomes_one_line_and_a_hint_on_stderr(run: Run, noun: Noun) -> None:
    def fail(ctx: typer.Context) -> None:
        raise errors.MailingError("no such mailing", hint="newsletter mailing status")

    noun(fail)
    result = run("trial")
    assert (result.code, result.out) == (1, "")
    assert result.err == "Error: no such mailing\nHint: newsletter mailing status\n"


def test_debug_shows_where_an_error_came_from(run: Run, noun: Noun) -> None:
    def fail(ctx: typer.Context) -> None:
        raise errors.MailingError("no such mailing")

    noun(fail)
    assert "Traceback" not in run("trial").err
    assert "Traceback" in run("--debug", "trial").err


def test_a_fault_of_ours_says_so_and_how_to_see_it(run: Run, noun: Noun) -> None:
    def fail(ctx: typer.Context) -> None:
        raise ZeroDivisionError("division by zero")

    noun(fail)
    result = run("trial")
    assert result.code == 1
    assert "ZeroDivisionError: division by zero" in result.err
    assert "--debug" in result.err
    assert "Traceback" not in result.err


def test_a_question_that_nobody_can_answer_is_a_usage_error(run: Run, noun: Noun) -> None:
    noun(lambda ctx: output.confirm("Send to 3 people?"))
    result = run("trial")
    assert result.code == 2
    assert "--yes" in result.err


def test_ctrl_c_leaves_with_130_and_a_word(run: Run, noun: Noun) -> None:
    def interrupted(ctx: typer.Context) -> None:
        raise KeyboardInterrupt

    noun(interrupted)
    result = run("trial")
    assert result.code == 130
    assert "Ctrl-C" in result.err


def test_the_workspace_is_found_from_any_folder_below_it(
    run: Run, noun: Noun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noun(lambda ctx: output.line(str(invocation.of(ctx).app.workspace.root)))
    (tmp_path / "newsletter.toml").touch()
    deep = tmp_path / "issues" / "inbox"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert run("trial").out == f"{tmp_path}\n"
    monkeypatch.chdir("/")
    assert run("-C", deep, "trial").out == f"{tmp_path}\n"


def test_no_workspace_is_an_error_that_says_how_to_make_one(run: Run, noun: Noun, tmp_path: Path) -> None:
    noun(lambda ctx: output.line(str(invocation.of(ctx).app.workspace.root)))
    result = run("-C", tmp_path, "trial")
    assert result.code == 1
    assert str(tmp_path) in result.err
    assert "newsletter init" in result.err
    result = run("-C", tmp_path / "gone", "trial")
    assert result.code == 1
    assert "no such folder" in result.err


def test_the_module_can_be_run() -> None:
    command = [sys.executable, "-m", "newsletter", "--version"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=dict(os.environ))
    assert result.stdout.startswith("newsletter ")
