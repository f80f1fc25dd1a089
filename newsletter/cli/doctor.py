"""`newsletter doctor`: look at everything a mailing depends on, and say how to mend what is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

import typer

from newsletter import wiring
from newsletter.cli import diagnosis, invocation, nouns, output
from newsletter.cli.diagnosis import Diagnosis, Probe, Verdict

COLOURS = {
    Verdict.PASS: output.GREEN,
    Verdict.WARN: output.YELLOW,
    Verdict.FAIL: output.RED,
    Verdict.UNKNOWN: output.DIM,
}

app = nouns.command()


@app.command(epilog=nouns.example("newsletter doctor", "newsletter doctor --json"))
def doctor(ctx: typer.Context, as_json: output.Json = False) -> None:
    """Look at all that a mailing depends on."""
    findings = list(diagnosis.examine(probes(invocation.of(ctx).app)))
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
        app.database.require_current()
        yield _fine("database", f"{app.database.name} has this version's tables")

    def templates() -> Iterator[Diagnosis]:
        from newsletter.rendering import theme

        yield _fine("templates", f"{', '.join(theme.parse(app.theme))} parse")

    def provider() -> Iterator[Diagnosis]:
        yield _fine("provider", asyncio.run(app.provider().probe()))

    return {
        "settings": settings,
        "secrets": lambda: diagnosis.env_file(app.workspace.env_file),
        "signing key": key,
        "postal address": lambda: diagnosis.postal_address(app.publication.postal_address),
        "database": database,
        "templates": templates,
        "provider": provider,
        "web": lambda: diagnosis.web(app.publication.url, diagnosis.addresses_of),
    }


def _fine(name: str, message: str) -> Diagnosis:
    return Diagnosis(name=name, verdict=Verdict.PASS, message=message)


def _print(findings: Sequence[Diagnosis]) -> None:
    width = max(len(verdict) for verdict in Verdict)
    for finding in findings:
        verdict = output.paint(finding.verdict.ljust(width), COLOURS[finding.verdict])
        output.line(f"{verdict}  {finding.name}: {finding.message}")
        if finding.fix:
            output.line(f"{'':{width}}  → {finding.fix}")
