"""What is wrong in an MJML template, with file, line and column: the renderer itself says neither.

The tables of elements are MJML's own; on top comes what our renderer does not carry out.
"""

from __future__ import annotations

import difflib
import functools
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from newsletter.domain import errors
from newsletter.rendering.mjml_source import MASK, Attribute, Source, Token

_DATA = Path(__file__).parent / "data" / "mjml.json"
_VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
#: Refused or left undone by mrml 6.
_UNSUPPORTED = {
    "mj-html-attributes": "is not carried out by the renderer; write the attribute itself",
    "mj-include": "is not carried out; use Jinja's {% include %}",
    "mj-hero": "leaves its tables without a role; use a section with a picture",
    "mj-carousel": "does not work in most mail programs",
    "mj-accordion": "leaves its tables without a role",
    "mj-navbar": "does not work in most mail programs",
}
_EVERYWHERE = frozenset({"css-class", "mj-class"})
_LENGTH = re.compile(r"-?\d+(?:\.\d+)?(px|%|em)?")
_CONDITIONAL = re.compile(r"<!--\[if [^\]]+\]>(?:<!-->|.*<!\[endif\]-->)", re.DOTALL)
_OPENERS = frozenset({"if", "for", "macro", "block", "call", "filter"})


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing wrong in a template."""

    path: Path
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}:{self.column}: {self.message}"


def check(path: Path, text: str) -> list[Fault]:
    """Return everything wrong in an MJML template, in the order of its lines."""
    source = Source(text)
    faults = []
    for at, message in _Reader(source).faults():
        line, column = source.place(at)
        faults.append(Fault(path=path, line=line, column=column, message=message))
    return sorted(faults, key=lambda fault: (fault.line, fault.column))


def ensure(folder: Path) -> None:
    """Check every MJML template of a folder, each once as long as it does not change.

    Raises:
        RenderError: something is wrong; names every place.
    """
    faults = [
        fault
        for path in sorted(folder.rglob("*.mjml.j2"))
        for fault in _checked(path, path.stat().st_mtime_ns, path.stat().st_size)
    ]
    if faults:
        raise errors.RenderError("\n".join(map(str, faults)))


@functools.lru_cache(maxsize=256)
def _checked(path: Path, _modified: int, _size: int) -> tuple[Fault, ...]:
    return tuple(check(path, path.read_text("utf-8")))


@functools.cache
def _elements() -> Mapping[str, Any]:
    elements: dict[str, Any] = json.loads(_DATA.read_text("utf-8"))["elements"]
    every = {name: "string" for element in elements.values() for name in element["attributes"]}
    anything = {"children": [], "content": False, "attributes": every | {"name": "string"}}
    return elements | {"mj-all": anything, "mj-class": anything}


class _Reader:
    """Walks the tokens of a template with the stack of what is open."""

    def __init__(self, source: Source) -> None:
        self._tokens = source.tokens()
        self._open: list[Token] = []
        #: What was open where each statement began.
        self._branches: list[list[Token]] = []

    def faults(self) -> Iterator[tuple[int, str]]:
        """Yield the offset and the words of each fault."""
        for token in self._tokens:
            match token.kind:
                case "statement":
                    self._branch(token.text)
                case "open" | "empty":
                    yield from self._opening(token)
                case "close":
                    yield from self._closing(token)
                case "text":
                    yield from self._text(token)
                case "comment":
                    yield from _comment(token)
                case _:
                    yield token.at, "this “<” opens no tag; write &lt;"
        for token in self._open:
            yield token.at, f"<{token.text}> is never closed"

    def _branch(self, keyword: str) -> None:
        """Go back, at the other branch of a condition, to what was open before it."""
        if keyword in _OPENERS:
            self._branches.append(list(self._open))
        elif keyword in {"else", "elif"} and self._branches:
            self._open = list(self._branches[-1])
        elif keyword.removeprefix("end") in _OPENERS and self._branches:
            self._branches.pop()

    def _parent(self) -> str:
        return next((token.text for token in reversed(self._open) if _is_mjml(token.text)), "")

    def _opening(self, token: Token) -> Iterator[tuple[int, str]]:
        if _is_mjml(token.text):
            yield from self._element(token)
        elif (parent := self._parent()) and not _elements()[parent]["content"]:
            yield (
                token.at,
                f"<{token.text}> goes inside mj-text or mj-raw, not straight into {parent}",
            )
        for attribute in token.attributes:
            if attribute.value is not None and not attribute.quoted:
                yield attribute.at, f"the value of {attribute.name} wants quotes"
        if token.kind == "open" and token.text.lower() not in _VOID and _is_known(token.text):
            self._open.append(token)

    def _element(self, token: Token) -> Iterator[tuple[int, str]]:
        name, parent = token.text, self._parent()
        if name in _UNSUPPORTED:
            yield token.at, f"{name} {_UNSUPPORTED[name]}"
            return
        if not _is_known(name):
            yield token.at, f"there is no element {name}{_meant(name, _elements())}"
            return
        if parent and parent != "mj-attributes" and name not in _elements()[parent]["children"]:
            yield token.at, f"{name} cannot stand in {parent}"
        yield from _attributes(token, in_attributes=parent == "mj-attributes")

    def _closing(self, token: Token) -> Iterator[tuple[int, str]]:
        names = [opened.text for opened in self._open]
        if token.text not in names:
            if _is_known(token.text) and token.text.lower() not in _VOID:
                yield token.at, f"</{token.text}> closes nothing"
            return
        while self._open[-1].text != token.text:
            left = self._open.pop()
            yield left.at, f"<{left.text}> is not closed before </{token.text}>"
        self._open.pop()

    def _text(self, token: Token) -> Iterator[tuple[int, str]]:
        parent = self._parent()
        words = token.text.replace(MASK, "").strip()
        if words and parent and not _elements()[parent]["content"]:
            yield token.at, f"text goes inside mj-text or mj-raw, not straight into {parent}"


def _attributes(token: Token, *, in_attributes: bool) -> Iterator[tuple[int, str]]:
    name = token.text
    known = _known_attributes(name)
    seen: set[str] = set()
    for attribute in token.attributes:
        if MASK in attribute.name:
            continue
        if attribute.name in seen and not token.is_conditional:
            yield attribute.at, f"{attribute.name} stands twice in this {name}"
        seen.add(attribute.name)
        if attribute.name not in known:
            yield attribute.at, f"{name} has no attribute {attribute.name}{_meant(attribute.name, known)}"
        elif attribute.value is not None and not token.is_conditional:
            yield from _value(name, attribute, known[attribute.name])
    if name == "mj-image" and not in_attributes and not {"alt", "mj-class"} & seen:
        yield token.at, 'an mj-image wants an alt; alt="" where it says nothing'


def _known_attributes(name: str) -> Mapping[str, str]:
    known = dict(_elements()[name]["attributes"]) | dict.fromkeys(_EVERYWHERE, "string")
    if name == "mjml":
        known |= {"lang": "string", "dir": "enum(ltr,rtl,auto)", "owa": "string"}
    return known


def _value(name: str, attribute: Attribute, kind: str) -> Iterator[tuple[int, str]]:
    """Yield what is wrong with a value, of which expressions are masked."""
    value = attribute.value or ""
    if re.search(r"[\n\t\\]|[^\x20-\x7e\ue000]", value):
        # mrml prints attributes as Rust would: \n, \t and \u{a0} in the mail.
        yield attribute.at, f"the renderer mangles this value of {attribute.name}; write it as an expression"
    if name == "mj-style" and attribute.name == "inline":
        yield attribute.at, "the renderer does not inline styles; write them on the elements"
    if MASK in value:
        return
    if name in {"mj-section", "mj-wrapper"} and attribute.name == "full-width" and value != "full-width":
        yield attribute.at, "any value of full-width turns it on; leave it out"
    elif not _fits(value, kind):
        yield attribute.at, f"“{value}” is no value of {attribute.name}: {_expected(kind)}"
    elif "padding" in attribute.name and re.search(r"(?<![\d.])0(?![\d.px%])", value):
        yield attribute.at, f"write 0px in {attribute.name}: widths come out wrong with a bare 0"


def _fits(value: str, kind: str) -> bool:
    if kind.startswith("enum"):
        return value in kind[5:-1].split(",")
    if kind == "color":
        return bool(re.fullmatch(r"#[0-9a-fA-F]{6}|[a-z]+|rgba?\(.*\)", value))
    if kind in {"integer", "boolean"}:
        return value.isdecimal() if kind == "integer" else value in {"true", "false"}
    if kind.startswith("unit"):
        allowed = kind[kind.index("(") + 1 : kind.index(")")].split(",")
        many = 4 if kind.endswith("{1,4}") else 1
        parts = value.split()
        return 1 <= len(parts) <= many and all(_is_unit(part, allowed) for part in parts)
    return True


def _is_unit(part: str, allowed: list[str]) -> bool:
    match = _LENGTH.fullmatch(part)
    return part == "0" or part in allowed or (match is not None and (match[1] or "") in allowed)


def _expected(kind: str) -> str:
    if kind.startswith("enum"):
        return "one of " + ", ".join(filter(None, kind[5:-1].split(",")))
    if kind == "color":
        return "six digits such as #1f2023"
    if kind.startswith("unit"):
        return "a length such as 16px"
    return {"integer": "a whole number", "boolean": "true or false"}[kind]


def _comment(token: Token) -> Iterator[tuple[int, str]]:
    if not token.text.endswith("-->"):
        yield token.at, "this comment is never closed"
    elif token.text.startswith("<!--[") and not _CONDITIONAL.fullmatch(token.text):
        yield token.at, "a conditional comment is written <!--[if mso]>…<![endif]-->"


def _is_mjml(name: str) -> bool:
    return name == "mjml" or name.startswith("mj-")


def _is_known(name: str) -> bool:
    return not _is_mjml(name) or name in _elements()


def _meant(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
