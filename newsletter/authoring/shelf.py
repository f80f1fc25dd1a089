"""The folder of issues: what is in it, and which one an editor means.

Only the head of each file is looked at, so that a shelf of hundreds opens at once.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from newsletter.authoring import flaws, front_matter
from newsletter.domain import errors, issues, numbering

#: Front matter is looked for in this many bytes.
_HEAD = 16_384
_COUNT = re.compile(r"[0-9]{1,4}").fullmatch
_HEADLINE = re.compile(r"^## (.+)$", re.MULTILINE)
#: ISO 639-1 with a script or region; three letters would make an edition of ``vol-2-23.old.md``.
_LANGUAGE_SUFFIX = re.compile(r"\.([a-z]{2}(?:-[A-Za-z0-9]{2,8})?)$")


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One file on the shelf, as far as its head tells."""

    path: Path
    number: numbering.IssueNumber | None = None
    date: date | None = None
    title: str = ""
    subject: str = ""
    language: str = ""
    status: str = issues.Status.DRAFT
    #: First headline.
    headline: str = ""

    @property
    def is_edition(self) -> bool:
        """Whether the file is a translation beside another: ``vol-2-23.ja.md``."""
        return language_in(self.path) != ""


def language_in(path: Path) -> str:
    """Return the language that a file name ends with, as in ``vol-2-23.ja.md``, or an empty text."""
    match = _LANGUAGE_SUFFIX.search(path.stem)
    return match[1] if match else ""


def listing(folder: Path) -> list[Listing]:
    """Return the issues of a folder by number, then language; files without a number come last."""
    found = [peek(path) for path in _files(folder)]
    last = numbering.IssueNumber(10_000, 1)
    return sorted(found, key=lambda one: (one.number or last, one.is_edition, str(one.path)))


def find(folder: Path, name: str, *, today: date | None = None, sent: Collection[object] = ()) -> Path:
    """Return the file that a name means: ``2.23``, ``vol-2-23``, a path, ``latest`` or ``next``.

    ``latest`` has the highest number. ``next`` is the one that goes out next: the lowest-numbered draft
    or, where ``today`` is given, issue of today or later, that is not among the numbers ``sent``.

    Raises:
        IssueError: there is no such issue, or more than one file is meant.
    """
    path = Path(name)
    if path.suffix == ".md":
        for candidate in (path, folder / path):
            if candidate.is_file():
                return candidate
        raise _unknown(f"there is no file {name}", folder)
    shelf = listing(folder)
    if name == "latest":
        return _latest(shelf, folder)
    if name == "next":
        return _next(shelf, folder, today=today, sent=sent)
    return _numbered(shelf, folder, name)


def editions(folder: Path, number: numbering.IssueNumber) -> list[Listing]:
    """Return the files of one number, the original first, then its translations by name."""
    return [one for one in listing(folder) if one.number == number]


def following(folder: Path, *, day: date | None = None, yearly: bool = False) -> numbering.IssueNumber:
    """Return the number that the next new issue takes.

    With ``yearly`` a volume is a calendar year: the first issue dated in another year opens the next volume.
    """
    numbered = [one for one in listing(folder) if one.number]
    if not numbered:
        return numbering.IssueNumber(1, 1)
    last = numbered[-1]
    assert last.number is not None
    new_volume = bool(yearly and day and last.date and day.year > last.date.year)
    return last.number.following(new_volume=new_volume)


def note_twins(issue: issues.Issue, found: flaws.Flaws) -> None:
    """Note other files beside an issue that have its number in the same language."""
    own = peek(issue.path)
    for other in listing(issue.path.parent):
        if other.path == issue.path or other.number != issue.number or "number" not in issue.lines:
            continue
        if _are_twins(own, other):
            found.note(
                flaws.Flaw(
                    rule="duplicate-number",
                    line=issue.lines["number"],
                    message=f"{issue.number.label} is also the number of {other.path.name}",
                    text=str(issue.number),
                    fix="give one of them the next number",
                    blocking=False,
                )
            )


def _are_twins(one: Listing, other: Listing) -> bool:
    """Whether two files of one number would be the same edition; one without a language has the default."""
    if one.language and other.language:
        return one.language == other.language
    return one.is_edition == other.is_edition


def peek(path: Path) -> Listing:
    """Return what the head of an issue file tells, without judging it."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return Listing(path=path)
    fields, body = front_matter.peek(head)
    number = None
    if _COUNT(fields.get("volume", "")) and _COUNT(fields.get("number", "")):
        volume, count = int(fields["volume"]), int(fields["number"])
        number = numbering.IssueNumber(volume, count) if volume and count else None
    try:
        day = date.fromisoformat(fields.get("date", ""))
    except ValueError:
        day = None
    return Listing(
        path=path,
        number=number,
        date=day,
        title=fields.get("title", ""),
        subject=fields.get("subject", ""),
        language=fields.get("language", "") or language_in(path),
        status=fields.get("status", "") or issues.Status.DRAFT,
        headline=headline[1].strip() if (headline := _HEADLINE.search(body)) else "",
    )


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    for path in folder.glob("*.md"):
        if path.is_file() and path.name.lower() != "readme.md":
            yield path


def _latest(shelf: list[Listing], folder: Path) -> Path:
    numbered = [one for one in shelf if one.number and not one.is_edition]
    if not numbered:
        raise _unknown("there is no issue yet", folder)
    return numbered[-1].path


def _next(shelf: list[Listing], folder: Path, *, today: date | None, sent: Collection[object]) -> Path:
    for one in shelf:
        if one.number is None or one.number in sent or one.is_edition:
            continue
        ahead = today is not None and one.date is not None and one.date >= today
        if one.status == issues.Status.DRAFT or ahead:
            return one.path
    raise _unknown("no issue is waiting to go out", folder)


def _numbered(shelf: list[Listing], folder: Path, name: str) -> Path:
    stem, _, language = name.partition("@")
    try:
        number = numbering.parse(stem)
    except errors.NewsletterError:
        number = None
    matches = [one for one in shelf if one.path.stem == name or (number and one.number == number)]
    wanted = [one for one in matches if one.language == language] if language else matches
    chosen = [one for one in wanted if not one.is_edition] or wanted
    if len(chosen) > 1:
        names = " and ".join(one.path.name for one in chosen)
        raise errors.IssueError(
            [errors.Problem(path=str(folder), line=0, message=f"{name} is the number of {names}")],
            hint="name the file you mean, or give one of them the next number",
        )
    if not chosen:
        raise _unknown(f"there is no issue {name}", folder)
    return chosen[0].path


def _unknown(message: str, folder: Path) -> errors.IssueError:
    known = [str(one.number) for one in listing(folder) if one.number]
    hint = f"the issues are {', '.join(known[-8:])}" if known else "newsletter issue new writes the first one"
    return errors.IssueError([errors.Problem(path=str(folder), line=0, message=message)], hint=hint)
