"""`newsletter inbox`: collect the sources of the next issue."""

from __future__ import annotations

import os
import shlex
import subprocess
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import invocation, nouns, output
from newsletter.domain import errors

if TYPE_CHECKING:
    from newsletter.authoring import clippings, gathering, inbox

app = nouns.group("inbox")

Topics = Annotated[
    list[str] | None, typer.Option("--topic", metavar="TOPIC", help="What it is about; may be repeated.")
]
Name = Annotated[
    str, typer.Argument(metavar="CLIPPING", help="The name of a clipping, or a part of it that no other has.")
]


@app.command(
    epilog=nouns.example(
        "newsletter inbox clip https://example.org/ferry --topic transport",
        "newsletter inbox clip sources/*.pdf",
    )
)
def clip(
    ctx: typer.Context,
    sources: Annotated[
        list[str], typer.Argument(metavar="URL|FILE…", help="Pages, files or folders of files.")
    ],
    topic: Topics = None,
    url: Annotated[str, typer.Option(metavar="URL", help="The address that a single file came from.")] = "",
    as_json: output.Json = False,
) -> None:
    """Save sources: where they are from, what they say, and room for your words. Nothing is saved twice."""
    if url and len(sources) != 1:
        raise errors.UsageError("--url is for one file at a time")
    gatherer = invocation.of(ctx).app.gatherer()
    results = []
    for result in gatherer.clip(sources, topics=topic or (), url=url):
        results.append(result)
        if not as_json:
            _print_result(result)
    output.show([_plain_result(one) for one in results], as_json=as_json, text=lambda: None)
    if not all(hasattr(one, "path") for one in results):
        raise typer.Exit(1)


def _print_result(result: inbox.Taken | gathering.Missed) -> None:
    from newsletter.authoring import inbox

    if isinstance(result, inbox.Taken):
        output.line(f"{'there already: ' if result.known else ''}{result.path}")
    else:
        output.complain(result.reason, hint=result.hint)


def _plain_result(result: inbox.Taken | gathering.Missed) -> dict[str, object]:
    from newsletter.authoring import inbox

    if isinstance(result, inbox.Taken):
        return {"source": result.source, "path": str(result.path), "known": result.known}
    return {"source": result.source, "error": result.reason}


@app.command(epilog=nouns.example("newsletter inbox collect"))
def collect(ctx: typer.Context, as_json: output.Json = False) -> None:
    """Read the feeds of newsletter.toml and save what is new in them."""
    app_ = invocation.of(ctx).app
    if not app_.settings.feeds:
        raise errors.UsageError(
            "there are no feeds", hint="write [feeds.NAME] with a url into newsletter.toml"
        )
    reports = app_.collector().collect()
    output.show(reports, as_json=as_json, text=lambda: None)
    for report in reports:
        if as_json:
            continue
        if report.error:
            output.complain(f"{report.name}: {report.error}")
        else:
            output.line(f"{report.name}: {report.said}")
    if any(report.error for report in reports):
        raise typer.Exit(1)


@app.command(epilog=nouns.example("newsletter inbox add 'Interview with the harbour master'"))
def add(
    ctx: typer.Context,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What it is called.")] = "Untitled",
    topic: Topics = None,
    edit: Annotated[bool, typer.Option("--edit/--no-edit", help="Open it in $EDITOR.")] = True,
) -> None:
    """Begin an empty clipping and open it in your editor."""
    taken = invocation.of(ctx).app.gatherer().blank(title, topics=topic or ())
    output.line(str(taken.path))
    if edit:
        _open(taken.path)


def _open(path: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        output.warn("no editor is set; name one in the variable EDITOR")
        return
    try:
        done = subprocess.run([*shlex.split(editor), str(path)], check=False)  # noqa: S603 - the user's own editor
    except (OSError, ValueError) as error:
        raise errors.UsageError(f"the editor “{editor}” cannot be started: {error}") from error
    if done.returncode:
        output.warn(f"{editor} ended with {done.returncode}")


@app.command(
    "list", epilog=nouns.example("newsletter inbox list --unused", "newsletter inbox list --topic security")
)
def list_(
    ctx: typer.Context,
    topic: Annotated[str, typer.Option(metavar="TOPIC", help="Only these.")] = "",
    unused: Annotated[bool, typer.Option("--unused", help="Only those that no issue uses.")] = False,
    days: Annotated[int, typer.Option(metavar="N", min=0, help="Only those of the last N days; 0: all.")] = 0,
    as_json: output.Json = False,
) -> None:
    """List the clippings: age, topic, title, and which issue uses them."""
    app_ = invocation.of(ctx).app
    rows = app_.drafter.listed(since=app_.today() - timedelta(days=days) if days else None)
    kept = [
        (slip, used) for slip, used in rows if (not topic or topic in slip.topics) and not (unused and used)
    ]
    plain = [_plain_slip(slip, used) for slip, used in kept]
    output.show(plain, as_json=as_json, text=lambda: _print_slips(kept, app_.today()))


def _plain_slip(slip: inbox.Slip, used: str) -> dict[str, object]:
    return {
        "name": slip.name,
        "title": slip.title,
        "date": slip.day,
        "accessed": slip.accessed,
        "topics": slip.topics,
        "publisher": slip.publisher,
        "kind": slip.kind,
        "used": used or None,
    }


def _print_slips(rows: list[tuple[inbox.Slip, str]], today: date) -> None:
    if not rows:
        output.line("Nothing to show; newsletter inbox clip saves a source.")
        return
    cells = [
        (
            f"{(today - slip.accessed).days} d" if slip.accessed else None,
            ", ".join(slip.topics) or None,
            used or None,
            slip.name,
            slip.title[:70],
        )
        for slip, used in rows
    ]
    output.table(("Age", "Topics", "Used", "Clipping", "Title"), cells)


@app.command(epilog=nouns.example("newsletter inbox show 2026-11-20-ferry"))
def show(ctx: typer.Context, name: Name, as_json: output.Json = False) -> None:
    """Show one clipping."""
    from newsletter.authoring import clippings

    clipping = clippings.read(invocation.of(ctx).app.inbox.find(name))
    output.show(clipping, as_json=as_json, text=lambda: _print_clipping(clipping))


def _print_clipping(clipping: clippings.Clipping) -> None:
    rows = [
        ("File", clipping.path),
        ("Title", clipping.title),
        ("Headline", clipping.headline),
        ("Address", clipping.address),
        ("From", ", ".join(filter(None, (clipping.publisher, clipping.author, str(clipping.kind))))),
        ("Published", clipping.published),
        ("Accessed", clipping.accessed),
        ("Topics", ", ".join(clipping.topics)),
        ("Used", clipping.used),
    ]
    for label, value in rows:
        if value:
            output.line(f"{label + ':':<11}{value}")
    for text in (clipping.words, clipping.excerpt):
        if text:
            output.line(f"\n{text}")


@app.command(epilog=nouns.example("newsletter inbox drop 2026-11-20-ferry"))
def drop(
    ctx: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="CLIPPING…", help="What to drop.")],
    yes: output.Yes = False,
) -> None:
    """Delete clippings."""
    inbox_ = invocation.of(ctx).app.inbox
    paths = [inbox_.find(name) for name in names]
    output.confirm(f"Delete {', '.join(path.name for path in paths)}?", yes=yes)
    for path in paths:
        path.unlink()
        output.line(f"dropped {path.name}")
