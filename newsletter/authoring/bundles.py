"""Bundles: the files of a ZIP, a folder or a mail, looked up by name and read one at a time within limits."""

from __future__ import annotations

import posixpath
import urllib.parse
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from newsletter.domain import errors

#: One file, all files together, and how many: what an archive of many years may hold.
_FILE, _TOTAL, _COUNT = 20_000_000, 1_000_000_000, 20_000


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """Files by their names, with ``/`` between folders."""

    source: str
    #: Reads one file.
    files: Mapping[str, Callable[[], bytes]]
    #: Names in lower case without folders, for links that say less than a whole path.
    by_name: Mapping[str, str] = field(default_factory=dict)

    def read(self, name: str) -> bytes:
        """Return one file.

        Raises:
            IssueError: it is damaged, encrypted or too large.
        """
        return self.files[name]()

    def find(self, link: str, beside: str) -> str:
        """Return the name of the file that a link in another file means, or an empty text."""
        path = urllib.parse.unquote(urllib.parse.urlsplit(link).path)
        if not path:
            return ""
        near = posixpath.normpath(posixpath.join(posixpath.dirname(beside), path))
        for candidate in (near, path.lstrip("/")):
            if candidate in self.files:
                return candidate
        return self.by_name.get(posixpath.basename(path).lower(), "")


def of_folder(folder: Path, *, only: str = "") -> Bundle:
    """Return the files of a folder and of those in it, hidden ones left out.

    With ``only`` that file, and the pictures that it names are looked for when it names them.
    """
    if only:
        return Bundle(source="", files=_Beside(folder))
    files: dict[str, Callable[[], bytes]] = {}
    for path in sorted(folder.rglob("*"))[:_COUNT]:
        relative = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in relative.parts):
            files[relative.as_posix()] = _file(path)
    return _bundle(str(folder), files)


def of_zip(path: Path) -> Bundle:
    """Return the files of a ZIP.

    Raises:
        IssueError: it is no ZIP, or unpacks into more than any archive of issues holds.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise cannot(path, f"cannot be unpacked: {error}") from error
    entries = [entry for entry in archive.infolist() if not entry.is_dir()]
    if len(entries) > _COUNT or sum(entry.file_size for entry in entries) > _TOTAL:
        raise cannot(path, "unpacks into more than any archive of issues holds")
    files = {
        entry.filename.replace("\\", "/"): _entry(archive, entry, path)
        for entry in entries
        if not entry.filename.startswith("__MACOSX/")
    }
    return _bundle(str(path), files)


def cannot(source: object, message: str, *, hint: str = "") -> errors.IssueError:
    """Return the error of a source that cannot be read."""
    return errors.IssueError([errors.Problem(path=str(source), line=0, message=message)], hint=hint)


def _bundle(source: str, files: Mapping[str, Callable[[], bytes]]) -> Bundle:
    names: dict[str, str] = {}
    for name in files:
        names.setdefault(posixpath.basename(name).lower(), name)
    return Bundle(source=source, files=files, by_name=names)


class _Beside(Mapping[str, Callable[[], bytes]]):
    """The files of a folder, looked for one at a time and never listed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __getitem__(self, name: str) -> Callable[[], bytes]:
        path = self._folder / name
        inside = path.resolve().is_relative_to(self._folder.resolve())
        if not inside or not path.is_file():
            raise KeyError(name)
        return _file(path)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _file(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            if path.stat().st_size > _FILE:
                raise cannot(path, f"larger than {_FILE:,} bytes")
            return path.read_bytes()
        except OSError as error:
            raise cannot(path, f"cannot be read: {error.strerror or error}") from error

    return read


def _entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        if entry.file_size > _FILE:
            raise cannot(f"{path}: {entry.filename}", f"larger than {_FILE:,} bytes")
        try:
            with archive.open(entry) as file:
                # What the directory of a ZIP says of a size need not be true.
                data = file.read(_FILE + 1)
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError) as error:
            raise cannot(f"{path}: {entry.filename}", f"cannot be unpacked: {error}") from error
        if len(data) > _FILE:
            raise cannot(f"{path}: {entry.filename}", f"larger than {_FILE:,} bytes")
        return data

    return read
