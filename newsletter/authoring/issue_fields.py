"""The fields of an issue's front matter, each read with the words an editor needs when it is wrong."""

from __future__ import annotations

import enum
import re
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from newsletter.authoring import dates, flaws
from newsletter.authoring.front_matter import Block, Items, Scalar
from newsletter.domain import findings, issues, numbering

KEYS = (
    "volume",
    "number",
    "date",
    "title",
    "subject",
    "preheader",
    "language",
    "layout",
    "hero",
    "intro",
    "closing",
    "status",
    "send_at",
    "waive",
)
HERO_KEYS = ("file", "url", "alt", "credit", "credit_url", "caption")

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_Choice = TypeVar("_Choice", bound=enum.StrEnum)


class Reader:
    """Reads the fields of one block and notes what is wrong with them."""

    def __init__(self, block: Block, found: flaws.Flaws, *, of: str = "an issue") -> None:
        self.block = block
        self.found = found
        self.of = of

    def known(self, keys: tuple[str, ...]) -> None:
        """Note every key that is none of these."""
        for key, line in self.block.lines.items():
            if key not in keys:
                fix = flaws.nearest(key, keys) or f"the keys are {', '.join(keys)}"
                self.found.block("unknown-key", line, f"{self.of} has no key “{key}”", text=key, fix=fix)

    def scalar(self, key: str) -> Scalar | None:
        """Return a single value, or None where there is none."""
        value = self.block.values.get(key)
        if value is None or (isinstance(value, Scalar) and value.kind == "nothing"):
            return None
        if not isinstance(value, Scalar):
            kind = "a list" if isinstance(value, Items) else "a mapping"
            self.wrong(key, f"“{key}” is {kind}, not one text", fix=f"write “{key}: …” on one line")
            return None
        return value

    def text(self, key: str, default: str = "") -> str:
        """Return a text without white space around it."""
        value = self.scalar(key)
        return value.text.strip() if value and value.text.strip() else default

    def text_line(self, key: str) -> int:
        """Return the line on which a text begins, 0 where there is none."""
        value = self.scalar(key)
        if value is None or not value.text.strip():
            return 0
        return value.line + value.below

    def count(self, key: str) -> int:
        """Return a whole number from 1, or 0 after noting what is wrong with it."""
        value = self.scalar(key)
        if value is None:
            if key not in self.block.lines:
                self.found.block(
                    "missing-key", self.block.line or 1, f"“{key}” is missing", fix=f"add “{key}: 1”"
                )
            elif not isinstance(self.block.values[key], Items | Block):
                self.wrong(key, f"“{key}” is empty", fix=f"write “{key}: 1”")
            return 0
        if value.kind == "whole number" and not value.quoted and re.fullmatch(r"\d{1,4}", value.text):
            if int(value.text):
                return int(value.text)
            self.wrong(key, f"“{key}” counts from 1", text=value.text)
        else:
            self.wrong(key, *_not_a_count(key, value), text=value.text)
        return 0

    def day(self, key: str, *, required: bool = False) -> date | None:
        """Return a date, or None after noting what is wrong with it."""
        value = self.scalar(key)
        if value is None or not value.text.strip():
            if required and key not in self.block.lines:
                line = self.block.line or 1
                self.found.block("missing-key", line, f"“{key}” is missing", fix=f"add “{key}: 2026-11-20”")
            elif required:
                self.wrong(key, f"“{key}” is empty", fix=f"write “{key}: 2026-11-20”")
            return None
        text = value.text.strip()
        try:
            if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
                raise ValueError(text)
            return date.fromisoformat(text)
        except ValueError:
            self.wrong(key, f"“{text}” is not a date", text=text, fix=_date_fix(text))
            return None

    def moment(self, key: str, timezone: str) -> datetime | None:
        """Return a time with its zone; one without a zone is in the publication's."""
        text = self.text(key)
        if not text:
            return None
        try:
            when = datetime.fromisoformat(text)
        except ValueError:
            self.wrong(key, f"“{text}” is not a time", text=text, fix="write it as 2026-12-04 09:00")
            return None
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            self.wrong(key, f"“{key}” has a day but no time", text=text, fix=f"write {text} 09:00")
        return when if when.tzinfo else when.replace(tzinfo=ZoneInfo(timezone))

    def choice(self, key: str, default: _Choice) -> _Choice:
        """Return one of the values of an enumeration."""
        text = self.text(key)
        kinds = type(default)
        if text and text not in set(kinds):
            options = [str(kind) for kind in kinds]
            fix = flaws.nearest(text, options) or f"write {' or '.join(options)}"
            self.wrong(key, f"“{key}: {text}” is not known", text=text, fix=fix)
            return default
        return kinds(text) if text else default

    def mapping(self, key: str, *, example: str) -> Block | None:
        """Return a mapping, or None where there is none."""
        value = self.block.values.get(key)
        if value is None or (isinstance(value, Scalar) and value.kind == "nothing"):
            return None
        if not isinstance(value, Block):
            self.wrong(key, f"“{key}” wants indented lines below it", fix=f"as in “{example}”")
            return None
        return value

    def wrong(self, key: str, message: str, fix: str = "", *, text: str = "") -> None:
        """Note that a value is not what its key wants."""
        self.found.block("wrong-type", self.block.lines.get(key, 1), message, text=text or key, fix=fix)


