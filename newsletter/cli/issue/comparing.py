"""`issue diff`: what changes for the reader."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import invocation, nouns, output
from newsletter.cli.issue.group import Issue, app, path_of
from newsletter.domain import errors

if TYPE_CHECKING:
    from newsletter import wiring
    from newsletter.domain import numbering
    from newsletter.sending import reader_view

_MARKS = {"-": ("[-", "-]", output.RED), "+": ("{+", "+}", output.GREEN)}


@app.command(epilog=nouns.example("newsletter issue diff next", "newsletter issue diff 2.23 HEAD~3"))
def diff(
    ctx: typer.Context,
    issue: Issue,
    revision: Annotated[
        str,
        typer.Argument(
            metavar="REV", help="A git revision, “approved” or “sent”; default: approved, else HEAD."
        ),
    ] = "",
    as_json: output.Json = False,
) -> None:
    """Show what changes for the reader, word by word, links included; exit code 0 either way."""
    from newsletter.sending import reader_view

    app_ = invocation.of(ctx).app
    path = path_of(app_, issue)
    proof = app_.press.proof(path)
    old = _old(app_, path, proof.number, revision)
    changes = reader_view.compare(old, reader_view.lines(proof.templates))
    plain = [[{"sign": one.sign, "text": one.text} for one in line] for line in changes]
    output.show(plain, as_json=as_json, text=lambda: _print(changes))


def _old(app_: wiring.App, path: Path, number: numbering.IssueNumber, revision: str) -> list[str]:
    from newsletter.sending import versions

    folder = app_.workspace.issues
    if revision == "sent":
        mailing = app_.ledger.mailing(number)
        if mailing is None:
            raise errors.MailingError(
                f"{number.label} was not sent", hint=f"newsletter issue diff {number} HEAD"
            )
        return versions.sent(app_.ledger.template(mailing.id))
    if revision == "approved":
        return versions.approved(folder, number)
    if not revision:
        try:
            return versions.approved(folder, number)
        except errors.ApprovalError:
            revision = "HEAD"
    return versions.at_revision(app_.press, path, revision)


def _print(changes: list[list[reader_view.Change]]) -> None:
    if not changes:
        output.line("Nothing changes for the reader.")
    for line in changes:
        output.line("".join(_marked(one) for one in line))


def _marked(change: reader_view.Change) -> str:
    if change.sign == " ":
        return change.text
    start, end, colour = _MARKS[change.sign]
    painted = output.paint(change.text, colour)
    return painted if painted != change.text else f"{start}{change.text}{end}"
