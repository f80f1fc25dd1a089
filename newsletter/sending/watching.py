"""Watch a mailing's answers, and say when it should stop by itself until a person has looked."""

from __future__ import annotations

from dataclasses import dataclass

from newsletter.domain.verdicts import Kind, Scope, Verdict

#: Answers that name the address as dead.
_DEAD = Kind.SUPPRESS


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is too much."""

    #: Failures one after the other, of whatever kind; a call put off as a whole is one.
    in_a_row: int = 50
    #: Share of addresses refused as dead, once `enough` were answered for.
    dead_share: float = 0.05
    enough: int = 200


class Watch:
    """Counts failures in a row and addresses that turn out dead."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._in_a_row = 0
        self._last: Verdict | None = None
        self._answered = 0
        self._dead = 0

    def pass_by(self) -> None:
        """Count a delivery that was accepted."""
        self._answered += 1
        self._in_a_row = 0

    def look(self, verdict: Verdict, reply: str) -> str:
        """Count a delivery that was not; return the reason to stop, or an empty text."""
        self._answered += 1
        if self._is_same_call(verdict):
            return ""
        self._last = verdict
        self._in_a_row += 1
        self._dead += verdict.kind is _DEAD
        limits = self._limits
        if self._in_a_row == limits.in_a_row:
            return f"{self._in_a_row} failures in a row, the last “{reply}”"
        if self._answered >= limits.enough and self._dead > limits.dead_share * self._answered:
            share = 100 * self._dead / self._answered
            return f"{share:.0f} % of {self._answered} addresses were refused as dead, the last “{reply}”"
        return ""

    def _is_same_call(self, verdict: Verdict) -> bool:
        """Say whether an email API put this message off with the last one: it has one verdict for a call."""
        return verdict is self._last and verdict.kind is Kind.RETRY and verdict.scope is Scope.MAILING
