"""Rules that hold when an issue file is read: listed here so that they can be explained and waived."""

from __future__ import annotations

from collections.abc import Iterable

from newsletter.checking import reading, rulebook
from newsletter.domain import findings

_ERROR = findings.Severity.ERROR
_HOUSE = "docs/writing.md"


def _found_by_reading(_page: reading.Reading) -> Iterable[rulebook.Hit]:
    # `Subject.flaws` carries these findings.
    return ()


def _filed(rule_id: str, reason: str) -> rulebook.Rule:
    return rulebook.Rule(
        id=rule_id, family="file", severity=_ERROR, reason=reason, source=_HOUSE, look=_found_by_reading
    )


unfinished = _filed(
    "unfinished",
    "TK, TODO and FIXME are notes between editors: one that reaches a reader says that nobody looked.",
)
image_alt = _filed(
    "image-alt",
    "A picture without alt text is a gap for every reader who does not see it, or has pictures off.",
)
hero_missing = _filed(
    "hero-missing",
    "The hero's file is looked for beside the issue; without it the mail opens with an empty frame.",
)
unsafe_link = _filed(
    "unsafe-link",
    "A link that runs code or reads the reader's machine is blocked by every mail program, rightly.",
)
duplicate_number = _filed(
    "duplicate-number",
    "Two issues of one number share one address in the archive, and one of them would be lost.",
)
render = _filed(
    "render",
    "What cannot be poured into its template cannot go out: the template is wrong, or the text asks for"
    " something that is not there.",
)
no_entries = _filed("no-entries", "A digest without entries has nothing to say.")
