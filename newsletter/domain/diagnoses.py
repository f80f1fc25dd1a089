"""What a look at one concern found: how it stands, and how to mend it."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Verdict(enum.StrEnum):
    """How a concern stands."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    WARN = "warn"
    FAIL = "fail"
    #: Something else has to hold, or answer, before this can be told.
    UNKNOWN = "could not look up"


#: From harmless to grave.
GRAVITY = (Verdict.PASS, Verdict.WARN, Verdict.UNKNOWN, Verdict.FAIL)


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """What was found about one concern."""

    name: str
    verdict: Verdict
    message: str
    #: The next thing to type or to ask for; empty where nothing is wrong.
    fix: str = ""
    #: The DNS record to publish, in the form of a zone file; empty where it is not for DNS to mend.
    record: str = ""


@dataclass(frozen=True)
class Concern:
    """A concern by its name, and the four things that can be said about it."""

    name: str

    def holds(self, message: str) -> Diagnosis:
        """Say that it is well."""
        return Diagnosis(name=self.name, verdict=Verdict.PASS, message=message)

    def doubtful(self, message: str, fix: str = "", *, record: str = "") -> Diagnosis:
        """Say that it works and could be better."""
        return Diagnosis(name=self.name, verdict=Verdict.WARN, message=message, fix=fix, record=record)

    def broken(self, message: str, fix: str = "", *, record: str = "") -> Diagnosis:
        """Say that mail will be refused or lost for it."""
        return Diagnosis(name=self.name, verdict=Verdict.FAIL, message=message, fix=fix, record=record)

    def untold(self, message: str, fix: str = "") -> Diagnosis:
        """Say that it could not be found out."""
        return Diagnosis(name=self.name, verdict=Verdict.UNKNOWN, message=message, fix=fix)


def gravest(verdicts: list[Verdict]) -> Verdict:
    """Return the gravest of some verdicts; passed where there is none."""
    return max(verdicts, key=GRAVITY.index, default=Verdict.PASS)
