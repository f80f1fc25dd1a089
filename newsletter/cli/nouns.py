"""The table of nouns, and the group that imports a noun's file only when that noun is typed.

To add a noun: write `newsletter/cli/<noun>.py` with a module-level `app`, and one line in `NOUNS` below.

    app = nouns.group("issue")                                  # `newsletter issue list`, `issue new`, …

    @app.command("list", epilog=nouns.example("newsletter issue list --json"))
    def list_(ctx: typer.Context, as_json: output.Json = False) -> None:
        '''List the issues with their number, date and status.'''
        issues = invocation.of(ctx).app.issues()                # one use case, found through wiring
        output.show(issues, as_json=as_json, text=…)

A noun that is a single command (`newsletter init`) takes `app = nouns.command()` and decorates one function
with `@app.command(…)`. Every command has a docstring, `help=` on every option, and an `epilog` example: tests
check all three, and that the example parses. Nothing heavy is imported at the top of a noun's file.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

from newsletter.cli import coercion, output

if TYPE_CHECKING:
    from typer._click import Command


INTERRUPTED = 130  # 128 + SIGINT, what a shell reports


@dataclass(frozen=True, kw_only=True)
class Noun:
    """One word after `newsletter`: the file behind it and the line `newsletter --help` shows for it."""

    module: str
    help: str


NOUNS: dict[str, Noun] = {
    "init": Noun(
        module="newsletter.cli.init", help="Make a workspace: settings, folders, keys and database."
    ),
    "demo": Noun(
        module="newsletter.cli.demo",
        help="Do the whole job once, from writing to the account of it.",
    ),
    "issue": Noun(module="newsletter.cli.issue", help="Write, check, render and approve issues."),
    "inbox": Noun(module="newsletter.cli.inbox", help="Collect the sources of the next issue."),
    "calendar": Noun(module="newsletter.cli.calendar", help="Show the issues and deadlines to come."),
    "subscriber": Noun(module="newsletter.cli.subscriber", help="Keep the subscribers and their consent."),
    "audience": Noun(
        module="newsletter.cli.audience", help="Say who is in an audience, and why others are not."
    ),
    "suppression": Noun(
        module="newsletter.cli.suppression", help="Keep addresses and domains that must not be mailed."
    ),
    "mailing": Noun(module="newsletter.cli.mailing", help="Plan, send and account for mailings."),
    "provider": Noun(
        module="newsletter.cli.provider", help="Show what mail goes out through, and what to arrange with it."
    ),
    "feedback": Noun(
        module="newsletter.cli.feedback", help="Take in what the world reports about mails that were sent."
    ),
    "serve": Noun(module="newsletter.cli.serve", help="Run the public pages and the scheduler."),
    "web": Noun(
        module="newsletter.cli.web", help="Write the archive as files, and the form for other sites."
    ),
    "theme": Noun(module="newsletter.cli.theme", help="Show how issues look, and how well they can be read."),
    "upgrade": Noun(module="newsletter.cli.upgrade", help="Bring the database to this version's tables."),
    "doctor": Noun(module="newsletter.cli.doctor", help="Look at all that a mailing depends on."),
}


class NounGroup(TyperGroup):
    """List every noun from the table, and import the file of the one that is invoked."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        for name, noun in NOUNS.items():
            self.commands[name] = TyperCommand(name=name, help=noun.help)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Command | None, list[str]]:
        """Replace the listed stand-in by the real command of its file."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, (load(name) if name in NOUNS else command), rest

    def invoke(self, ctx: Any) -> Any:
        """Run the command; say so when Ctrl-C ended it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            output.complain(
                "stopped by Ctrl-C",
                hint="what was finished stays finished; the same command goes on from there",
            )
            raise typer.Exit(INTERRUPTED) from None


def load(name: str) -> Command:
    """Import the file behind `name` and return its command or group, under that name."""
    module = importlib.import_module(NOUNS[name].module)
    command = typer.main.get_command(module.app)
    command.name = name
    coercion.defer(command)
    return command


def group(name: str) -> typer.Typer:
    """Return the Typer app of a noun with sub-commands, its help taken from the table."""
    app = typer.Typer(
        help=NOUNS[name].help, no_args_is_help=True, add_completion=False, rich_markup_mode=None
    )
    # A callback keeps Typer from folding a group of one command into that command.
    app.callback()(lambda: None)
    return app


def command() -> typer.Typer:
    """Return the Typer app of a noun that is a single command."""
    return typer.Typer(add_completion=False, rich_markup_mode=None)


def example(*lines: str) -> str:
    """Return an epilog that shows `lines` as typed, unwrapped."""
    return "\b\n" + "\n".join(
        ["Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)]
    )
