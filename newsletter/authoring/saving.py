"""Write files whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from newsletter.domain import errors


def save(path: Path, data: str | bytes) -> None:
    """Write a file beside its place, then move it there: whoever reads it sees the old one or the new one.

    Raises:
        WorkspaceError: it cannot be written; the old file is untouched.
    """
    content = data.encode() if isinstance(data, str) else data
    path = path.resolve()  # a link stays a link
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with beside.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise errors.WorkspaceError(f"{path} cannot be written: {error.strerror or error}") from error


def save_new(path: Path, data: str | bytes, *, hint: str = "") -> None:
    """Write a file that must not be there yet.

    Raises:
        WorkspaceError: it is there, or cannot be written.
    """
    if path.exists():
        raise errors.WorkspaceError(f"{path} is there already", hint=hint)
    save(path, data)
