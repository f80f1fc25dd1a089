"""Clearance: an issue goes out only as the people who approved it saw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsletter.authoring import approval
from newsletter.domain import findings
from newsletter.sending import proofs


@dataclass(frozen=True, kw_only=True)
class Report:
    """How far an issue has come."""

    proof: proofs.Proof
    found: tuple[findings.Finding, ...]
    standing: approval.Standing

    def count(self, severity: findings.Severity) -> int:
        """Count the findings of one severity."""
        return sum(one.severity is severity for one in self.found)


@dataclass(frozen=True, kw_only=True)
class Clearance:
    """Approves issues, and says which are approved."""

    press: proofs.Press
    #: The folder that holds the record of approvals.
    folder: Path
    #: How many people must approve.
    needed: int = 1

    def approve(self, path: Path, by: str, *, now: datetime) -> Report:
        """Put on record that a person approved an issue exactly as it is now.

        Raises:
            IssueError: the issue cannot be read.
            RenderError: it cannot be rendered.
            ApprovalError: the checks find errors in it.
        """
        proof = self.press.proof(path)
        found = self.press.findings(path)
        word = approval.Approval(number=proof.number, digest=proof.digest, by=by, at=now)
        approval.approve(self.folder, word, found=found)
        return Report(proof=proof, found=tuple(found), standing=self.standing(proof))

    def standing(self, proof: proofs.Proof) -> approval.Standing:
        """Return how a proof stands with its approvals."""
        return approval.standing(self.folder, proof.number, proof.digest, needed=self.needed)

    def require(self, proof: proofs.Proof) -> None:
        """Return quietly when a proof is approved.

        Raises:
            ApprovalError: it is not, or was edited since.
        """
        approval.require(self.folder, proof.number, proof.digest, needed=self.needed)

    def report(self, path: Path) -> Report:
        """Return how far an issue has come.

        Raises:
            IssueError: the issue cannot be read.
            RenderError: it cannot be rendered.
        """
        proof = self.press.proof(path)
        found = tuple(self.press.findings(path))
        return Report(proof=proof, found=found, standing=self.standing(proof))
