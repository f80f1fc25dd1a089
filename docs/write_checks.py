"""Write the list of rules in docs/checks.md from the rules themselves; a test holds the two together."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path

from newsletter import checking
from newsletter.checking import clients

PAGE = Path(__file__).parent / "checks.md"
START, END = "<!-- rules: written by `make docs` -->\n", "<!-- end of rules -->\n"


def rules() -> str:
    """Return every rule with its severity and reason, family by family."""
    parts = []
    for family, members in groupby(checking.rules(), key=lambda rule: rule.family):
        rows = [f"| `{rule.id}` | {rule.severity} | {rule.reason.replace('|', '∣')} |" for rule in members]
        parts.append(
            "\n".join(
                [f"### {family.capitalize()}\n", "| rule | severity | why |", "| --- | --- | --- |", *rows]
            )
        )
    return "\n\n".join(parts) + f"\n\nData on mail programs: caniemail.com, {clients.data()['date']}.\n"


def written(page: str) -> str:
    """Return the page with its list of rules as they are now."""
    before, _, rest = page.partition(START)
    return f"{before}{START}\n{rules()}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