def number(reader: Reader) -> numbering.IssueNumber | None:
    """Read volume and number."""
    volume, count = reader.count("volume"), reader.count("number")
    return numbering.IssueNumber(volume, count) if volume and count else None


def language(reader: Reader, default: str) -> str:
    """Read the language tag (BCP 47)."""
    text = reader.text("language", default)
    if not _LANGUAGE.fullmatch(text):
        reader.wrong("language", f"“{text}” is no language tag", text=text, fix="write en, ja or zh-Hant")
    return text


def hero(reader: Reader) -> issues.Hero | None:
    """Read the picture at the head; one without alt text or credit must not go out."""
    block = reader.mapping("hero", example="file: bridge.png")
    if block is None:
        return None
    inner = Reader(block, reader.found, of="a hero")
    inner.known(HERO_KEYS)
    file, url = inner.text("file"), inner.text("url")
    line = reader.block.lines["hero"]
    if file and url:
        inner.wrong("url", "the hero has both “file” and “url”", fix="keep one of them")
    picture = issues.Hero(
        src=url or file,
        alt=inner.text("alt"),
        credit=inner.text("credit"),
        credit_url=inner.text("credit_url"),
        caption=inner.text("caption"),
        line=line,
    )
    _check_hero(picture, block, reader.found)
    return picture


def _check_hero(picture: issues.Hero, block: Block, found: flaws.Flaws) -> None:
    notes: list[tuple[str, str, str, findings.Severity]] = []
    error = findings.Severity.ERROR
    if not picture.src and picture.credit:
        message = f"the hero has a credit (“{picture.credit}”) but no picture"
        notes.append(
            (
                "hero-file",
                message,
                "put the picture beside the issue and name it in “file:”",
                findings.Severity.WARNING,
            )
        )
    elif not picture.src:
        notes.append(
            ("hero-file", "the hero names no picture", "add “file:” or “url:”, or remove the hero", error)
        )
    if picture.src and not picture.alt:
        notes.append(("hero-alt", "the hero has no alt text", "say in “alt:” what the picture shows", error))
    if picture.src and not picture.credit:
        notes.append(("hero-credit", "the hero has no credit", "say in “credit:” whose picture it is", error))
    for rule, message, fix, severity in notes:
        found.note(
            flaws.Flaw(
                rule=rule,
                line=picture.line,
                message=message,
                text="hero",
                fix=fix,
                severity=severity,
                blocking=False,
            )
        )


def waivers(reader: Reader) -> dict[str, str]:
    """Read rule id → reason."""
    block = reader.mapping("waive", example="subject-length: the title is long this once")
    if block is None:
        return {}
    inner = Reader(block, reader.found, of="a waiver")
    return {rule: inner.text(rule) for rule in block.values}


def _not_a_count(key: str, value: Scalar) -> tuple[str, str]:
    if value.quoted:
        return f"“{key}” is the text “{value.text}”, not a number", "write it without quotes"
    if value.kind == "decimal number":
        whole, _, part = value.text.partition(".")
        return (
            f"“{key}: {value.text}” is one decimal number, and YAML takes 2.20 for 2.2",
            f"write “volume: {whole}” and “number: {part or 1}” as two whole numbers",
        )
    if value.kind == "boolean":
        return f"“{key}” is the boolean “{value.text}”, not a number", f"write “{key}: 1”"
    return f"“{key}: {value.text}” is not a whole number from 1 to 9999", f"write “{key}: 1”"


def _date_fix(text: str) -> str:
    guess = dates.guess(text)
    return f"write {guess.isoformat()}" if guess else "write it as 2026-11-20"
