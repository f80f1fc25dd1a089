"""`newsletter doctor`: look at everything a mailing depends on, and say how to mend what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from newsletter import wiring
from newsletter.cli import diagnosis, invocation, nouns, output
from newsletter.cli.diagnosis import Probe
from newsletter.domain import errors
from newsletter.domain.diagnoses import Diagnosis, Verdict

COLOURS = {
    Verdict.PASS: output.GREEN,
    Verdict.WARN: output.YELLOW,
    Verdict.FAIL: output.RED,
    Verdict.UNKNOWN: output.DIM,
}

app = nouns.command()

To = Annotated[
    str, typer.Option("--to", metavar="ME", help="Send a test mail there, and read it in the bounce mailbox.")
]
Headers = Annotated[
    Path | None, typer.Option("--headers", metavar="FILE", help="Judge the source of a mail that arrived.")
]
Wait = Annotated[int, typer.Option("--wait", min=0, help="Seconds to wait for the test mail.")]


@app.command(
    epilog=nouns.example(
        "newsletter doctor", "newsletter doctor --to me@example.org", "newsletter doctor --headers mail.eml"
    )
)
def doctor(
    ctx: typer.Context,
    *,
    to: To = "",
    headers: Headers = None,
    wait: Wait = 60,
    as_json: output.Json = False,
) -> None:
    """Look at all that a mailing depends on."""
    house = invocation.of(ctx).app
    if headers is not None:
        findings = list(house.read_letter(_read(headers)))
    elif to:
        findings = list(_sent(house, to, wait))
    else:
        findings = list(diagnosis.examine(probes(house)))
    output.show(findings, as_json=as_json, text=lambda: _print(findings))
    if any(finding.verdict is Verdict.FAIL for finding in findings):
        raise typer.Exit(1)


def probes(app: wiring.App) -> dict[str, Probe]:
    """Return what there is to look at in a workspace, settings first."""

    def settings() -> Iterator[Diagnosis]:
        through = app.settings.delivery.provider
        yield _fine("settings", f"{app.workspace.settings_file} holds; mail goes through {through}")

    def key() -> Iterator[Diagnosis]:
        app.settings.key()
        yield _fine("signing key", "there is one")

    def database() -> Iterator[Diagnosis]:
        app.require_current()
        yield _fine("database", f"{app.database.name} has this version's tables")

    def templates() -> Iterator[Diagnosis]:
        from newsletter.rendering import theme

        yield _fine("templates", f"{', '.join(theme.parse(app.theme))} parse")

    def provider() -> Iterator[Diagnosis]:
        yield _fine("provider", asyncio.run(app.provider().probe()))

    return {
        "settings": settings,
        "secrets": lambda: diagnosis.private(app.workspace.env_file, *_key_files(app)),
        "signing key": key,
        "postal address": lambda: diagnosis.postal_address(app.publication.postal_address),
        "database": database,
        "letters": lambda: _stored("letters", app.examine_letters),
        "forms": lambda: _stored("forms", app.examine_forms),
        "templates": templates,
        "provider": provider,
        "web": lambda: diagnosis.web(app.publication.url, diagnosis.addresses_of),
        "standing": app.examine,
    }


def _stored(name: str, examine: Callable[[], Diagnosis]) -> Iterator[Diagnosis]:
    """Yield what the database tells of a concern; a database that does not answer is a concern of its own."""
    try:
        yield examine()
    except errors.StoreError:
        yield Diagnosis(name=name, verdict=Verdict.UNKNOWN, message="the database has to answer first")


def _key_files(app: wiring.App) -> list[Path]:
    """Return the key of our own signatures, as far as the settings can be read."""
    try:
        name = app.settings.dkim.key_file
    except errors.SettingsError:
        return []
    return [app.workspace.root / name] if name else []


def _sent(house: wiring.App, to: str, wait: int) -> Iterable[Diagnosis]:
    """Send a test mail and judge it as it arrived, or say how to go on."""
    raw = house.send_test(to, seconds=wait)
    if raw is None:
        yield Diagnosis(
            name="test mail",
            verdict=Verdict.UNKNOWN,
            message=f"sent to {to}; it did not come by the bounce mailbox",
            fix="save its source as a file, then: newsletter doctor --headers FILE",
        )
    else:
        yield _fine("test mail", f"sent to {to}, and read in the bounce mailbox")
        yield from house.read_letter(raw)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise errors.UsageError(
            f"{path} cannot be read: {error.strerror}", hint="name the saved source of a mail"
        ) from error


def _fine(name: str, message: str) -> Diagnosis:
    return Diagnosis(name=name, verdict=Verdict.PASS, message=message)


def _print(findings: Sequence[Diagnosis]) -> None:
    width = max(len(verdict) for verdict in Verdict)
    for finding in findings:
        verdict = output.paint(finding.verdict.ljust(width), COLOURS[finding.verdict])
        output.line(f"{verdict}  {finding.name}: {finding.message}")
        if finding.fix:
            output.line(f"{'':{width}}  → {finding.fix}")
        for line in finding.record.splitlines():
            output.line(f"{'':{width}}    {line}")
