"""Bind a file's columns to what they mean, and turn its rows into people."""

from __future__ import annotations

import ast
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from newsletter.domain import addresses, errors, intake
from newsletter.domain.subscribers import Status
from newsletter.subscribing import attributes, cleaning, exporting, formats, sheets

#: Rows looked at to find the column with addresses where no name gives it away.
_LOOK = 50
_REMEMBERED = 1000
_row = tuple.__new__

#: ``Ada Lovelace <ada@example.org>`` and ``ada@example.org (Ada Lovelace)``, as mailing lists print them.
_NAMED = re.compile(r'\s*"?(?P<name>[^"<]*?)"?\s*<(?P<email>[^<>]+)>\s*')
_COMMENTED = re.compile(r"\s*(?P<email>\S+@\S+)\s*\((?P<name>[^()]*)\)\s*")

_NUL = "a cell holds a character that is none (NUL, or half of one)"
Cells = Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Bound:
    """One table with its columns understood."""

    sheet: sheets.Sheet
    format: formats.Format
    #: What each bound column means, by its name as it stands in the file.
    columns: Mapping[str, str]
    #: Columns that nothing is taken from.
    ignored: Sequence[str]
    #: The heading, as it stands in the file; empty where it has none.
    heading: Sequence[str]
    #: Where the address stands.
    email: int = 0
    #: Makes a person of a row.
    person: Callable[[int, list[str]], intake.Row]

    def rows(self) -> Iterator[sheets.Row]:
        """Yield the rows below the heading."""
        rows = self.sheet.rows()
        return itertools.islice(rows, 1 if self.heading else 0, None)


def bind(sheet: sheets.Sheet, kinds: Mapping[str, str] | None = None) -> Bound:
    """Find out what the columns of a table mean; columns named like an attribute are taken as that kind.

    Raises:
        ImportFileError: no column holds addresses.
    """
    head = list(itertools.islice(sheet.rows(), _LOOK + 1))
    if not head:
        raise errors.ImportFileError(f"{sheet.name} is empty")
    heading = head[0][1]
    if any(_address_in(cell) for cell in heading):
        return _bind_bare(sheet, [])
    if len(heading) == 1 and formats.heading(heading[0]) not in formats.ALIASES["email"]:
        return _bind_bare(sheet, heading)
    places = {formats.heading(column): place for place, column in reversed(list(enumerate(heading)))}
    found = formats.recognise(heading)
    roles = _roles(found, places)
    if "email" not in roles:
        roles["email"] = _address_column(sheet, heading, head[1:])
    rules = _rules(found, places, head[1:])
    declared = {name: places[name] for name in kinds or {} if name in places and name not in roles}
    used = {*roles.values(), *(place for place, _ in rules), *declared.values()}
    return Bound(
        sheet=sheet,
        format=found,
        columns={heading[place]: role for role, place in roles.items()}
        | {heading[place]: "status" for place, _ in rules}
        | {heading[place]: f"attr.{name}" for name, place in declared.items()},
        ignored=[column for place, column in enumerate(heading) if place not in used and column.strip()],
        heading=heading,
        email=roles["email"],
        person=_Person(sheet, found, roles, rules, _Declared(declared, kinds or {}, len(heading))),
    )


def _roles(found: formats.Format, places: Mapping[str, int]) -> dict[str, int]:
    roles = {}
    for role, aliases in formats.ALIASES.items():
        own = [found.columns[role]] if role in found.columns else aliases
        place = next((places[name] for name in own if name in places), None)
        if place is not None and role != "status":
            roles[role] = place
    if "first_name" in roles or "last_name" in roles:
        roles.pop("name", None)
    return roles


Rules = list[tuple[int, Callable[[str], Status]]]


def _rules(found: formats.Format, places: Mapping[str, int], rows: Sequence[sheets.Row]) -> Rules:
    rules = [*found.rules]
    if not any(isinstance(rule, formats.Words) for rule in rules):
        names = [name for name in formats.ALIASES["status"] if name in places]
        if found is formats.PLAIN and _speaks_of_status(places.get(formats.AMBIGUOUS_STATUS), rows):
            names.append(formats.AMBIGUOUS_STATUS)
        rules += [formats.Words(column=name, meanings=formats.STATUS_WORDS) for name in names]
    rules += [rule for rule in formats.ALWAYS if rule not in rules]
    return [(places[rule.column], _asked(rule)) for rule in rules if rule.column in places]


def _speaks_of_status(place: int | None, rows: Sequence[sheets.Row]) -> bool:
    words = [cells[place].strip().lower() for _, cells in rows if place is not None and place < len(cells)]
    return any(word in formats.STATUS_WORDS for word in words)


