"""What a command line costs before it does anything: CPU of a fresh process, the least of several runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
RUNS = 7


def cpu(arguments: list[str]) -> float:
    """Return the CPU seconds, user and system, of one `newsletter` run."""
    process = subprocess.Popen(
        [sys.executable, "-m", "newsletter", *arguments], cwd=REPOSITORY, stdout=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"newsletter {' '.join(arguments)} left with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    for arguments in (["--help"], ["issue", "list"]):
        least = min(cpu(arguments) for _ in range(RUNS))
        print(f"start-up  newsletter {' '.join(arguments):<12} {least:.3f} s CPU (least of {RUNS})")
