"""`newsletter init`: make a workspace, and say what to type next."""

from __future__ import annotations

import email.utils
import shlex
from pathlib import Path
from typing import Annotated

import typer

from newsletter import wiring
from newsletter.cli import invocation, nouns, output, workspaces
from newsletter.domain import errors
from newsletter.settings.workspace import SETTINGS_FILE

EXAMPLE = nouns.example(
    "newsletter init digest --title 'My Digest' --from 'The Editors <news@example.org>'",
    "newsletter init --title 'My Digest' --from news@example.org --eject-templates",
)
#: The option behind each setting that a person can have got wrong here.
OPTIONS = {
    "publication.title": "--title",
    "publication.url": "--url",
    "publication.language": "--language",
    "sender.email": "--from",
}

Title = Annotated[str, typer.Option("--title", help="What the publication is called.")]
From = Annotated[
    str, typer.Option("--from", metavar="ADDRESS", help="Who mails: an address, or Name <address>.")
]
Directory = Annotated[
    Path | None,
    typer.Argument(
        metavar="DIR", help="The folder, made if missing; by default that of -C, or the current one."
    ),
]
Url = Annotated[str, typer.Option("--url", help="The base of the public pages and links.")]
PostalAddress = Annotated[
    str, typer.Option("--postal-address", help="Where the publisher is; the law wants it in every mail.")
]
Language = Annotated[str, typer.Option("--language", help="The language, such as en or ja.")]
Eject = Annotated[
    bool,
    typer.Option("--eject-templates", help="Copy the packaged templates, to change them; works later too."),
]

app = nouns.command()


@app.command(epilog=EXAMPLE)
def init(  # noqa: PLR0913 - a command has as many parameters as options
    ctx: typer.Context,
    *,
    title: Title = "",
    sender: From = "",
    directory: Directory = None,
    url: Url = "http://localhost:8000",
    language: Language = "en",
    postal_address: PostalAddress = "",
    eject_templates: Eject = False,
) -> None:
    """Make a workspace: settings, folders, keys and database."""
    directory = directory or invocation.of(ctx).directory or Path()
    if eject_templates and (directory / SETTINGS_FILE).exists():
        workspaces.copy_templates(wiring.packaged_templates(), directory)
        output.line(f"{directory / 'templates'} goes before the packaged templates now.")
        return
    _require(title=title, sender=sender)
    name, address = email.utils.parseaddr(sender)
    words = {
        "title": title,
        "url": url,
        "language": language,
        "postal_address": postal_address,
        "name": name or title,
        "email": address or sender,
    }

    def fill(draft: Path) -> None:
        app = wiring.build(draft)
        _check(app)
        if eject_templates:
            workspaces.copy_templates(wiring.packaged_templates(), draft)
        app.upgrade()
        app.close()

    workspaces.make(directory, words, fill=fill)
    _say_what_is_next(directory)


def _require(*, title: str, sender: str) -> None:
    missing = [option for option, value in (("--title", title), ("--from", sender)) if not value.strip()]
    if missing:
        raise errors.UsageError(
            f"{' and '.join(missing)} must be given and not be empty",
            hint="newsletter init --title 'My Digest' --from news@example.org",
        )


def _check(app: wiring.App) -> None:
    """Read the new settings, and name the option where one of them does not hold."""
    try:
        app.settings.key()
    except errors.SettingsError as error:
        said = []
        for problem in error.problems:
            key, _, rest = problem.message.partition(": ")
            said.append(f"{OPTIONS[key]}: {rest}" if key in OPTIONS else str(problem))
        raise errors.UsageError("\n".join(said), hint="newsletter init --help shows an example") from error


def _say_what_is_next(directory: Path) -> None:
    root = directory.absolute()
    output.line(f"{root} is a workspace now. Its settings are in newsletter.toml, its secrets in .env.")
    output.line("Next:")
    here = "" if root == Path.cwd() else f"-C {shlex.quote(str(directory))} "
    for command in ("doctor", "issue new", "issue check latest"):
        output.line(f"  newsletter {here}{command}")
