"""Approvals: who said of exactly which content that it may go out, in a file that git can show."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsletter.authoring import saving
from newsletter.domain import errors, findings, numbering

FILE = "approvals.toml"

_HEAD = """\
# Who approved which issue, and a hash over everything that its mailing will send.
# Written by “newsletter issue approve”; any later edit of the issue voids its approvals.
"""


@dataclass(frozen=True, kw_only=True)
class Approval:
    """One person's word on one content."""

    number: numbering.IssueNumber
    #: sha-256, in hex, as `freezing.digest` makes it.
    digest: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How an issue stands with its approvals, as it is now."""

    #: Approvals of exactly this content, one a person, oldest first.
    valid: tuple[Approval, ...]
    #: Approvals of an earlier content.
    void: tuple[Approval, ...]
    needed: int = 1

    @property
    def is_approved(self) -> bool:
        """Whether the issue may go out."""
        return len(self.valid) >= self.needed


def read(folder: Path) -> list[Approval]:
    """Return every approval on record in a folder of issues, in the order of the file.

    Raises:
        ApprovalError: the file cannot be understood.
    """
    path = folder / FILE
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise errors.ApprovalError(
            f"{path}: {error}", hint="mend the file, or take back its last change with git"
        ) from error
    return [_approval(one, path) for one in plain.get("approval", [])]


def standing(
    folder: Path,
    number: numbering.IssueNumber,
    digest: str,
    *,
    needed: int = 1,
    approvers: Collection[str] = (),
) -> Standing:
    """Return how an issue with this content stands; where there are approvers, only their word counts."""
    of_issue = [
        one for one in read(folder) if one.number == number and (not approvers or one.by in approvers)
    ]
    valid: dict[str, Approval] = {}
    for one in of_issue:
        if one.digest == digest:
            valid.setdefault(one.by, one)
    void = tuple(one for one in of_issue if one.digest != digest)
    return Standing(valid=tuple(valid.values()), void=void, needed=needed)


def require(now: Standing, number: numbering.IssueNumber) -> None:
    """Return quietly when an issue is approved.

    Raises:
        ApprovalError: it is not, or was edited since; says who approved what.
    """
    if now.is_approved:
        return
    hint = f"newsletter issue approve {number}"
    if now.valid:
        names = " and ".join(one.by for one in now.valid)
        message = f"{number.label} is approved by {names}, and {now.needed} people are needed"
        raise errors.ApprovalError(message, hint=hint)
    if now.void:
        last = now.void[-1]
        message = f"{number.label} was edited since {last.by} approved it on {last.at:%Y-%m-%d %H:%M}"
        raise errors.ApprovalError(message, hint=f"look at it again, then {hint}")
    raise errors.ApprovalError(f"{number.label} is not approved", hint=hint)


def approve(folder: Path, approval: Approval, *, found: Iterable[findings.Finding] = ()) -> list[Approval]:
    """Put an approval on record and return all of the issue; the same word twice is kept once.

    Raises:
        ApprovalError: the checks found errors, or nobody is named.
    """
    grave = [one for one in found if one.severity is findings.Severity.ERROR]
    if grave:
        listed = "\n".join(f"  {one.where}: {one.message}" for one in grave)
        count = "an error" if len(grave) == 1 else f"{len(grave)} errors"
        raise errors.ApprovalError(
            f"{approval.number.label} has {count}:\n{listed}",
            hint=f"mend them, then newsletter issue check {approval.number}",
        )
    if not approval.by.strip():
        raise errors.ApprovalError("an approval needs a name", hint="add --as NAME")
    known = read(folder)
    same = [
        one
        for one in known
        if (one.number, one.digest, one.by) == (approval.number, approval.digest, approval.by)
    ]
    if not same:
        known.append(approval)
        saving.save(folder / FILE, dumps(known))
    return [one for one in known if one.number == approval.number]


def dumps(approvals: Sequence[Approval]) -> str:
    """Write approvals as TOML."""
    return _HEAD + "".join(
        f"\n[[approval]]\nissue = {_quoted(str(one.number))}\nby = {_quoted(one.by)}\n"
        f"at = {one.at.isoformat(timespec='seconds')}\nhash = {_quoted(f'sha256:{one.digest}')}\n"
        for one in approvals
    )


def _approval(plain: dict[str, object], path: Path) -> Approval:
    at = plain.get("at")
    try:
        if not isinstance(at, datetime) or at.tzinfo is None:
            raise ValueError("“at” is not a time with its zone")
        return Approval(
            number=numbering.parse(str(plain["issue"])),
            digest=str(plain["hash"]).removeprefix("sha256:"),
            by=str(plain["by"]),
            at=at,
        )
    except KeyError as error:
        raise errors.ApprovalError(f"{path}: an approval has no “{error.args[0]}”") from None
    except (ValueError, errors.NewsletterError) as error:
        raise errors.ApprovalError(f"{path}: {error}") from None


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in escaped) + '"'
