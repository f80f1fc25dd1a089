"""The language of audiences: ``topic:security and not tag:press and joined>2026-01-01``.

```
rule   = either ;   either = all { "or" all } ;   all = not { "and" not }
not    = "not" not | "(" rule ")" | test
test   = field ( ":" | "=" | "!=" | "<" | "<=" | ">" | ">=" ) value | field "in" "(" value { "," value } ")"
field  = topic | tag | language | status | email | domain | timezone | joined | attr.NAME
value  = word | "text in quotation marks"
```
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from newsletter.domain import errors
from newsletter.domain.subscribers import Status

#: Fields that are compared by size as well as for sameness.
ORDERED = ("joined", "attr")
FIELDS = ("topic", "tag", "language", "status", "email", "domain", "timezone", "joined", "attr.NAME")


@dataclass(frozen=True, kw_only=True)
class Test:
    """One comparison: true when any of the values fits."""

    __test__ = False  # for pytest, which collects classes of this name

    #: One of `FIELDS`, ``attr`` for an attribute; ``id`` for one subscriber, which no text can say.
    field: str
    #: ``:``, ``<``, ``<=``, ``>`` or ``>=``.
    operator: str
    values: tuple[str, ...]
    #: The rule's own words, for reasons.
    text: str = dataclasses.field(compare=False)
    #: Name of the attribute.
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Not:
    """True when its part is not."""

    part: Rule
    text: str = dataclasses.field(compare=False)


@dataclass(frozen=True, kw_only=True)
class All:
    """True when every part is."""

    parts: tuple[Rule, ...]
    text: str = dataclasses.field(compare=False)


@dataclass(frozen=True, kw_only=True)
class Either:
    """True when any part is."""

    parts: tuple[Rule, ...]
    text: str = dataclasses.field(compare=False)


Rule = Test | Not | All | Either


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """What a publication declares; an empty collection lets everything pass."""

    topics: Collection[str] = ()
    attributes: Collection[str] = ()


def only(subscriber: int) -> Rule:
    """Return the rule that selects one subscriber."""
    return Test(field="id", operator=":", values=(str(subscriber),), text=f"number {subscriber}")


def parse(text: str, words: Vocabulary | None = None) -> Rule:
    """Return the rule that a text says.

    Raises:
        AudienceError: it cannot be understood; a caret shows where.
    """
    return _Parser(text, words or Vocabulary()).rule()


def clauses(rule: Rule) -> Mapping[str, Rule]:
    """Return the parts that all have to hold, by why somebody who fails one is left out."""
    parts = rule.parts if isinstance(rule, All) else (rule,)
    return {_failed(part): part for part in parts}


def _failed(part: Rule) -> str:
    match part:
        case Not(part=inner) if inner.text != part.text:
            return inner.text
        case Either():
            return f"not ({part.text})"
        case _:
            return f"not {part.text}"


_TOKEN = re.compile(
    r'\s*(?:(?P<text>"[^"]*")|(?P<mark><=|>=|!=|[:=<>(),])|(?P<word>[^\s:=<>!(),"]+)|(?P<bad>\S))'
)


class _Parser:
    """Recursive descent, one method a line of the grammar."""

    def __init__(self, text: str, words: Vocabulary) -> None:
        self._text, self._words = text, words
        self._tokens = [*_TOKEN.finditer(text)]
        self._next = 0

    def rule(self) -> Rule:
        if not self._tokens:
            self._fail("the rule is empty")
        found = self._either()
        if self._token:
            self._fail("expected “and”, “or” or the end")
        return found

    def _either(self) -> Rule:
        start, parts = self._next, [self._all()]
        while self._take("or"):
            parts.append(self._all())
        return parts[0] if len(parts) == 1 else Either(parts=tuple(parts), text=self._since(start))

    def _all(self) -> Rule:
        start, parts = self._next, [self._not()]
        while self._take("and"):
            parts.append(self._not())
        return parts[0] if len(parts) == 1 else All(parts=tuple(parts), text=self._since(start))

    def _not(self) -> Rule:
        start = self._next
        if self._take("not"):
            part = self._not()
            return Not(part=part, text=self._since(start))
        if not self._take("("):
            return self._test()
        inner = self._either()
        self._expect(")")
        return inner

    def _test(self) -> Rule:
        start = self._next
        name, attribute = self._field()
        if self._take("in"):
            self._expect("(")
            values = [self._value(name)]
            while self._take(","):
                values.append(self._value(name))
            self._expect(")")
            return Test(
                field=name, operator=":", values=tuple(values), text=self._since(start), name=attribute
            )
        place, mark = self._next, self._mark()
        if mark in "<=>=" and mark != "=" and name not in ORDERED:
            self._fail(f"“{name}” is compared with “:” only", place)
        value = (self._value(name),)
        operator = ":" if mark in ("=", "!=") else mark
        test = Test(field=name, operator=operator, values=value, text=self._since(start), name=attribute)
        return Not(part=test, text=test.text) if mark == "!=" else test

    def _field(self) -> tuple[str, str]:
        token = self._token
        if token is None or not token["word"]:
            self._fail(f"expected a field: {', '.join(FIELDS)}")
        word, _, attribute = token["word"].partition(".")
        word = word.lower()
        if f"{word}.NAME" in FIELDS and attribute:
            self._known(attribute, self._words.attributes, "attribute")
        elif word not in FIELDS or attribute:
            self._fail(f"there is no field “{token['word']}”{_meant(word, FIELDS)}")
        self._next += 1
        return word, attribute

    def _mark(self) -> str:
        token = self._token
        if token is None or token["mark"] not in {":", "=", "!=", "<", "<=", ">", ">="}:
            self._fail("expected “:”, “in (…)” or a comparison")
        self._next += 1
        return token["mark"]

    def _value(self, name: str) -> str:
        token = self._token
        if token is None or not (token["word"] or token["text"]):
            self._fail("expected a value")
        value = token["text"][1:-1] if token["text"] else token["word"]
        if name == "topic":
            self._known(value, self._words.topics, "topic")
        if name == "status":
            self._known(value.lower(), [status.value for status in Status], "status")
        if name == "joined" and not _is_date(value):
            self._fail("expected a date such as 2026-01-31")
        self._next += 1
        return value.lower() if name in ("status", "email", "domain") else value

    def _known(self, value: str, known: Collection[str], kind: str) -> None:
        if known and value not in known:
            self._fail(f"there is no {kind} “{value}”{_meant(value, known)}")

    @property
    def _token(self) -> re.Match[str] | None:
        return self._tokens[self._next] if self._next < len(self._tokens) else None

    def _take(self, wanted: str) -> bool:
        token = self._token
        found = token is not None and wanted in (token["mark"], (token["word"] or "").lower())
        self._next += found
        return found

    def _expect(self, wanted: str) -> None:
        if not self._take(wanted):
            self._fail(f"expected “{wanted}”")

    def _since(self, start: int) -> str:
        return self._text[self._at(start) : self._tokens[self._next - 1].end()]

    def _at(self, place: int) -> int:
        if place >= len(self._tokens):
            return len(self._text.rstrip())
        token = self._tokens[place]
        return token.start(token.lastgroup or 0)

    def _fail(self, message: str, place: int | None = None) -> NoReturn:
        at = self._at(self._next if place is None else place)
        raise errors.AudienceError(f"{message}\n  {self._text}\n  {' ' * at}^", hint=_HINT)


_HINT = "an example: topic:security and not tag:press and attr.country in (US, JP)"


def _meant(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, known, n=1)
    return f"; did you mean “{near[0]}”?" if near else f"; there are: {', '.join(known)}"


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
