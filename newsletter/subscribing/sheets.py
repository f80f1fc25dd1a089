"""Read files of people as rows of cells: any encoding, any separator, packed or not, a row at a time."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from newsletter.domain import errors
from newsletter.subscribing import encodings

#: A cell longer than this is a quotation mark that was never closed.
_CELL = 1_000_000
#: What a packed file may grow to, and by how much, before it is taken for an attack.
_UNPACKED, _RATIO = 2_000_000_000, 200
_SMALL = 10_000_000

_SEPARATORS = ",;\t|"
_SEP_LINE = re.compile(r"sep=(.)\s*$", re.IGNORECASE)


#: The line that a row begins on, and its cells.
Row = tuple[int, list[str]]


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One table: a file of its own, or one of a packed file."""

    #: Empty for a file of its own.
    member: str
    #: Added to its lines so that no two sheets of one file share a line.
    offset: int
    encoding: str
    separator: str
    path: Path

    def rows(self) -> Iterator[Row]:
        """Yield the rows that have anything in them, the heading first.

        Raises:
            ImportFileError: a quotation never ends, the encoding breaks off, or the packing is damaged.
        """
        with (
            _opened(self.path, self.member) as binary,
            io.TextIOWrapper(binary, encoding=self.encoding, newline="") as text,
        ):
            yield from self._parsed(text)

    def _parsed(self, text: Iterable[str]) -> Iterator[Row]:
        csv.field_size_limit(_CELL)
        reader = csv.reader(text, delimiter=self.separator)
        line = 1
        try:
            for cells in reader:
                if any(cells) and not (line == 1 and _SEP_LINE.match(self.separator.join(cells))):
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            raise errors.ImportFileError(
                f"{self.name}:{line}: this row cannot be read ({error})",
                hint="is a quotation mark on that line never closed?",
            ) from error
        except UnicodeError as error:
            raise errors.ImportFileError(
                f"{self.name}: not readable as {self.encoding} near line {line}",
                hint="name its encoding: --encoding shift_jis, --encoding windows-1252 …",
            ) from error
        except (zipfile.BadZipFile, EOFError, OSError) as error:
            raise errors.ImportFileError(f"{self.name} is damaged ({error})") from error

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return f"{self.path.name}/{self.member}" if self.member else self.path.name


def open_sheets(path: Path, *, encoding: str = "") -> list[Sheet]:
    """Return the tables of a file, with encoding and separator found out where none is given.

    Raises:
        ImportFileError: it is not there, empty, packed beyond reason, or no table.
    """
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise errors.ImportFileError(f"{path} cannot be read ({error.strerror})") from error
    if not start.strip():
        raise errors.ImportFileError(f"{path} is empty")
    if start.startswith(b"PK\x03\x04"):
        return _packed(path, encoding)
    return [_sheet(path, "", offset=0, encoding=encoding)]


def _packed(path: Path, encoding: str) -> list[Sheet]:
    try:
        with zipfile.ZipFile(path) as packed:
            members = [info for info in packed.infolist() if _is_table(info.filename)]
    except zipfile.BadZipFile as error:
        raise errors.ImportFileError(f"{path} is damaged ({error})") from error
    if not members:
        raise errors.ImportFileError(
            f"{path} holds no .csv, .tsv or .txt file",
            hint="unpack it, and import the file with the people in it",
        )
    _refuse_bombs(path, members)
    sheets, offset = [], 0
    for info in members:
        if info.file_size:
            sheets.append(_sheet(path, info.filename, offset=offset, encoding=encoding))
        # No table has more lines than bytes.
        offset += info.file_size
    return sheets


def _is_table(name: str) -> bool:
    hidden = any(part.startswith((".", "__")) for part in name.split("/"))
    return not hidden and name.lower().endswith((".csv", ".tsv", ".txt"))


def _refuse_bombs(path: Path, members: list[zipfile.ZipInfo]) -> None:
    for info in members:
        if info.flag_bits & 0x1:
            raise errors.ImportFileError(
                f"{path}: {info.filename} is locked by a password", hint="unpack it first"
            )
    size = sum(info.file_size for info in members)
    packed = sum(info.compress_size for info in members) or 1
    if size > _UNPACKED or (size > _SMALL and size / packed > _RATIO):
        raise errors.ImportFileError(
            f"{path} would unpack from {packed / 1e6:,.1f} to {size / 1e6:,.0f} MB: no list of people does",
            hint="if it is, unpack it yourself and import the files",
        )


@contextmanager
def _opened(path: Path, member: str) -> Iterator[IO[bytes]]:
    if not member:
        with path.open("rb") as file:
            yield file
        return
    # zipfile never yields more bytes than the directory declared, and the declared size was looked at.
    with zipfile.ZipFile(path) as packed, packed.open(member) as file:
        yield file


def _sheet(path: Path, member: str, *, offset: int, encoding: str) -> Sheet:
    try:
        with _opened(path, member) as binary:
            found = encoding or encodings.detect(binary)
        with _opened(path, member) as binary, io.TextIOWrapper(binary, encoding=found, newline="") as text:
            separator = _separator(text)
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise errors.ImportFileError(f"{path} is damaged ({error})") from error
    except LookupError as error:
        raise errors.ImportFileError(
            f"{encoding} is no encoding that we know", hint="utf-8, utf-16, windows-1252, shift_jis …"
        ) from error
    except UnicodeError as error:
        raise errors.ImportFileError(
            f"{path} is not readable as {found}", hint="name its encoding: --encoding windows-1252"
        ) from error
    return Sheet(member=member, offset=offset, encoding=found, separator=separator, path=path)


def _separator(text: IO[str]) -> str:
    first = text.readline(_CELL)
    while first and not first.strip():
        first = text.readline(_CELL)
    if said := _SEP_LINE.match(first):
        return said[1]
    unquoted = re.sub(r'"[^"]*"', "", first)
    return max(_SEPARATORS, key=unquoted.count)
