"""Write the table of docs/providers.md from the registry itself; `tests/test_docs.py` checks it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from newsletter.providers import enrolling, registry
from newsletter.sending.standing import vendors
from newsletter.settings import providers

PAGE = Path(__file__).parent / "providers.md"
BEGIN, END = "<!-- written by `make docs` -->\n", "<!-- end -->\n"
HEADINGS = (
    "kind",
    "messages a call",
    "bytes of a message",
    "form",
    "repeats recognised",
    "calls at once",
    "webhook by API",
    "asked for in SPF",
)
#: Enough to set any kind up; nothing is spoken to.
SAMPLES = {
    "smtp": {"host": "mail.example.org"},
    "outbox": {"path": "outbox"},
    "mailgun": {"domain": "mg.example.org"},
    "ses": {"region": "eu-west-1", "access_key": "KEY"},
}


def table() -> str:
    """Return the table."""
    rows = [HEADINGS, tuple("---" for _ in HEADINGS), *(row(kind) for kind in registry.KINDS)]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


def row(kind: str) -> tuple[str, ...]:
    """Return what one kind declares of itself."""
    options: Any = providers.KINDS[kind](kind=kind, **SAMPLES.get(kind, {}))
    made: Any = registry.build(kind, options.plain(Path()), clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    limits = made.limits
    return (
        f"`{kind}`",
        f"{limits.batch:,}",
        f"{limits.max_bytes:,}" if limits.max_bytes else "as the server says" if kind == "smtp" else "any",
        "ours to the byte" if limits.raw else "the provider's MIME",
        "yes" if limits.idempotent else "no",
        str(getattr(options, "connections", 1)),
        _webhook(kind, made),
        vendors.of(kind).include or "–",
    )


def _webhook(kind: str, made: Any) -> str:
    if kind not in enrolling.DESKS:
        return "–"
    desk = enrolling.DESKS[kind](made.api, now=datetime(2026, 1, 1, tzinfo=UTC))
    return "yes" if desk.creation("https://example.org", "user:password") else "no"


def page() -> str:
    """Return the page with its table written anew."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
