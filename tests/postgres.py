"""A throw-away PostgreSQL cluster: started for a test session, gone after it."""

from __future__ import annotations

import contextlib
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest


class Cluster:
    """A running server, reached by a socket in its own folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)

    def url(self, name: str) -> str:
        return f"postgresql://postgres@/{name}?host={self._folder}"

    def create(self, template: str = "template0") -> str:
        """Make an empty database, or a copy of one, and return its URL."""
        name = f"t{next(self._numbers)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)


def require(*paths: Path | None) -> None:
    """Skip when a tool is missing on a desk; fail where CI is set."""
    if all(paths):
        return
    message = "PostgreSQL's initdb was not found in /usr/lib/postgresql/*/bin: apt install postgresql"
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)


def _tools() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    on_path = shutil.which("initdb")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


@contextlib.contextmanager
def running() -> Iterator[Cluster]:
    """Start a cluster as an unprivileged user: initdb refuses root."""
    tools = _tools()
    require(tools)
    assert tools is not None
    folder = Path(tempfile.mkdtemp(prefix="newsletter-pg-"))
    user = None if os.getuid() else "nobody"
    if user:
        os.chown(folder, pwd.getpwnam(user).pw_uid, -1)
    data = folder / "data"
    initdb: list[str | Path] = [
        tools / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C",
        "-N",
    ]
    subprocess.run(initdb, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
    control: list[str | Path] = [tools / "pg_ctl", "-D", data, "-w", "-s"]
    start: list[str | Path] = [*control, "-l", folder / "log", "-o", " ".join(options), "start"]
    try:
        subprocess.run(start, check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)
        yield Cluster(folder)
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], check=False, user=user, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)
