"""`issue approve` and `status`: who said of which content that it may go out."""

from __future__ import annotations

import getpass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from newsletter.cli import invocation, nouns, output
from newsletter.cli.issue.group import Issue, app, path_of
from newsletter.domain import deliveries, findings

if TYPE_CHECKING:
    from newsletter.sending import clearance


@app.command(epilog=nouns.example("newsletter issue approve next --as 'Mina Ode'"))
def approve(
    ctx: typer.Context,
    issue: Issue,
    by: Annotated[
        str, typer.Option("--as", metavar="NAME", help="Who approves; default: who is logged in.")
    ] = "",
    as_json: output.Json = False,
) -> None:
    """Approve an issue exactly as it is now; any later edit voids that. Errors stop it, warnings do not."""
    app_ = invocation.of(ctx).app
    report = app_.clearance.approve(path_of(app_, issue), by or getpass.getuser(), now=app_.now())
    output.show(_plain(report), as_json=as_json, text=lambda: _print_approval(report))


def _print_approval(report: clearance.Report) -> None:
    label, standing = report.proof.number.label, report.standing
    names = " and ".join(one.by for one in standing.valid)
    output.line(f"{label} is approved by {names}: sha256:{report.proof.digest[:16]}…")
    if not standing.is_approved:
        missing = standing.needed - len(standing.valid)
        output.line(f"{missing} more {'person has' if missing == 1 else 'people have'} to approve it.")
    elif warnings := report.count(findings.Severity.WARNING):
        stand = output.counted(warnings, "warning stands", "warnings stand")
        output.warn(f"{stand}; newsletter issue check {report.proof.number} shows more")


@app.command(epilog=nouns.example("newsletter issue status next"))
def status(ctx: typer.Context, issue: Issue, as_json: output.Json = False) -> None:
    """Show how far an issue has come: written, checked, approved, edited since, scheduled, sent."""
    app_ = invocation.of(ctx).app
    path = path_of(app_, issue)
    report = app_.clearance.report(path)
    links, asked = app_.links_asked(path)
    mailing = app_.mailing_of(report.proof.number)
    plain = _plain(report) | {
        "links": links,
        "links_asked": asked,
        "mailing": mailing.status if mailing else None,
        "due_at": mailing.due_at if mailing else None,
        "finished_at": mailing.finished_at if mailing else None,
    }
    output.show(plain, as_json=as_json, text=lambda: _print_status(report, _links(links, asked), mailing))


def _links(count: int, asked: datetime | None) -> str:
    if not count:
        return "none"
    return f"{count}, " + (
        f"asked on {asked:%Y-%m-%d %H:%M} UTC" if asked else "not all asked yet (check --links)"
    )


def _mailed(mailing: deliveries.Mailing | None) -> str:
    if mailing is None:
        return "not scheduled"
    if mailing.finished_at:
        return f"{mailing.status} on {mailing.finished_at:%Y-%m-%d %H:%M} UTC"
    return str(mailing.status) + (f" for {mailing.due_at:%Y-%m-%d %H:%M} UTC" if mailing.due_at else "")


def _plain(report: clearance.Report) -> dict[str, object]:
    standing = report.standing
    return {
        "number": str(report.proof.number),
        "status": report.proof.issue.status,
        "hash": f"sha256:{report.proof.digest}",
        "errors": report.count(findings.Severity.ERROR),
        "warnings": report.count(findings.Severity.WARNING),
        "approved": standing.is_approved,
        "approvals": [{"by": one.by, "at": one.at} for one in standing.valid],
        "void": [{"by": one.by, "at": one.at} for one in standing.void],
        "needed": standing.needed,
    }


def _print_status(report: clearance.Report, links: str, mailing: deliveries.Mailing | None) -> None:
    issue, standing = report.proof.issue, report.standing
    grave = (findings.Severity.ERROR, findings.Severity.WARNING)
    found = ", ".join(output.counted(report.count(one), one) for one in grave)
    entries = output.counted(len(issue.entries), "entry", "entries")
    approvals = [f"by {one.by} on {one.at:%Y-%m-%d %H:%M} UTC" for one in standing.valid]
    if not approvals and standing.void:
        last = standing.void[-1]
        approvals = [f"void: edited since {last.by} approved it on {last.at:%Y-%m-%d %H:%M} UTC"]
    rows = [
        ("Issue", f"{issue.number.label} of {issue.date}"),
        ("Written", f"{issue.status}, {entries}, {', '.join(_languages(report))}"),
        ("Checked", found),
        ("Links", links),
        ("Content", f"sha256:{report.proof.digest[:16]}…"),
        ("Approved", "; ".join(approvals) or "by nobody"),
        ("Needed", f"{len(standing.valid)} of {standing.needed}"),
        ("Mailing", _mailed(mailing)),
    ]
    for name, value in rows:
        output.line(f"{name + ':':<10}{value}")


def _languages(report: clearance.Report) -> list[str]:
    return [edition.issue.language for edition in report.proof.editions]
