"""Start the command line: global options, and the one boundary where errors become text and exit codes."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

import newsletter
from newsletter.cli import coercion, nouns, output
from newsletter.cli.invocation import Invocation, of
from newsletter.domain import errors

FAULT = "this is a fault of newsletter itself; `newsletter --debug …` shows where"

app = typer.Typer(
    cls=nouns.NounGroup,
    help=newsletter.__doc__,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=nouns.example(
        "newsletter init digest --title 'My Digest' --from news@example.org", "newsletter issue list"
    ),
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"newsletter {newsletter.__version__}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    directory: Annotated[
        str,
        typer.Option(
            "-C",
            "--directory",
            metavar="DIR",
            help="Work in the workspace at DIR, not the one around the current folder.",
        ),
    ] = "",
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """Draft, check, send and account for a newsletter of record."""
    invocation = of(ctx)
    invocation.directory, invocation.debug = Path(directory) if directory else None, debug


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command line (`sys.argv` by default) and leave the process with its exit code."""
    invocation = Invocation()
    try:
        command = typer.main.get_command(app)
        coercion.defer(command)
        command.main(args=arguments, prog_name="newsletter", obj=invocation)
    except errors.NewsletterError as error:
        _report(error, str(error), error.hint, debug=invocation.debug)
        sys.exit(error.exit_code)
    except Exception as error:
        _report(error, f"{type(error).__name__}: {error}", FAULT, debug=invocation.debug)
        sys.exit(1)
    finally:
        invocation.close()
    sys.exit(0)


def _report(error: Exception, message: str, hint: str, *, debug: bool) -> None:
    if debug:
        traceback.print_exception(error)
    output.complain(message, hint=hint)
