"""A mail's style sheets: rules with their conditions, and the selectors that mail programs know."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import tinycss2
from lxml import etree
from tinycss2 import ast

#: Value and whether it is ``!important``.
Declared = tuple[str, bool]
Declarations = Mapping[str, Declared]

_COMPOUND = re.compile(
    r"(?P<tag>[a-zA-Z][\w-]*|\*)|#(?P<id>[\w-]+)|\.(?P<cls>[\w-]+)|\[(?P<attr>[^\]]+)\]|(?P<pseudo>::?[\w-]+(?:\([^)]*\))?)"
)
_ATTRIBUTE = re.compile(r"\s*([\w-]+)\s*(?:([~|^$*]?=)\s*[\"']?([^\"']*)[\"']?\s*i?)?\s*")
_SPLIT = re.compile(r";(?![^(]*\))")


@functools.lru_cache(maxsize=4096)
def inline(style: str) -> dict[str, Declared]:
    """Read a style attribute."""
    found: dict[str, Declared] = {}
    for part in _SPLIT.split(style):
        name, colon, value = part.partition(":")
        if colon:
            found[name.strip().lower()] = _value(value)
    return found


def _value(text: str) -> Declared:
    value = text.strip()
    bare, mark, _ = value.partition("!")
    return (bare.strip(), True) if mark and "important" in value.lower() else (value, False)


@dataclass(frozen=True, kw_only=True)
class Compound:
    """One step of a selector: ``td.card#first[dir]``."""

    tag: str = ""
    id: str = ""
    classes: frozenset[str] = frozenset()
    attributes: tuple[tuple[str, str, str], ...] = ()
    #: Holds a state such as ``:hover``, which never holds in a mail at rest.
    never: bool = False

    def fits(self, element: etree._Element) -> bool:
        """Say whether an element is meant."""
        if self.never or (self.tag and self.tag != element.tag):
            return False
        if self.id and self.id != element.get("id"):
            return False
        if self.classes and not self.classes <= set(element.get("class", "").split()):
            return False
        return all(_attribute_fits(element.get(name), sign, value) for name, sign, value in self.attributes)


def _attribute_fits(actual: str | None, sign: str, value: str) -> bool:
    if actual is None:
        return False
    tests = {
        "": True,
        "=": actual == value,
        "~=": value in actual.split(),
        "^=": actual.startswith(value),
        "$=": actual.endswith(value),
        "*=": value in actual,
        "|=": actual == value or actual.startswith(f"{value}-"),
    }
    return tests[sign]


@dataclass(frozen=True, kw_only=True)
class Selector:
    """A selector, its last step first; each other step with whether it is the very parent."""

    subject: Compound
    above: tuple[tuple[bool, Compound], ...]
    specificity: tuple[int, int, int]

    def fits(self, element: etree._Element) -> bool:
        """Say whether an element is meant."""
        return self.subject.fits(element) and _above_fits(self.above, element.getparent())


def _above_fits(steps: Sequence[tuple[bool, Compound]], element: etree._Element | None) -> bool:
    if not steps:
        return True
    is_parent, step = steps[0]
    while element is not None:
        if step.fits(element) and _above_fits(steps[1:], element.getparent()):
            return True
        if is_parent:
            return False
        element = element.getparent()
    return False


def selectors(prelude: str) -> Iterator[Selector]:
    """Read a selector list; what no mail program at rest would match is left out."""
    for text in prelude.split(","):
        steps = re.sub(r"\s*>\s*", " >", text.strip()).split(" ")
        read = [(step.startswith(">"), _compound(step.lstrip(">"))) for step in steps if step]
        if not read or any(step is None or step.never for _, step in read):
            continue
        compounds = [step for _, step in read if step is not None]
        # Whether a step is the parent is written on the step below it.
        flags = [is_parent for is_parent, _ in read]
        above = tuple((flags[at + 1], compounds[at]) for at in range(len(compounds) - 2, -1, -1))
        yield Selector(subject=compounds[-1], above=above, specificity=_specificity(compounds))


def _specificity(steps: Sequence[Compound]) -> tuple[int, int, int]:
    return (
        sum(bool(step.id) for step in steps),
        sum(len(step.classes) + len(step.attributes) for step in steps),
        sum(bool(step.tag) for step in steps),
    )


def _compound(text: str) -> Compound | None:
    tag = name = ""
    classes, attributes, never = set(), [], False
    at = 0
    for match in _COMPOUND.finditer(text):
        if match.start() != at:
            return None
        at = match.end()
        tag = match["tag"].lower() if match["tag"] and match["tag"] != "*" else tag
        name = match["id"] or name
        if match["cls"]:
            classes.add(match["cls"])
        if match["attr"] and (found := _ATTRIBUTE.fullmatch(match["attr"])):
            attributes.append((found[1], found[2] or "", found[3] or ""))
        if match["pseudo"]:
            never = never or match["pseudo"] != ":root"
            tag = "html" if match["pseudo"] == ":root" else tag
    if at != len(text):
        return None
    return Compound(tag=tag, id=name, classes=frozenset(classes), attributes=tuple(attributes), never=never)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Declarations for a list of selectors under a condition."""

    #: The text before the block, and of the at-rule around it; empty without one.
    prelude: str
    condition: str
    declarations: Declarations

    @property
    def is_dark(self) -> bool:
        """Whether it only holds in the dark."""
        return "prefers-color-scheme" in self.condition and "dark" in self.condition

    @property
    def is_plain(self) -> bool:
        """Whether it holds whatever the width and scheme."""
        return not self.condition or self.condition.replace("only", "").strip() in {
            "@media screen",
            "@media all",
        }


@functools.lru_cache(maxsize=64)
def parsed(block: str) -> tuple[ast.Node, ...]:
    """Parse a style block, once however many rules look at it."""
    return tuple(tinycss2.parse_stylesheet(block, skip_comments=True, skip_whitespace=True))


@functools.lru_cache(maxsize=64)
def rules(block: str) -> tuple[Rule, ...]:
    """Return the rules of a style block in order, those inside at-rules with their condition."""
    return tuple(_rules(parsed(block), ""))


def _rules(nodes: Sequence[ast.Node], condition: str) -> Iterator[Rule]:
    for node in nodes:
        if isinstance(node, ast.QualifiedRule):
            prelude = tinycss2.serialize(node.prelude).strip()
            yield Rule(prelude=prelude, condition=condition, declarations=_declarations(node.content))
        elif isinstance(node, ast.AtRule) and node.content is not None and node.lower_at_keyword == "media":
            around = f"@media {tinycss2.serialize(node.prelude).strip().lower()}"
            inner = tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True)
            yield from _rules(inner, around)


def _declarations(content: Sequence[ast.Node]) -> Declarations:
    found = {}
    for node in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if isinstance(node, ast.Declaration):
            found[node.lower_name] = (tinycss2.serialize(node.value).strip(), bool(node.important))
    return found
