"""Who sends: a name for this process that another one on the same machine can check."""

from __future__ import annotations

import functools
import hashlib
import os
import socket
from pathlib import Path

#: What tells machines apart that have one name; containers without the first have their host's second.
_MACHINE = (Path("/etc/machine-id"), Path("/proc/sys/kernel/random/boot_id"))


def own() -> str:
    """Return ``host/machine:pid:start`` of this process."""
    return f"{_host()}:{os.getpid()}:{_start(os.getpid())}"


def machine(owner: str) -> str:
    """Return what people call the machine of an owner."""
    return owner.rsplit(":", 2)[0].partition("/")[0]


def process(owner: str) -> str:
    """Return the number of an owner's process on its machine."""
    return owner.rsplit(":", 2)[1]


def plainly(owner: str) -> str:
    """Return what people call an owner."""
    return f"{machine(owner)} (process {process(owner)})"


def is_dead(owner: str) -> bool:
    """Say whether a process is certainly gone: it ran on this machine, and does not any more.

    A pid is given again to others; the start time tells them apart.
    """
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    start = owner.rpartition(":")[2]
    if host != _host() or not rest.isdigit():
        return False
    pid = int(rest)
    if _start(pid) != start:
        return True
    return not start and not _answers(pid)


@functools.cache
def _host() -> str:
    """Return a name that no other machine has, and no other container on it: a pid means nothing there."""
    machine = next((text for text in map(_read, _MACHINE) if text), "")
    try:
        space = str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        space = ""
    mark = hashlib.sha256(f"{machine} {space}".encode()).hexdigest()[:8]
    return f"{socket.gethostname()}/{mark}"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


def _start(pid: int) -> str:
    """Return when a process started, in ticks since boot; empty where the system does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    # The second field, the program's name in brackets, may itself hold blanks and brackets (proc(5)).
    fields = stat.rpartition(")")[2].split()
    # A zombie has ended; only its parent has not noticed yet.
    return "" if fields[0] in "ZX" else fields[19]


def _answers(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
