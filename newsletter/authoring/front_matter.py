"""YAML front matter above Markdown, with the line of every key and every value as it was typed.

Values stay text here: YAML reads ``number: 1.10`` as 1.1, and an editor must be told so instead.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.authoring import flaws
from newsletter.domain import errors

if TYPE_CHECKING:
    from ruamel.yaml.nodes import Node

FENCE = "---"
#: A file of this size was never typed by an editor.
LARGEST = 4_000_000

_KEY = re.compile(r"[a-z_0-9]+").fullmatch
_QUOTED = re.compile(r"'((?:[^']|'')*)'" r'|"((?:[^"\\]|\\.)*)"').match
#: What begins a value that takes more than its line, or is not text.
_UNPLAIN = frozenset("|>&*{\"'")
_REMARK = re.compile(r"[ \t]#")
_END = re.compile(r"^(?:---|\.\.\.)[ \t]*$\n?", re.MULTILINE)
_KINDS = {"int": "whole number", "float": "decimal number", "bool": "boolean", "null": "nothing"}


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value as it was typed."""

    text: str
    line: int
    #: What YAML would take it for: text, whole number, decimal number, boolean, nothing.
    kind: str = "text"
    quoted: bool = False
    #: Whether it begins on the line below its key, behind “|” or “>”.
    below: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A list of values."""

    items: tuple[Value, ...]
    line: int


@dataclass(frozen=True, slots=True)
class Block:
    """A mapping of keys to values."""

    values: dict[str, Value] = field(default_factory=dict)
    #: 1-based line of each key.
    lines: dict[str, int] = field(default_factory=dict)
    line: int = 0


Value = Scalar | Items | Block


@dataclass(frozen=True, kw_only=True)
class Document:
    """A file taken apart: its fields and the Markdown below them."""

    fields: Block
    #: Markdown with LF line ends.
    body: str
    #: 1-based line of the first line of the body.
    body_line: int


def decode(data: bytes, found: flaws.Flaws) -> str:
    """Return the text of a file with LF line ends, without a byte-order mark.

    Encodings other than UTF-8, and NUL bytes, are noted with their place.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        found.block("encoding", 1, "the file is UTF-16, not UTF-8", fix="save it as UTF-8")
        return ""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        offset, line = error.start, data.count(b"\n", 0, error.start) + 1
        found.block(
            "encoding",
            line,
            f"byte 0x{data[offset]:02x} at offset {offset} is not UTF-8",
            text=data.splitlines()[line - 1].decode("cp1252", "replace") if data else "",
            fix="save the file as UTF-8 (it may be Windows-1252)",
        )
        return ""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        found.block("encoding", line, "a NUL character stands in the text", fix="remove it")
    return text.replace("\0", "")


def load(path: Path) -> bytes:
    """Return the bytes of a text file.

    Raises:
        IssueError: it is not there, is a folder, cannot be read, or is too large to be text.
    """
    try:
        if (size := path.stat().st_size) > LARGEST:
            much = f"{size:,} bytes are too much to be text: {LARGEST:,} are read"
            raise errors.IssueError([errors.Problem(path=str(path), line=0, message=much)])
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise errors.IssueError(
            [errors.Problem(path=str(path), line=0, message=f"cannot be read: {reason}")],
            hint="newsletter issue list shows the issues there are",
        ) from error


def split(text: str) -> tuple[str, str, int] | None:
    """Return front matter, body and the body's first line, or None where there is no front matter.

    A front matter that is never closed has everything in it, and the body's line is 0.
    """
    lines = text.split("\n")
    start = next((i for i, line in enumerate(lines) if line.strip()), 0)
    if lines[start].rstrip() != FENCE:
        return None
    for i in range(start + 1, len(lines)):
        if lines[i].rstrip() in {FENCE, "..."}:
            front = "\n" * (start + 1) + "\n".join(lines[start + 1 : i])
            return front, "\n".join(lines[i + 1 :]), i + 2
    return "\n".join(["", *lines[1:]]), "", 0


