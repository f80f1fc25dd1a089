"""What a command line costs before it does anything: CPU of a fresh process, the least of several runs.

Modules are compiled in the first run and kept, as they are where the program is installed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
RUNS = 7


def installed(compiled: str) -> dict[str, str]:
    """Return an environment in which compiled modules are kept in a folder."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"PYTHONPYCACHEPREFIX": compiled}


def cpu(arguments: list[str], compiled: str) -> float:
    """Return the CPU seconds, user and system, of one `newsletter` run."""
    process = subprocess.Popen(
        [sys.executable, "-m", "newsletter", *arguments],
        cwd=REPOSITORY,
        env=installed(compiled),
        stdout=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"newsletter {' '.join(arguments)} left with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as compiled:
        for arguments in (["--help"], ["issue", "list"]):
            least = min(cpu(arguments, compiled) for _ in range(RUNS))
            print(f"start-up  newsletter {' '.join(arguments):<12} {least:.3f} s CPU (least of {RUNS})")
