"""Back issues: take in what was published before, as issue files that need no more than a look."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from pathlib import Path

from newsletter.authoring import bundles, digest_texts, posts, saving
from newsletter.authoring.manuscripts import Kind, Manuscript, Note
from newsletter.domain import errors, numbering

#: A text of this size is no issue.
LARGEST = 8_000_000
_TEXTS = (".txt", ".md", ".markdown", ".text", "")
_PAGES = (".html", ".htm", ".eml")
_HEADINGS = re.compile(r"^#{1,3} \S", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Imported:
    """One issue that was taken in."""

    source: str
    path: Path
    number: numbering.IssueNumber
    date: datetime.date
    entries: int
    notes: tuple[Note, ...]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the editor says of an issue that its text does not."""

    number: numbering.IssueNumber | None = None
    date: datetime.date | None = None
    #: The number that comes next on the shelf, and today: taken where nothing else is known.
    next_number: numbering.IssueNumber
    today: datetime.date


@dataclass(frozen=True, kw_only=True)
class Missed:
    """One that could not be taken in, and why."""

    source: str
    reason: str


def take_in(source: Path, folder: Path, wishes: Wishes) -> list[Imported | Missed]:
    """Read issues from a text, a page, a mail, or a ZIP or folder of them, and write each into the folder.

    Raises:
        IssueError: the source cannot be read, or nothing in it is an issue.
        WorkspaceError: a single issue's number is taken already.
    """
    bundle = _bundle(source)
    if bundle is None:
        return [write(read(source), source.name, folder, wishes)]
    found = list(posts.of_bundle(bundle))
    if not found:
        hint = "Markdown, HTML and .eml files are, each of them one issue"
        raise bundles.cannot(source, "nothing in it is an issue", hint=hint)
    if wishes.number or wishes.date:
        raise errors.UsageError("a number or a date cannot be named for several issues at once")
    taken: list[Imported | Missed] = []
    for name, script in _in_order(found, wishes):
        try:
            if isinstance(script, errors.NewsletterError):
                raise script
            taken.append(write(script, name, folder, wishes))
        except errors.NewsletterError as error:
            taken.append(Missed(source=name, reason=str(error)))
    return taken


def read(source: Path) -> Manuscript:
    """Read one issue from a text in the digest's own layout, Markdown, a page or a mail.

    Raises:
        IssueError: it cannot be read, or has another layout.
    """
    suffix = source.suffix.lower()
    if suffix not in (*_TEXTS, *_PAGES):
        hint = "save it as text, Markdown, HTML or .eml"
        raise bundles.cannot(source, f"a “{source.suffix}” file cannot be read as an issue", hint=hint)
    data = _load(source)
    text, guess = _decode(data)
    if suffix in _PAGES or (_is_post(text) and not digest_texts.is_digest(text)):
        return posts.of_file(bundles.of_folder(source.parent, only=source.name), source.name)
    if not digest_texts.is_digest(text):
        raise bundles.cannot(
            source,
            "no line “Headlines:” and below it “Details:”",
            hint="the layout is: title, Vol: 2.23, date, Headlines: with bullets, Details: with bullets",
        )
    script = digest_texts.read(text)
    if guess:
        script.notes.insert(0, Note(Kind.GUESSED, guess))
    if not script.pieces:
        raise bundles.cannot(
            source, "neither headlines nor details have bullets", hint="begin each with “- ”"
        )
    return script


def write(script: Manuscript, source: str, folder: Path, wishes: Wishes) -> Imported:
    """Write what was read as an issue file of its own, its pictures beside it.

    Raises:
        WorkspaceError: an issue of that number is there already, or cannot be written.
    """
    script.number = wishes.number or script.number or _guessed_number(script, wishes)
    script.date = wishes.date or script.date or _guessed_date(script, wishes)
    script.status = script.status or "ready"
    path = folder / f"{script.number.slug}.md"
    script.name_pictures(script.number.slug)
    text = script.text()
    if path.exists():
        hint = "give it another number with --number, or move that file away"
        raise errors.WorkspaceError(f"{path} is there already", hint=hint)
    for name, picture in script.pictures.items():
        saving.save(folder / name, picture())
    saving.save_new(path, text)
    return Imported(
        source=source,
        path=path,
        number=script.number,
        date=script.date,
        entries=len(script.pieces),
        notes=tuple(script.notes),
    )


def _bundle(source: Path) -> bundles.Bundle | None:
    if source.is_dir():
        return bundles.of_folder(source)
    return bundles.of_zip(source) if source.suffix.lower() == ".zip" else None


def _is_post(text: str) -> bool:
    return text.lstrip("\ufeff \n").startswith(("---", "+++")) or len(_HEADINGS.findall(text)) > 1


def _in_order(
    found: list[tuple[str, Manuscript | errors.NewsletterError]], wishes: Wishes
) -> list[tuple[str, Manuscript | errors.NewsletterError]]:
    """Return posts by date, each with a number: its own, or the next that none of them has."""

    def key(one: tuple[str, Manuscript | errors.NewsletterError]) -> tuple[datetime.date, str]:
        script = one[1]
        known = script.date if isinstance(script, Manuscript) else None
        return known or datetime.date.max, one[0]

    ordered = sorted(found, key=key)
    scripts = [script for _, script in ordered if isinstance(script, Manuscript)]
    taken = {script.number for script in scripts if script.number}
    number = wishes.next_number
    for script in scripts:
        if script.number is None:
            while number in taken:
                number = number.following()
            script.number = number
            taken.add(number)
            script.note(Kind.GUESSED, f"it has no number; by its date it became {number.label}")
    return ordered


def _guessed_number(script: Manuscript, wishes: Wishes) -> numbering.IssueNumber:
    script.note(Kind.GUESSED, f"the text has no number; it became {wishes.next_number.label}")
    return wishes.next_number


def _guessed_date(script: Manuscript, wishes: Wishes) -> datetime.date:
    script.note(Kind.GUESSED, f"the text has no date; it became {wishes.today}")
    return wishes.today


def _load(source: Path) -> bytes:
    try:
        if source.stat().st_size > LARGEST:
            raise bundles.cannot(
                source, f"larger than {LARGEST:,} bytes", hint="an issue is a text of a few pages"
            )
        return source.read_bytes()
    except OSError as error:
        raise bundles.cannot(source, f"cannot be read: {error.strerror or error}") from error


def _decode(data: bytes) -> tuple[str, str]:
    """Return the text with LF line ends, and what had to be guessed of its encoding."""
    guess = ""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = data.decode("utf-16", "replace")
    else:
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text, guess = (
                data.decode("cp1252", "replace"),
                "the text is not UTF-8; it was read as Windows-1252",
            )
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", ""), guess
