"""Options given as text, or not at all, need no pydantic; all others are what Typer makes of them."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from newsletter.cli import coercion

seen: dict[str, Any] = {}


def made() -> typer.Typer:
    app = typer.Typer(rich_markup_mode=None)

    @app.command()
    def act(
        *,
        text: Annotated[str, typer.Argument()] = "none",
        option: Annotated[str | None, typer.Option()] = None,
        count: Annotated[int, typer.Option(min=1)] = 3,
        day: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"])] = None,
        file: Annotated[Path | None, typer.Option()] = None,
        names: Annotated[list[str] | None, typer.Option("--name")] = None,
        loud: Annotated[bool, typer.Option("--loud")] = False,
    ) -> None:
        seen.update(locals())

    return app


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["words", "--option", "5", "--loud"],
        ["--count", "7", "--day", "2026-01-09", "--file", "x.md", "--name", "a", "--name", "b"],
    ],
)
def test_values_are_what_typer_makes_of_them(arguments: list[str]) -> None:
    found = []
    for defer in (False, True):
        command = typer.main.get_command(made())
        if defer:
            coercion.defer(command)
        seen.clear()
        command.main(args=arguments, standalone_mode=False)
        found.append(dict(seen))
    assert found[0] == found[1]
    assert len(found[1]) == 7


@pytest.mark.parametrize("arguments", [["--count", "0"], ["--count", "x"], ["--day", "9 January"]])
def test_what_typer_refuses_is_refused(arguments: list[str]) -> None:
    command = typer.main.get_command(made())
    coercion.defer(command)
    with pytest.raises(typer._click.exceptions.BadParameter):
        command.main(args=arguments, standalone_mode=False)


def test_listing_issues_imports_neither_pydantic_nor_the_ports(tmp_path: Path) -> None:
    (tmp_path / "newsletter.toml").write_text("")
    program = (
        "import contextlib, sys\nfrom newsletter.cli import main\n"
        f"with contextlib.suppress(SystemExit): main.run(['-C', {str(tmp_path)!r}, 'issue', 'list'])\n"
        "print(sorted({'pydantic', 'newsletter.ports', 'jinja2', 'sqlalchemy'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"
