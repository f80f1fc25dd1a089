"""Every error a person can meet, as one tree with a hint of what to do next.

NewsletterError
├── UsageError              the command line asks for what cannot be; exit code 2
├── WorkspaceError          no workspace here, or something would be overwritten
├── SettingsError           newsletter.toml or the environment says something wrong
├── IssueError              an issue file cannot be read; carries every problem found
├── RenderError             an issue cannot be poured into its template
├── ApprovalError           an issue is not approved, or was edited since
├── AddressError            not a mail address that can be mailed
├── TokenError              a link or bounce address that we did not sign
├── AudienceError           a rule that selects subscribers cannot be understood
├── ImportFileError         a file of subscribers cannot be taken in
├── StoreError              the database is unreachable, locked, full or not migrated
├── MailingError            a mailing cannot be planned, sent, paused, resumed or found
├── MailboxError            the mailbox that mails come back to cannot be reached, or will not have us
└── ProviderError           the provider cannot be reached or will not have us
    └── ProviderRefusedError    it knows us and refuses: credentials, policy, limits
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


class NewsletterError(Exception):
    """Something a person can understand and mend.

    ``str(error)`` says what went wrong, where and why; ``hint`` is the next thing to type.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class UsageError(NewsletterError):
    """The command line asks for what cannot be, or needs an answer that nobody can give."""

    exit_code = 2


class WorkspaceError(NewsletterError):
    """There is no workspace here, or a file of it would be overwritten."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong in a file, and where."""

    path: str
    #: 1-based; 0 when the whole file is meant.
    line: int
    message: str
    #: The text at fault, as it stands in the file.
    text: str = ""

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else self.path
        return f"{where}: {self.message}"


class _ProblemsError(NewsletterError):
    """An error that lists every problem found in one run, not the first only."""

    def __init__(self, problems: Sequence[Problem], *, hint: str = "") -> None:
        super().__init__("\n".join(str(problem) for problem in problems), hint=hint)
        self.problems = tuple(problems)


class SettingsError(_ProblemsError):
    """newsletter.toml or the environment says something that cannot hold."""


class IssueError(_ProblemsError):
    """One or more issue files cannot be read."""


class RenderError(NewsletterError):
    """An issue cannot be poured into its template."""


class ApprovalError(NewsletterError):
    """An issue is not approved, or was edited since it was."""


class AddressError(NewsletterError):
    """A text is not a mail address that can be mailed."""


class TokenError(NewsletterError):
    """A token was forged, cut short or made for another act."""


class AudienceError(NewsletterError):
    """A rule that selects subscribers cannot be understood."""


class ImportFileError(NewsletterError):
    """A file of subscribers cannot be taken in."""


class StoreError(NewsletterError):
    """The database is unreachable, locked, full or not migrated."""


class MailingError(NewsletterError):
    """A mailing cannot be planned, sent, paused, resumed or found."""


class MailboxError(NewsletterError):
    """The mailbox that mails come back to cannot be reached, read or cleared."""


class ProviderError(NewsletterError):
    """The provider cannot be reached, or broke off."""


class ProviderRefusedError(ProviderError):
    """The provider knows us and refuses: credentials, policy or limits."""


_PLACED = re.compile(r"(?P<path>[^\s:]+):(?P<line>\d+)(?::\d+)?: (?P<message>.+)")


def located(error: NewsletterError, path: str = "") -> tuple[Problem, ...]:
    """Return what an error says as problems with a place.

    An error that only has sentences gives one problem for each line that begins with ``file:line:``, or
    one of ``path`` as a whole.
    """
    if isinstance(error, _ProblemsError):
        return error.problems
    placed = [match for line in str(error).split("\n") if (match := _PLACED.fullmatch(line))]
    if not placed:
        return (Problem(path=path, line=0, message=str(error)),)
    return tuple(
        Problem(path=match["path"], line=int(match["line"]), message=match["message"]) for match in placed
    )
