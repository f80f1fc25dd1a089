"""Clearance: an issue goes out only as the people who approved it saw it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsletter.authoring import approval, flaws, inbox
from newsletter.domain import errors, findings
from newsletter.sending import proofs, versions


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
    #: Whose clippings are marked as used once an issue is approved.
    clipped: inbox.Inbox
    #: How many people must approve.
    needed: int = 1
    #: Who may; empty: anybody.
    approvers: tuple[str, ...] = ()

    def approve(self, path: Path, by: str, *, now: datetime) -> Report:
        """Put on record that a person approved an issue exactly as it is now.

        Raises:
            IssueError: the issue cannot be read.
            RenderError: it cannot be rendered.
            ApprovalError: the checks find errors in it, or this person may not approve.
        """
        self._admit(by)
        proof = self.press.proof(path)
        found = self.press.findings(path)
        word = approval.Approval(number=proof.number, digest=proof.digest, by=by, at=now)
        approval.approve(self.folder, word, found=found)
        versions.keep_approved(self.folder, proof)
        names = [
            name for edition in proof.editions for one in edition.issue.entries for name in one.clippings
        ]
        self.clipped.mark(proof.number, names)
        return Report(proof=proof, found=tuple(found), standing=self.standing(proof))

    def _admit(self, by: str) -> None:
        if self.approvers and by not in self.approvers:
            hint = flaws.nearest(by, self.approvers) or f"approvers are {', '.join(self.approvers)}"
            raise errors.ApprovalError(f"“{by}” is not among the approvers of newsletter.toml", hint=hint)

    def standing(self, proof: proofs.Proof) -> approval.Standing:
        """Return how a proof stands with its approvals."""
        return approval.standing(
            self.folder, proof.number, proof.digest, needed=self.needed, approvers=self.approvers
        )

    def require(self, proof: proofs.Proof) -> None:
        """Return quietly when a proof is approved.

        Raises:
            ApprovalError: it is not, or was edited since.
        """
        approval.require(self.standing(proof), proof.number)

    def report(self, path: Path) -> Report:
        """Return how far an issue has come.

        Raises:
            IssueError: the issue cannot be read.
            RenderError: it cannot be rendered.
        """
        proof = self.press.proof(path)
        found = tuple(self.press.findings(path))
        return Report(proof=proof, found=found, standing=self.standing(proof))
