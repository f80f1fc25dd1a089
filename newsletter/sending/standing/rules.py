"""The rules of Gmail, Yahoo and Microsoft for who sends to many, by name, with our state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from newsletter.domain import diagnoses
from newsletter.domain.diagnoses import Diagnosis, Verdict


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One thing that a receiver asks for."""

    says: str
    #: The concerns that it rests on.
    concerns: tuple[str, ...]


_SIGNED = Rule(says="SPF and DKIM", concerns=("SPF", "DKIM"))
_POLICY = Rule(says="DMARC, p=none at least", concerns=("DMARC",))
_ALIGNED = Rule(says="From aligned with SPF or DKIM", concerns=("alignment",))
_REVERSE = Rule(says="forward and reverse DNS", concerns=("reverse DNS",))
_ONE_CLICK = Rule(says="one-click unsubscription", concerns=("one-click",))

#: https://support.google.com/a/answer/81126, https://senders.yahooinc.com/best-practices/ and
#: https://techcommunity.microsoft.com “Strengthening Email Ecosystem: Outlook's New Requirements”.
RECEIVERS: Mapping[str, tuple[Sequence[Rule], str]] = {
    "Gmail": (
        (
            _SIGNED,
            _POLICY,
            _ALIGNED,
            _REVERSE,
            Rule(says="TLS", concerns=("connection",)),
            _ONE_CLICK,
        ),
        "complaints under 0.10 %, never 0.30 %: Postmaster Tools shows them",
    ),
    "Yahoo": ((_SIGNED, _POLICY, _ALIGNED, _REVERSE, _ONE_CLICK), "complaints under 0.3 %"),
    "Microsoft": ((_SIGNED, _POLICY, _ALIGNED), "from 5,000 mails a day on, else 550 5.7.515"),
}


def judge(found: Sequence[Diagnosis]) -> Iterator[Diagnosis]:
    """Yield for each receiver what it asks for and how it stands."""
    verdicts = {each.name: each.verdict for each in found}
    for receiver, (rules, beside) in RECEIVERS.items():
        states = [(rule.says, _state(rule, verdicts)) for rule in rules]
        worst = diagnoses.gravest([state for _, state in states])
        words = "; ".join(f"{says}: {_word(state)}" for says, state in states)
        fix = "" if worst is Verdict.PASS else "mend what is named above"
        yield Diagnosis(name=receiver, verdict=worst, message=f"{words}; {beside}", fix=fix)


def _state(rule: Rule, verdicts: Mapping[str, Verdict]) -> Verdict:
    return diagnoses.gravest([verdicts.get(concern, Verdict.UNKNOWN) for concern in rule.concerns])


def _word(state: Verdict) -> str:
    return {Verdict.PASS: "yes", Verdict.WARN: "weakly", Verdict.FAIL: "no"}.get(state, "not known")