def peek(head: bytes) -> tuple[dict[str, str], str]:
    """Return the plain ``key: value`` lines of the first bytes of a file, and the text behind them.

    A file is not judged here: what takes more than one line is left out, and an error ends the reading.
    """
    text = head.removeprefix(codecs.BOM_UTF8).decode("utf-8", "replace").replace("\r\n", "\n").lstrip("\n ")
    if not text.startswith(f"{FENCE}\n"):
        return {}, ""
    end = _END.search(text, len(FENCE))
    front, body = (text[: end.start()], text[end.end() :]) if end else (text, "")
    fields: dict[str, str] = {}
    for line in front.split("\n"):
        name, colon, value = line.partition(":")
        if not colon or not _KEY(name):
            continue
        value = value.strip(" \t")
        if quoted := _QUOTED(value) if value[:1] in {'"', "'"} else None:
            single, double = quoted.groups(default="")
            fields.setdefault(name, single.replace("''", "'") or double.replace('\\"', '"'))
        else:
            if remark := _REMARK.search(value) if "#" in value else None:
                value = value[: remark.start()].rstrip(" \t")
            fields.setdefault(name, "" if value[:1] in _UNPLAIN else value)
    return fields, body


def parse(text: str, found: flaws.Flaws) -> Document:
    """Take a text with front matter apart, noting what is wrong with it."""
    parts = split(text)
    if parts is None:
        if text.strip():
            found.block("front-matter", 1, "no front matter", fix=f"begin the file with a line “{FENCE}”")
        else:
            found.block("front-matter", 0, "the file is empty", fix="newsletter issue new writes a fresh one")
        return Document(fields=Block(), body="", body_line=1)
    front, body, body_line = parts
    if not body_line:
        found.block(
            "front-matter", 1, "the front matter is never closed", fix=f"end it with a line “{FENCE}”"
        )
        return Document(fields=Block(), body="", body_line=1)
    return Document(fields=_compose(front, found), body=body, body_line=body_line)


def _compose(front: str, found: flaws.Flaws) -> Block:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        node = YAML(typ="rt").compose(front)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        found.block("yaml", line, *_yaml_words(error.problem or error.context or "", front, line))
        return Block()
    except YAMLError as error:
        found.block("yaml", _control_line(front), f"not YAML: {str(error).splitlines()[0]}")
        return Block()
    if node is None:
        return Block()
    value = _value(node, found)
    if isinstance(value, Block):
        return value
    found.block("yaml", value.line, "the front matter is not made of “key: value” lines")
    return Block()


def _yaml_words(problem: str, front: str, line: int) -> tuple[str]:
    text = front.split("\n")[line - 1] if line <= front.count("\n") + 1 else ""
    if "\t" in text:
        return (f"a tab stands in the front matter: “{text.strip()}”; indent with spaces",)
    if "mapping values are not allowed" in problem:
        return (f"“{text.strip()}” has a colon in its value, or is indented; put the value in quotes",)
    return (f"not YAML: {problem}: “{text.strip()}”",)


def _control_line(front: str) -> int:
    bad = re.search(r"[^\t\n\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", front)
    return front.count("\n", 0, bad.start()) + 1 if bad else 1


def _value(node: Node, found: flaws.Flaws, depth: int = 0) -> Value:
    from ruamel.yaml import nodes

    line = node.start_mark.line + 1
    if isinstance(node, nodes.ScalarNode):
        kind = _KINDS.get(str(node.tag).rpartition(":")[2], "text")
        style = node.style
        # ruamel.yaml remembers by a BEL where a folded text was wrapped.
        text = str(node.value).replace("\a", "") if style == ">" else str(node.value)
        return Scalar(text, line, kind, quoted=style in {"'", '"'}, below=style in {"|", ">"})
    # Nothing an editor writes nests deeper; aliases could otherwise unfold without end.
    if depth > 3:
        found.block("yaml", line, "nested too deeply")
        return Scalar("", line, "nothing")
    if isinstance(node, nodes.SequenceNode):
        return Items(tuple(_value(item, found, depth + 1) for item in node.value[:200]), line)
    return _block(node, found, depth)


def _block(node: Node, found: flaws.Flaws, depth: int) -> Block:
    block = Block(line=node.start_mark.line + 1)
    for key, child in node.value:
        line = key.start_mark.line + 1
        name = key.value if isinstance(key.value, str) else ""
        if not name:
            found.block("yaml", line, "a key is not plain text")
        elif name in block.values:
            first = block.lines[name]
            found.block("duplicate-key", line, f"“{name}” stands twice (first on line {first})", text=name)
        else:
            block.values[name] = _value(child, found, depth + 1)
            block.lines[name] = line
    return block
