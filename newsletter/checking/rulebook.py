"""Rules: a stable id, a severity, a reason with its source, and the function that looks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from newsletter.domain import findings

if TYPE_CHECKING:
    from newsletter.checking import reading


@dataclass(frozen=True, kw_only=True)
class Place:
    """A stretch of the issue file; line 0 stands for the issue as a whole."""

    line: int = 0
    column: int = 0
    #: Characters at fault, so that a report can underline them.
    length: int = 0
    #: Id of the entry it lies in.
    entry: str = ""


NOWHERE = Place()


@dataclass(frozen=True, kw_only=True)
class Hit:
    """What a rule noticed; the rule's own severity holds unless this one names another."""

    message: str
    place: Place = NOWHERE
    fix: str = ""
    severity: findings.Severity | None = None


Look = Callable[["reading.Reading"], Iterable[Hit]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One thing the newsroom never wants to overlook."""

    #: Stable for ever: editors write it in waivers.
    id: str
    family: str
    severity: findings.Severity
    #: Why it matters, in one paragraph.
    reason: str
    #: Where the reason comes from.
    source: str
    look: Look
    #: Languages it understands, as ISO 639 codes; empty: all.
    languages: tuple[str, ...] = ()
    #: What of the subject it looks at, and has nothing to say without: ``html``, ``answers`` …
    needs: tuple[str, ...] = ()

    def understands(self, language: str) -> bool:
        """Say whether the rule means anything in a language."""
        return not self.languages or language.partition("-")[0].lower() in self.languages


class Maker(Protocol):
    """Makes a rule of a function; the function's docstring is the reason."""

    def __call__(self, rule_id: str, severity: findings.Severity, *, source: str) -> Callable[[Look], Rule]:
        """Return the decorator for one rule."""
        ...


def family(name: str, *, languages: tuple[str, ...] = (), needs: tuple[str, ...] = ()) -> Maker:
    """Return what makes the rules of one family."""

    def rule(rule_id: str, severity: findings.Severity, *, source: str) -> Callable[[Look], Rule]:
        def make(look: Look) -> Rule:
            reason = " ".join((inspect.getdoc(look) or "").split())
            return Rule(
                id=rule_id,
                family=name,
                severity=severity,
                reason=reason,
                source=source,
                look=look,
                languages=languages,
                needs=needs,
            )

        return make

    return rule


def rules_of(namespace: Mapping[str, Any]) -> tuple[Rule, ...]:
    """Return the rules that a module defines, in the order in which it does."""
    return tuple(value for value in namespace.values() if isinstance(value, Rule))
