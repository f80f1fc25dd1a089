"""Do the whole job once, for real, in a folder of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from newsletter.cli import nouns, output

app = nouns.command()


@app.command(epilog=nouns.example("newsletter demo", "newsletter demo --out demo"))
def demo(
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="Work in this new folder, not a temporary one."),
    ] = None,
) -> None:
    """Do the whole job once, from writing to the account of it."""
    import tempfile
    import time

    from newsletter.cli.demo import steps, story

    folder = out or Path(tempfile.mkdtemp(prefix="newsletter-demo-"))
    if out is not None and out.exists() and any(out.iterdir()):
        raise steps.DemoError(f"{out} is not empty", hint="name a new folder: newsletter demo --out demo2")
    folder.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    story.tell(folder.resolve(), _samples())
    output.line()
    output.line(f"Every step held, in {time.monotonic() - started:.1f} seconds.")


def _samples() -> Path:
    """Return the folder of sample issues: in the wheel beside the package, in a checkout above it."""
    package = Path(__file__).parents[2]
    packaged = package / "_samples"
    return packaged if packaged.is_dir() else package.parent / "issues"
