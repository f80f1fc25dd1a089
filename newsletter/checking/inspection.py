"""One run of the rules over one subject."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from itertools import islice

from newsletter.checking import catalogue, reading, rulebook, subjects, waivers
from newsletter.domain import findings

#: Hits of one rule that are told in one run: who has mended these will ask again.
MOST = 100


def check(
    subject: subjects.Subject, *, only: Iterable[str] = (), skip: Iterable[str] = ()
) -> list[findings.Finding]:
    """Return what the rules find in a subject, in the order of the file, waived findings left out.

    Raises:
        NewsletterError: ``only`` or ``skip`` names neither a rule nor a family.
    """
    only, skip = tuple(only), tuple(skip)
    page = reading.Reading(subject)
    chosen = [rule for rule in catalogue.chosen(only, skip) if _applies(rule, subject)]
    found = [_finding(page, rule, hit) for rule in chosen for hit in islice(rule.look(page), MOST)]
    found += _wanted(subject.flaws, chosen)
    left, unused = waivers.apply(found, subject.issue.waivers)
    if waivers.unused in chosen and not only:
        left += [_finding(page, waivers.unused, hit) for hit in _unused(page, unused, chosen)]
    return sorted(dict.fromkeys(left), key=_order)


def links(subject: subjects.Subject) -> list[str]:
    """Return the web addresses of a subject that ``--links`` asks, each once."""
    page = reading.Reading(subject)
    written = [*page.links, *page.sources]
    hero = subject.issue.hero
    addresses = [link.url for link in written if link.is_web and not link.is_placeholder]
    addresses += [url for url in (hero.src, hero.credit_url) if url.startswith("http")] if hero else []
    return list(dict.fromkeys(addresses))


def _applies(rule: rulebook.Rule, subject: subjects.Subject) -> bool:
    return rule.understands(subject.issue.language) and all(getattr(subject, name) for name in rule.needs)


def _wanted(flaws: Sequence[findings.Finding], chosen: Sequence[rulebook.Rule]) -> list[findings.Finding]:
    """Return the flaws whose rule is chosen; one that has no rule always speaks."""
    unwanted = {rule.id for rule in catalogue.rules()} - {rule.id for rule in chosen}
    return [flaw for flaw in flaws if flaw.rule not in unwanted]


def _finding(page: reading.Reading, rule: rulebook.Rule, hit: rulebook.Hit) -> findings.Finding:
    return findings.Finding(
        rule=rule.id,
        severity=hit.severity or rule.severity,
        message=hit.message,
        path=page.subject.path,
        line=hit.place.line,
        column=hit.place.column,
        length=hit.place.length,
        entry=hit.place.entry,
        fix=hit.fix,
    )


def _unused(
    page: reading.Reading, unused: set[str], chosen: Sequence[rulebook.Rule]
) -> Iterable[rulebook.Hit]:
    known = {rule.id for rule in catalogue.rules()}
    ran = {rule.id for rule in chosen}
    for name in sorted(unused):
        if name in known and name not in ran:
            continue  # skipped, or not for this language: it may well be needed
        message, fix = f"the waiver of “{name}” covers no finding", "take it out"
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            message = f"there is no rule “{name}” to waive"
            fix = f"did you mean {near[0]}?" if near else fix
        yield rulebook.Hit(message=message, place=page.key("waive"), fix=fix)


_GRAVITY = {findings.Severity.ERROR: 0, findings.Severity.WARNING: 1, findings.Severity.ADVICE: 2}


def _order(finding: findings.Finding) -> tuple[int, int, int, str, str]:
    return finding.line, finding.column, _GRAVITY[finding.severity], finding.rule, finding.message
