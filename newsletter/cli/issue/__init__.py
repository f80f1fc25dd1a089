"""`newsletter issue`: write, check, render and approve issues."""

from newsletter.cli.issue import approving, comparing, drafting, previewing, proofing, shelving
from newsletter.cli.issue.group import app

__all__ = ["app", "approving", "comparing", "drafting", "previewing", "proofing", "shelving"]
