"""Every rule there is, family by family."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from newsletter.checking import (
    clients,
    compliance,
    editions,
    entries,
    filing,
    images,
    limits,
    linked,
    rulebook,
    sourcing,
    stylesheets,
    typography,
    waivers,
    wording,
)
from newsletter.checking.accessibility import lettering, links, pages, pictures, structure
from newsletter.domain import errors

_ROOMS = (
    filing,
    entries,
    sourcing,
    wording,
    typography,
    editions,
    compliance,
    limits,
    stylesheets,
    images,
    pages,
    structure,
    pictures,
    links,
    lettering,
    clients,
    linked,
    waivers,
)


def rules() -> tuple[rulebook.Rule, ...]:
    """Return every rule, grouped by family."""
    return tuple(rule for room in _ROOMS for rule in rulebook.rules_of(vars(room)))


def rule(rule_id: str) -> rulebook.Rule:
    """Return one rule.

    Raises:
        NewsletterError: there is no rule of this name.
    """
    known = {rule.id: rule for rule in rules()}
    if rule_id not in known:
        near = difflib.get_close_matches(rule_id, known, n=1)
        raise errors.NewsletterError(
            f"there is no rule “{rule_id}”",
            hint=f"did you mean {near[0]}?" if near else "the rules are listed in docs/checks.md",
        )
    return known[rule_id]


def chosen(only: Iterable[str] = (), skip: Iterable[str] = ()) -> tuple[rulebook.Rule, ...]:
    """Return the rules that the options leave; a family's name stands for all its rules.

    Raises:
        NewsletterError: an option names neither a rule nor a family.
    """
    wanted, unwanted = _ids(only), _ids(skip)
    return tuple(rule for rule in rules() if (not wanted or rule.id in wanted) and rule.id not in unwanted)


def _ids(names: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        members = {rule.id for rule in rules() if rule.family == name}
        found |= members or {rule(name).id}
    return found
