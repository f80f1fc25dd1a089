"""Who sends: a name for this process that another one on the same machine can check."""

from __future__ import annotations

import os
import socket
from pathlib import Path


def own() -> str:
    """Return ``host:pid:start`` of this process."""
    return f"{socket.gethostname()}:{os.getpid()}:{_start(os.getpid())}"


def is_dead(owner: str) -> bool:
    """Say whether a process is certainly gone: it ran on this machine, and does not any more.

    A pid is given again to others; the start time tells them apart.
    """
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    start = owner.rpartition(":")[2]
    if host != socket.gethostname() or not rest.isdigit():
        return False
    pid = int(rest)
    if _start(pid) != start:
        return True
    return not start and not _answers(pid)


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
