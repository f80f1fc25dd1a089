"""What a vendor's answers about an account mean: the parts that all of them share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from newsletter.domain.diagnoses import Concern, Diagnosis
from newsletter.providers.answers import Answer

DOMAIN = Concern("account: domain")
HOOK = Concern("account: webhook")

#: Judges an answer to a question about the account.
Judge = Callable[[Answer], Diagnosis]


def registered(answer: Answer, url: str) -> Diagnosis:
    """Judge whether a vendor's list of webhooks has ours: wherever in it the address stands."""
    if url in texts(answer.json()):
        return HOOK.holds(f"{url} is registered")
    return HOOK.broken(
        f"{url} is not registered: nothing is heard of bounces and complaints",
        f"newsletter provider setup {url.rpartition('/')[2]}",
    )


def object_in(answer: Answer, name: str) -> Mapping[str, Any]:
    """Return the object under a name in an answer, or an empty one."""
    plain = answer.json()
    found = plain.get(name) if isinstance(plain, dict) else None
    return found if isinstance(found, dict) else {}


def list_in(answer: Answer, name: str) -> Sequence[Mapping[str, Any]]:
    """Return the objects of the list under a name in an answer."""
    plain = answer.json()
    found = plain.get(name) if isinstance(plain, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def of_domain(domain: str, states: Mapping[str, str], *, good: Sequence[str]) -> Diagnosis:
    """Judge a domain by the vendor's own word; one above it may stand for it."""
    known = next((name for name in states if domain == name or domain.endswith(f".{name}")), "")
    if not known:
        return DOMAIN.broken(f"{domain} is not among the account's domains", "add it in the provider's pages")
    if states[known] not in good:
        return DOMAIN.broken(
            f"{known} is not verified ({states[known]})", "publish the records that the provider's pages show"
        )
    return DOMAIN.holds(f"{known} is verified")


def texts(plain: Any) -> set[str]:
    """Return every text in a JSON value."""
    if isinstance(plain, dict):
        plain = list(plain.values())
    if isinstance(plain, list):
        return {text for each in plain for text in texts(each)}
    return {plain} if isinstance(plain, str) else set()
