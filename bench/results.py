"""Run the measurements of delivery and write them down, with date and machine, to bench/results.md."""

from __future__ import annotations

import subprocess
import sys
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import rivals

HERE = Path(__file__).parent
HEAD = """# Measurements of delivery

Written by `make bench` on {day}: {machine}.

Rounds in turn on the same machine, medians, and the median of each round's ratio: the ratios travel, the
absolute figures do not. Everything goes to a sink on the same machine: smtp-sink is itself the limit, and
csink is none.
"""


def run(script: str, *arguments: str) -> str:
    """Run one measurement, show what it says as it says it, and return it."""
    command = [sys.executable, str(HERE / script), *arguments]
    lines = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        raise SystemExit(f"{script} left with {process.returncode}")
    return "".join(lines)


if __name__ == "__main__":
    parts = [HEAD.format(day=date.today().isoformat(), machine=rivals.machine())]
    for title, script in (
        ("A whole mailing, every write of the ledger included", "mailing.py"),
        ("Long mailings and distant servers", "long_mailing.py"),
        ("The SMTP client alone", "smtp_client.py"),
        ("Two processes on one database", "machines.py"),
    ):
        parts.append(f"## {title}\n\n```\n{run(script, *sys.argv[1:])}```\n")
    (HERE / "results.md").write_text("\n".join(parts))
