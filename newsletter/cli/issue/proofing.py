"""`issue check`, `render` and `test`: look at an issue before anybody else does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import invocation, nouns, output
from newsletter.cli.issue.group import Issue, app, path_of
from newsletter.domain import errors, findings, verdicts

if TYPE_CHECKING:
    from newsletter import wiring
    from newsletter.checking import link_health
    from newsletter.domain import issues
    from newsletter.sending import proofs

Only = Annotated[
    list[str] | None,
    typer.Option("--only", metavar="RULE", help="Look at this rule or family alone; may be repeated."),
]
Skip = Annotated[
    list[str] | None,
    typer.Option("--skip", metavar="RULE", help="Leave this rule or family out; may be repeated."),
]

#: How findings are told: to people, to scripts, as annotations of a change.
_FORMATS = ("text", "json", "github")


@app.command(
    epilog=nouns.example(
        "newsletter issue check next",
        "newsletter issue check 2.23 --format github",
        "newsletter issue check next --links --strict",
        "newsletter issue check --explain placeholder-link",
    )
)
def check(  # noqa: PLR0913, PLR0917 - one parameter an option
    ctx: typer.Context,
    issue: Annotated[list[str] | None, typer.Argument(metavar="ISSUE…", help="The issues to check.")] = None,
    only: Only = None,
    skip: Skip = None,
    form: Annotated[str, typer.Option("--format", help="text, json or github (annotations).")] = "text",
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 1 on warnings too.")] = False,
    links: Annotated[
        bool, typer.Option("--links", help="Ask the web servers whether every linked page is there.")
    ] = False,
    explain: Annotated[str, typer.Option(metavar="RULE", help="Say what a rule is for, and stop.")] = "",
) -> None:
    """Find everything that is to be mended in an issue; exit code 1 where any of it is an error."""
    if explain:
        from newsletter import checking

        output.line(checking.explain(checking.rule(explain)))
        return
    if not issue:
        raise errors.UsageError("no issue is named", hint="newsletter issue check next")
    if form not in _FORMATS:
        raise errors.UsageError(f"there is no format “{form}”", hint="write text, json or github")
    house = invocation.of(ctx).app
    paths = [path_of(house, name) for name in issue]
    answers = _ask(house, paths) if links else {}
    found = {
        path: house.press.findings(path, only=only or (), skip=skip or (), answers=answers) for path in paths
    }
    _report(found, form, house.press)
    grave = {findings.Severity.ERROR} | ({findings.Severity.WARNING} if strict else set())
    if any(one.severity in grave for group in found.values() for one in group):
        raise typer.Exit(1)


def _ask(house: wiring.App, paths: Sequence[Path]) -> Mapping[str, link_health.Answer]:
    """Ask after the links of some issues, a bar on stderr telling how far it is."""
    urls = list(dict.fromkeys(url for path in paths for url in house.press.links(path)))
    with output.progress("links", total=len(urls)) as advance:
        return house.asker().ask(urls, told=lambda _: advance(1))


def _report(found: dict[Path, list[findings.Finding]], form: str, press: proofs.Press) -> None:
    from newsletter import checking

    if form != "text":
        if text := checking.report([one for group in found.values() for one in group], form):
            output.line(text)
        return
    colour = output.paint("x", output.RED) != "x"
    for path, group in _by_file(found):
        output.line(output.paint(str(path), "1"))
        issue, lines = _quoted(path, press)
        output.line(checking.report(group, "text", issue=issue, lines=lines, colour=colour))


def _by_file(
    found: Mapping[Path, Sequence[findings.Finding]],
) -> Iterator[tuple[Path, Sequence[findings.Finding]]]:
    """Yield the findings of each issue file, then of each other that came with it: editions, templates."""
    for path, group in found.items():
        files: dict[str, list[findings.Finding]] = {str(path): []}
        for one in group:
            files.setdefault(one.path or str(path), []).append(one)
        yield from ((Path(name), those) for name, those in files.items())


def _quoted(path: Path, press: proofs.Press) -> tuple[issues.Issue | None, Sequence[str]]:
    """Return what a report quotes from, as far as the file can be read."""
    try:
        return press.read(path), path.read_text(encoding="utf-8-sig").split("\n")
    except (errors.IssueError, UnicodeDecodeError, OSError):
        return None, ()


@app.command(
    epilog=nouns.example("newsletter issue render 2.23 --out look", "newsletter issue render 2.23 --web")
)
def render(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    issue: Issue,
    *,
    html: Annotated[bool, typer.Option("--html", help="Write the HTML of the mail.")] = False,
    text: Annotated[bool, typer.Option("--text", help="Write the plain text of the mail.")] = False,
    eml: Annotated[bool, typer.Option("--eml", help="Write a sample mail.")] = False,
    web: Annotated[bool, typer.Option("--web", help="Write the web version.")] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where to write; default: rendered/ in the workspace.")
    ] = None,
    as_json: output.Json = False,
) -> None:
    """Write an issue as one reader would get it: HTML, plain text and a sample mail, unless told which."""
    from newsletter.authoring import saving

    app_ = invocation.of(ctx).app
    proof = app_.press.proof(path_of(app_, issue))
    folder = out or app_.workspace.root / "rendered"
    chosen = [name for name, is_asked in _forms(html=html, text=text, eml=eml, web=web) if is_asked]
    written = []
    for edition in proof.editions:
        for suffix in chosen:
            written.append(folder / f"{edition.issue.path.stem}{suffix}")
            saving.save(written[-1], _output(app_.press, edition, suffix))
    output.show(written, as_json=as_json, text=lambda: output.line("\n".join(map(str, written))))


def _forms(*, html: bool, text: bool, eml: bool, web: bool) -> list[tuple[str, bool]]:
    """Return each form by the end of its file name, and whether it was asked for."""
    none = not (html or text or eml or web)
    return [(".html", html or none), (".txt", text or none), (".eml", eml or none), (".web.html", web)]


def _output(press: proofs.Press, edition: proofs.Edition, suffix: str) -> bytes:
    if suffix == ".eml":
        return press.sample(edition).raw
    if suffix == ".web.html":
        return press.page(edition).encode()
    html, text = press.parts(edition)
    return (html if suffix == ".html" else text).encode()


@app.command("test", epilog=nouns.example("newsletter issue test next --to editor@example.org"))
def send_test(
    ctx: typer.Context,
    issue: Issue,
    to: Annotated[list[str], typer.Option("--to", metavar="ADDRESS", help="Who gets it; may be repeated.")],
    as_json: output.Json = False,
) -> None:
    """Send an issue to editors through the provider, with [TEST] before its subject."""
    app_ = invocation.of(ctx).app
    receipts = app_.send_trial(app_.press.proof(path_of(app_, issue)), to)
    plain = [
        {"to": to[i % len(to)], "verdict": one.verdict.kind, "reply": one.reply or one.verdict.reason}
        for i, one in enumerate(receipts)
    ]
    output.show(plain, as_json=as_json, text=lambda: _print_receipts(plain))
    if any(one.verdict.kind is not verdicts.Kind.ACCEPTED for one in receipts):
        raise typer.Exit(3)


def _print_receipts(receipts: list[dict[str, str]]) -> None:
    for one in receipts:
        output.line(
            f"{one['to']}: {one['verdict']} ({one['reply']})"
            if one["reply"]
            else f"{one['to']}: {one['verdict']}"
        )
