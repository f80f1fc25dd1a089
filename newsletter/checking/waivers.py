"""Waivers: findings that the editors decided to live with, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from newsletter.checking import reading, rulebook
from newsletter.domain import findings

rule = rulebook.family("waivers")


def apply(
    found: Sequence[findings.Finding], waived: Collection[str]
) -> tuple[list[findings.Finding], set[str]]:
    """Return the findings that no waiver covers, and the waivers that covered none."""
    unused = set(waived)
    left = []
    for finding in found:
        if finding.rule in waived:
            unused.discard(finding.rule)
        else:
            left.append(finding)
    return left, unused


@rule("waiver-without-reason", findings.Severity.WARNING, source="house rule")
def without_reason(page: reading.Reading) -> Iterable[rulebook.Hit]:
    """A waiver tells the next editor why a rule does not hold here; without a reason it only hides
    something."""
    for name, reason in page.issue.waivers.items():
        if not str(reason or "").strip():
            yield rulebook.Hit(
                message=f"the waiver of “{name}” gives no reason",
                place=page.key("waive"),
                fix=f'write it as {name}: "why it may stay"',
            )


@rule("waiver-unused", findings.Severity.WARNING, source="house rule")
def unused(_page: reading.Reading) -> Iterable[rulebook.Hit]:
    """A waiver that covers no finding is left over from an earlier draft, or misspelt: it would hide the
    next one."""
    # Only known once every other rule has spoken: `inspection.check` adds these findings.
    return ()
