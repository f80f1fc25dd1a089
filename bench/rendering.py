"""Render the sample issues in process: read, check, pour; editors who preview wait for the later renders."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from newsletter import wiring

REPOSITORY = Path(__file__).parent.parent
RUNS = 20

if __name__ == "__main__":
    press = wiring.build(REPOSITORY).press
    for path in sorted((REPOSITORY / "issues").glob("vol-*.md")):
        taken = []
        for _ in range(RUNS + 1):
            started = time.perf_counter()
            proof = press.proof(path)
            html, _ = press.parts(proof.editions[0])
            taken.append((time.perf_counter() - started) * 1000)
        size = len(html.encode()) / 1024
        median = statistics.median(taken[1:])
        print(f"rendering {path.name}: {median:.1f} ms (first {taken[0]:.0f} ms), {size:.0f} KB")
