"""Versions of an issue: as it is in a git revision, as it was approved, as it was sent."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from newsletter.authoring import saving
from newsletter.domain import errors, messages, numbering
from newsletter.sending import proofs, reader_view

#: Texts of approved issues lie here, beside the issue files, for git to show.
FOLDER = "approved"
_PATIENCE = 30


def keep_approved(folder: Path, proof: proofs.Proof) -> Path:
    """Write down what readers would see of an issue that was approved; return the file.

    Raises:
        WorkspaceError: it cannot be written.
    """
    path = folder / FOLDER / f"{proof.number.slug}.txt"
    text = "\n".join([f"sha256:{proof.digest}", *reader_view.lines(proof.templates)])
    saving.save(path, text + "\n")
    return path


def approved(folder: Path, number: numbering.IssueNumber) -> list[str]:
    """Return what readers would have seen of an issue as it was last approved.

    Raises:
        ApprovalError: it never was.
    """
    path = folder / FOLDER / f"{number.slug}.txt"
    try:
        return path.read_text(encoding="utf-8").splitlines()[1:]
    except (OSError, UnicodeDecodeError) as error:
        raise errors.ApprovalError(
            f"no approved text of {number.label} is kept", hint=f"newsletter issue diff {number} HEAD"
        ) from error


def sent(templates: Mapping[str, messages.MessageTemplate]) -> list[str]:
    """Return what readers saw of an issue that was sent."""
    return reader_view.lines(templates)


def at_revision(press: proofs.Press, path: Path, revision: str) -> list[str]:
    """Return what readers would have seen of an issue file as it was in a git revision.

    Raises:
        WorkspaceError: there is no git, no repository, no such revision, or no such file in it.
        IssueError: the file of then cannot be read.
    """
    data = _shown(path, revision)
    with tempfile.TemporaryDirectory() as place:
        then = Path(place) / path.name
        then.write_bytes(data)
        return reader_view.lines(press.proof(then).templates)


def _shown(path: Path, revision: str) -> bytes:
    if revision.startswith("-") or not revision.strip():
        raise errors.WorkspaceError(f"“{revision}” is no git revision", hint="write HEAD, a tag or a commit")
    command = ["git", "-C", str(path.parent), "show", f"{revision}:./{path.name}"]
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=_PATIENCE)  # noqa: S603 - git, with our own words
    except FileNotFoundError:
        raise errors.WorkspaceError(
            "git is not installed", hint="compare with “approved” or “sent” instead"
        ) from None
    except subprocess.TimeoutExpired:
        raise errors.WorkspaceError(f"git did not answer within {_PATIENCE} seconds") from None
    if done.returncode == 0:
        return done.stdout
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    message = said[0].removeprefix("fatal: ") if said else f"git ended with {done.returncode}"
    if "not a git repository" in message:
        message = f"{path.parent} is not in a git repository"
    raise errors.WorkspaceError(message, hint="compare with “approved” or “sent” instead")