def _asked(rule: formats.Words | formats.Filled) -> Callable[[str], Status]:
    if isinstance(rule, formats.Filled):
        status = rule.status
        return lambda cell: status if cell.strip() else Status.ACTIVE
    meanings, otherwise = rule.meanings, rule.otherwise
    return lambda cell: meanings.get(cell.strip().lower(), otherwise)


def _address_column(sheet: sheets.Sheet, heading: Cells, rows: Sequence[sheets.Row]) -> int:
    """Return the column in which the rows have addresses, whatever it is called."""
    for place in range(len(heading)):
        cells = [cells[place] for _, cells in rows if place < len(cells) and cells[place].strip()]
        if cells and sum(map(_address_in, cells)) > len(cells) * 0.8:
            return place
    shown = ", ".join(heading[:8]) + (" …" if len(heading) > 8 else "")
    raise errors.ImportFileError(
        f"{sheet.name}: no column holds mail addresses (columns: {shown})",
        hint="name that column “email” in the first line",
    )


def _address_in(cell: str) -> bool:
    named = _NAMED.fullmatch(cell) or _COMMENTED.fullmatch(cell)
    text = named["email"] if named else cell
    return addresses.plain(text.strip()) is not None


class _Declared:
    """The columns that hold attributes of the publication's own."""

    def __init__(self, places: Mapping[str, int], kinds: Mapping[str, str], width: int) -> None:
        self.places, self.width = places, width
        self._kinds = kinds

    def read(self, cells: list[str], found: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Return the attributes of a row.

        Raises:
            ImportFileError: a value is not of its kind.
        """
        if not self.places:
            return found
        values = dict(found or {})
        for name, place in self.places.items():
            if text := cells[place].strip():
                try:
                    values[name] = attributes.typed(self._kinds[name], text)
                except ValueError as error:
                    raise errors.ImportFileError(f"{name}: {error}, not “{text}”") from None
        return values or None


class _Person:
    """Makes a person of a row of cells: the loop that a million rows go through."""

    def __init__(
        self,
        sheet: sheets.Sheet,
        found: formats.Format,
        roles: Mapping[str, int],
        rules: Rules,
        declared: _Declared,
    ) -> None:
        self._format, self._rules, self._width = found, rules, declared.width
        self._declared = declared
        self._status = max(found.status, formats.status_of_file(sheet.name), key=formats.CAUTION.index)
        self._email = roles["email"]
        self._names = [roles[role] for role in ("name", "first_name", "last_name") if role in roles]
        self._topics, self._tags = roles.get("topics"), roles.get("tags")
        self._language, self._timezone = roles.get("language"), roles.get("timezone")
        self._joined, self._attributes = roles.get("joined"), roles.get("attributes")
        #: Whether more than address, status, name, topics and tags is to be had.
        self._is_rich = bool(
            declared.places or roles.keys() & {"language", "timezone", "joined", "attributes"}
        )
        self._only_rule = rules[0][0] if len(rules) == 1 else None
        #: What the one rule said of a cell, and which labels one held: most files hold few different ones.
        self._said: dict[str, Status] = {}
        self._split: dict[str, tuple[str, ...]] = {"": ()}
        self._guarded = found.guarded
        self._skip = re.compile(found.skip, re.IGNORECASE) if found.skip else None

    def __call__(self, line: int, cells: list[str]) -> intake.Row:
        """Return the person of a row.

        Raises:
            AddressError: the address is none.
            ImportFileError: the row has more cells than the heading has columns.
        """
        if len(cells) != self._width:
            cells = self._fitted(cells)
        if self._guarded:
            cells = [exporting.unguarded(cell) for cell in cells]
        text = cells[self._email].strip()
        email = addresses.plain(text) or self._clean(text)
        if self._skip and self._skip.search(email):
            raise errors.AddressError("this person asked to be deleted where the file comes from")
        status = self._status
        if self._only_rule is not None:
            said = self._said.get(cells[self._only_rule])
            status = self._learned(cells) if said is None else said
        elif self._rules:
            status = self._asked(cells)
        name = self._name(cells) if self._names else ""
        topics = () if self._topics is None else self._labels(cells[self._topics])
        tags = () if self._tags is None else self._labels(cells[self._tags])
        if not self._is_rich:
            # Past the constructor, which takes twice as long.
            return _row(intake.Row, (line, email, status, name, "", "", topics, tags, None, None))
        return intake.Row(
            line,
            email,
            status,
            name,
            self._word(cells, self._language).replace("_", "-"),
            self._word(cells, self._timezone),
            topics,
            tags,
            self._declared.read(cells, _attributes(self._cell(cells, self._attributes))),
            self._moment(self._cell(cells, self._joined)),
        )

    def _fitted(self, cells: list[str]) -> list[str]:
        if any(cell.strip() for cell in cells[self._width :]):
            raise errors.ImportFileError(f"{len(cells)} cells, where the heading has {self._width} columns")
        return (cells + [""] * self._width)[: self._width]

    def _clean(self, text: str) -> str:
        if not text:
            raise errors.AddressError("no address")
        return cleaning.clean(text)

    def _learned(self, cells: list[str]) -> Status:
        said = self._asked(cells)
        if len(self._said) < _REMEMBERED:
            self._said[cells[self._rules[0][0]]] = said
        return said

    def _asked(self, cells: list[str]) -> Status:
        status = self._status
        for place, ask in self._rules:
            said = ask(cells[place])
            if said is not status and formats.CAUTION.index(said) > formats.CAUTION.index(status):
                status = said
        return status

    def _name(self, cells: list[str]) -> str:
        if len(self._names) == 1:
            name = " ".join(cells[self._names[0]].split())
        else:
            name = " ".join(" ".join([cells[place] for place in self._names]).split())
        if "\0" in name:
            raise errors.ImportFileError(_NUL)
        return name

    @staticmethod
    def _cell(cells: list[str], place: int | None) -> str:
        return "" if place is None else cells[place].strip()

    def _word(self, cells: list[str], place: int | None) -> str:
        word = self._cell(cells, place)
        if "\0" in word:
            raise errors.ImportFileError(_NUL)
        return word

    def _labels(self, cell: str) -> tuple[str, ...]:
        found = self._split.get(cell)
        if found is None:
            if "\0" in cell:
                raise errors.ImportFileError(_NUL)
            names = (part.strip().strip('"').strip() for part in cell.split(self._format.tags))
            found = tuple(dict.fromkeys(name for name in names if name))
            if len(self._split) < _REMEMBERED:
                self._split[cell] = found
        return found

    def _moment(self, cell: str) -> datetime | None:
        return moment(cell, self._format.date) if cell else None


def moment(text: str, form: str = "") -> datetime | None:
    """Return the time that a cell names, in UTC where it names no zone; None when it names none."""
    text = text.removesuffix(" UTC")
    try:
        found = datetime.strptime(text, form) if form else datetime.fromisoformat(text)  # noqa: DTZ007 - zone below
    except ValueError:
        try:
            found = datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z")
        except ValueError:
            return None
    try:
        # At the ends of the calendar a zone leads out of it.
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except OverflowError:
        return None


def _attributes(text: str) -> Mapping[str, Any] | None:
    """Read an object written as JSON, or as the Python literal that Buttondown writes."""
    if text in ("", "{}"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        try:
            found = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    return _storable(found) if isinstance(found, dict) else None


def _storable(found: Mapping[Any, Any]) -> Mapping[str, Any] | None:
    """Return attributes that both databases can keep as JSON, or None.

    Raises:
        ImportFileError: they hold a character that PostgreSQL, or UTF-8, has no place for.
    """
    try:
        named = {str(key): value for key, value in found.items()}
        written = json.dumps(named, ensure_ascii=False, allow_nan=False)
        written.encode()
    except UnicodeEncodeError:
        raise errors.ImportFileError(_NUL) from None
    except (TypeError, ValueError, RecursionError):
        return None
    if "\\u0000" in written.replace("\\\\", ""):
        raise errors.ImportFileError(_NUL)
    kept: Mapping[str, Any] = json.loads(written)
    return kept or None


def _bind_bare(sheet: sheets.Sheet, heading: list[str]) -> Bound:
    """Bind a file of lines like ``Ada <ada@example.org>``."""
    status = formats.status_of_file(sheet.name)

    def person(line: int, cells: list[str]) -> intake.Row:
        email, name = _named(cells, sheet.separator)
        return intake.Row(line, cleaning.clean(email), status, name)

    return Bound(
        sheet=sheet,
        format=formats.Format(name="one address per line"),
        columns={},
        ignored=(),
        heading=heading,
        person=person,
    )


def _named(cells: Cells, separator: str) -> tuple[str, str]:
    """Return address and name of a line without heading."""
    text = separator.join(cells)
    if found := _NAMED.fullmatch(text) or _COMMENTED.fullmatch(text):
        return found["email"], " ".join(found["name"].split())
    place = next((number for number, cell in enumerate(cells) if "@" in cell), 0)
    others = [cell.strip() for number, cell in enumerate(cells) if number != place and cell.strip()]
    return cells[place], others[0] if len(others) == 1 else ""
