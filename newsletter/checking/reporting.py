"""Findings as text for people, as JSON for programs, as annotations for a pull request."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from collections.abc import Mapping, Sequence

from newsletter.checking import rulebook, widths
from newsletter.domain import errors, findings, issues

#: What ``--format`` takes.
FORMATS = ("text", "json", "github")

_COLOURS = {findings.Severity.ERROR: "31", findings.Severity.WARNING: "33", findings.Severity.ADVICE: "36"}
_GITHUB = {
    findings.Severity.ERROR: "error",
    findings.Severity.WARNING: "warning",
    findings.Severity.ADVICE: "notice",
}
_WIDTH = 100


def report(
    found: Sequence[findings.Finding],
    form: str = "text",
    *,
    issue: issues.Issue | None = None,
    lines: Sequence[str] = (),
    colour: bool = False,
) -> str:
    """Write findings down; ``issue`` and ``lines`` let the text quote headlines and source lines.

    Raises:
        NewsletterError: there is no such format.
    """
    if form == "json":
        return _json(found)
    if form == "github":
        return "\n".join(_github(finding) for finding in found)
    if form == "text":
        return _Text(issue, lines, colour).write(found)
    raise errors.NewsletterError(f"there is no format “{form}”", hint=f"choose one of {', '.join(FORMATS)}")


def explain(rule: rulebook.Rule) -> str:
    """Say what a rule is for, and where it comes from."""
    return (
        f"{rule.id} ({rule.severity}, {rule.family})\n\n"
        f"{textwrap.fill(rule.reason, 80)}\n\n"
        f"Source: {rule.source}\n"
        f'To live with it in one issue: waive: {{{rule.id}: "why"}}'
    )


def summary(found: Sequence[findings.Finding]) -> str:
    """Count findings by severity: ``1 error, 2 warnings``."""
    counts = {severity: sum(f.severity is severity for f in found) for severity in findings.Severity}
    words = [_counted(count, severity) for severity, count in counts.items() if count]
    return ", ".join(words) or "nothing found"


def _counted(count: int, severity: findings.Severity) -> str:
    if severity is findings.Severity.ADVICE:
        return f"{count} {'piece' if count == 1 else 'pieces'} of advice"
    return f"{count} {severity}{'' if count == 1 else 's'}"


def _json(found: Sequence[findings.Finding]) -> str:
    counts = {severity.value: sum(f.severity is severity for f in found) for severity in findings.Severity}
    document = {"findings": [dataclasses.asdict(finding) for finding in found], "counts": counts}
    return json.dumps(document, ensure_ascii=False, indent=2)


def _github(finding: findings.Finding) -> str:
    """Write a workflow command; docs.github.com: Workflow commands for GitHub Actions."""
    where = {"file": finding.path, "line": finding.line, "col": finding.column, "title": finding.rule}
    values = ",".join(f"{key}={_property(str(value))}" for key, value in where.items() if value)
    message = finding.message + (f" ({finding.fix})" if finding.fix else "")
    return f"::{_GITHUB[finding.severity]} {values}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


class _Text:
    """Writes findings as good compilers do: grouped, with the line quoted and the fault underlined."""

    def __init__(self, issue: issues.Issue | None, lines: Sequence[str], colour: bool) -> None:
        self._lines = lines
        self._colour = colour
        self._headlines: Mapping[str, str] = {e.id: e.headline for e in issue.entries} if issue else {}

    def write(self, found: Sequence[findings.Finding]) -> str:
        groups: dict[str, list[findings.Finding]] = {"": []}
        for finding in found:
            groups.setdefault(finding.entry, []).append(finding)
        blocks = []
        for entry, group in groups.items():
            if not group:
                continue
            heading = self._headlines.get(entry, entry) or "The issue as a whole"
            blocks.append(self._paint("1", heading))
            blocks += [self._one(finding) for finding in group]
        return "\n\n".join([*blocks, summary(found)])

    def _one(self, finding: findings.Finding) -> str:
        severity = self._paint(_COLOURS[finding.severity], finding.severity.value)
        out = [f"{severity}[{finding.rule}]: {finding.message}"]
        where = f"{finding.where}:{finding.column}" if finding.line and finding.column else finding.where
        gutter = " " * len(str(finding.line or ""))
        out.append(f"{gutter}--> {where}")
        if 0 < finding.line <= len(self._lines):
            out += self._quote(finding, gutter)
        if finding.fix:
            out.append(f"{gutter} = {finding.fix}")
        return "\n".join(out)

    def _quote(self, finding: findings.Finding, gutter: str) -> list[str]:
        row = self._lines[finding.line - 1].replace("\t", " ").rstrip()
        start = max(finding.column - 1, 0)
        first = max(0, min(start - 30, len(row) - _WIDTH))
        shown = (
            ("…" if first else "") + row[first : first + _WIDTH] + ("…" if first + _WIDTH < len(row) else "")
        )
        quoted = [f"{gutter} |", f"{finding.line} | {shown}"]
        if finding.length:
            before = ("…" if first else "") + row[first:start]
            fault = row[start : min(start + finding.length, first + _WIDTH)]
            marks = self._paint(_COLOURS[finding.severity], "^" * max(widths.columns(fault), 1))
            quoted.append(f"{gutter} | {' ' * widths.columns(before)}{marks}")
        return quoted

    def _paint(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self._colour else text
