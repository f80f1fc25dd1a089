"""Score the bounce reader on labelled real mails, where there are any.

NEWSLETTER_BOUNCE_CORPUS names a folder with `sisimai/` and `sisimai.json` (file → `records` of `address`,
`alias`, `kind`; `address_known`) and, if wanted, `flufl/` with `flufl.json` (file → `addresses`).
"""

from __future__ import annotations

import collections
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from newsletter.bounces import read

#: Least shares, in percent.
BAR = {"exact address set": 95.0, "hard/soft right": 90.0, "precision of hard": 97.0, "flufl corpus": 100.0}
MILLISECONDS = 2.0


class Score:
    """Tallies over a corpus."""

    def __init__(self) -> None:
        self.pairs: collections.Counter[tuple[str, str]] = collections.Counter()
        self.messages = self.exact = 0
        self.alarms: list[str] = []

    def add(self, name: str, label: dict[str, Any], got: dict[str, str]) -> None:
        """Count one mail."""
        bounces = [record for record in label["records"] if record["kind"] in ("hard", "soft")]
        if not bounces:
            self.alarms.extend([name] if got else [])
            return
        if not label["address_known"]:
            return
        used = set()
        for record in bounces:
            hit = next((address for address in (record["address"], record["alias"]) if address in got), None)
            self.pairs[record["kind"], got[hit] if hit else "none"] += 1
            used.add(hit)
        self.messages += 1
        self.exact += None not in used and not set(got) - used

    def shares(self) -> dict[str, tuple[int, int]]:
        """Return part and whole of each measure."""
        right = self.pairs["hard", "hard"] + self.pairs["soft", "soft"]
        said_hard = self.pairs["hard", "hard"] + self.pairs["soft", "hard"]
        return {
            "exact address set": (self.exact, self.messages),
            "hard/soft right": (right, self.pairs.total()),
            "precision of hard": (self.pairs["hard", "hard"], said_hard),
        }


def answers(path: Path) -> dict[str, str]:
    return {address.lower(): verdict for address, verdict in read(path.read_bytes())}


def main() -> int:
    folder = os.environ.get("NEWSLETTER_BOUNCE_CORPUS")
    if not folder:
        print("bounces   NEWSLETTER_BOUNCE_CORPUS names no folder: nothing scored")
        return 0
    corpus = Path(folder)
    score = Score()
    labels: dict[str, Any] = json.loads((corpus / "sisimai.json").read_text())
    began = time.process_time()
    for name, label in labels.items():
        score.add(name, label, answers(corpus / "sisimai" / name))
    each = (time.process_time() - began) / len(labels) * 1e3
    shares = score.shares()
    if (corpus / "flufl.json").exists():
        cases: dict[str, Any] = json.loads((corpus / "flufl.json").read_text())
        good = sum(
            set(answers(corpus / "flufl" / name)) == set(case["addresses"]) for name, case in cases.items()
        )
        shares["flufl corpus"] = (good, len(cases))
    for name, (part, whole) in shares.items():
        print(f"bounces   {name:<20} {part}/{whole} = {100 * part / whole:.1f} %")
    print(f"bounces   false alarms         {len(score.alarms)} {score.alarms[:3]}")
    print(f"bounces   CPU                  {each:.2f} ms a mail")
    held = all(100 * part >= BAR[name] * whole for name, (part, whole) in shares.items())
    return 0 if held and not score.alarms and each <= MILLISECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
