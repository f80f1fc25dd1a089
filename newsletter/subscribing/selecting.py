"""Find the audience that a name, or a rule typed in its place, means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from newsletter import ports
from newsletter.domain import audiences, errors

EVERYONE = "everyone"
#: What tells a rule from a name.
_RULE = re.compile(r"[:=<>]|\bin\b\s*\(")


@dataclass(frozen=True, kw_only=True)
class Audiences:
    """The saved audiences of a publication, and the words that their rules may use."""

    saved: Mapping[str, str] = field(default_factory=dict)
    words: audiences.Vocabulary = field(default_factory=audiences.Vocabulary)

    def find(self, name: str = "", *, exclude: str = "") -> ports.Audience:
        """Return the audience of a name or rule, without whom another name or rule names.

        Raises:
            AudienceError: there is none of that name, or the rule cannot be understood.
        """
        return ports.Audience(
            name=name or EVERYONE,
            rule=self.rule(name) if name else "",
            exclude=self.rule(exclude) if exclude else "",
        )

    def rule(self, text: str) -> str:
        """Return the rule that a saved name stands for, or the rule itself; empty for everyone.

        Raises:
            AudienceError: there is none of that name, or the rule cannot be understood.
        """
        if text == EVERYONE:
            return ""
        if text not in self.saved and not _RULE.search(text):
            raise self._unknown(text)
        rule = self.saved.get(text, text)
        audiences.parse(rule, self.words)
        return rule

    def _unknown(self, name: str) -> errors.AudienceError:
        known = [EVERYONE, *self.saved]
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]}? Or" if near else f"known are: {', '.join(known)}; or"
        return errors.AudienceError(
            f"there is no audience “{name}”", hint=f"{hint} type a rule, such as tag:press"
        )
