"""Press caniemail's data into the small file that the checks read.

The argument is caniemail.json as the npm package `caniemail` carries it; `make caniemail` fetches it.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "newsletter" / "checking" / "data" / "caniemail.json.gz"


def press(data: dict[str, Any]) -> dict[str, Any]:
    """Keep for each feature one letter per client: y, n, p (partly), u (not known), . (never tested)."""
    pairs = sorted({(f, p) for feature in data["data"] for f, ps in feature["stats"].items() for p in ps})
    names = data["nicenames"]
    return {
        "date": data["last_update_date"][:10],
        "clients": {
            f"{family}.{platform}": nice(names["family"].get(family, family), names["platform"][platform])
            for family, platform in pairs
        },
        "features": {
            feature["slug"]: [
                feature["title"].strip(),
                "".join(letter(feature["stats"], *pair) for pair in pairs),
            ]
            for feature in data["data"]
        },
    }


def nice(family: str, platform: str) -> str:
    """Return a client's name for people."""
    return platform if platform.startswith(family) else f"{family} {platform}"


def letter(stats: dict[str, Any], family: str, platform: str) -> str:
    """Return what the newest version of a client makes of a feature; versions come oldest first."""
    versions = list(stats.get(family, {}).get(platform, {}).values())
    if not versions:
        return "."
    verdict, _, note = versions[-1].strip().lower().partition(" ")
    return "p" if verdict == "a" or (verdict == "y" and note) else verdict[:1]


def main() -> None:
    pressed = press(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    text = json.dumps(pressed, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    # No time in the header: the same data gives the same bytes.
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
    print(
        f"{len(pressed['features'])} features, {len(pressed['clients'])} clients, data of {pressed['date']}"
    )


if __name__ == "__main__":
    main()
