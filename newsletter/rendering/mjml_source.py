"""MJML templates cut into tags, text and statements, each with its place in the file.

Jinja is masked, not run: a template is looked at as the editor wrote it, so that faults have a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

#: Stands for each character that an expression will write: no template holds it otherwise.
MASK = "\ue000"
_JINJA = re.compile(r"\{#.*?#\}|\{%[-+]?\s*(?P<keyword>\w+).*?%\}|\{\{.*?\}\}", re.DOTALL)
_TOKEN = re.compile(
    r"(?P<comment><!--.*?(?:-->|\Z))"
    rf"|</\s*(?P<closing>[A-Za-z][\w:-]*{MASK}*)\s*>"
    rf"|<(?P<name>[A-Za-z][\w:-]*{MASK}*)(?P<attributes>(?:\s+[^\s=>\"'/]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>\"']+))?)*)"
    r"\s*(?P<empty>/?)>"
    r"|(?P<stray><)",
    re.DOTALL,
)
_ATTRIBUTE = re.compile(r"([^\s=>\"'/]+)(?:\s*=\s*(\"[^\"]*\"|'[^']*'|[^\s>\"']+))?")


@dataclass(frozen=True, kw_only=True)
class Attribute:
    """One attribute of a tag."""

    name: str
    #: Without its quotes; None where there is none.
    value: str | None
    quoted: bool
    at: int


@dataclass(frozen=True, kw_only=True)
class Token:
    """One piece of a template."""

    #: “open”, “close”, “empty”, “text”, “comment”, “stray” or “statement”.
    kind: str
    #: The tag's name, the statement's keyword, or the text itself.
    text: str
    at: int
    attributes: tuple[Attribute, ...] = ()
    #: Whether a statement stands inside the tag, so that its attributes are not all there at once.
    is_conditional: bool = False


class Source:
    """The text of one template file."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._statements: list[Token] = []
        self._masked = _JINJA.sub(self._mask, text)

    def place(self, at: int) -> tuple[int, int]:
        """Return the 1-based line and column of an offset."""
        return self._text.count("\n", 0, at) + 1, at - self._text.rfind("\n", 0, at)

    def tokens(self) -> Iterator[Token]:
        """Yield tags, text and statements in the order of the file."""
        waiting = iter([*self._statements, Token(kind="end", text="", at=len(self._text) + 1)])
        statement = next(waiting)
        for token in self._markup():
            while statement.at < token.at:
                yield statement
                statement = next(waiting)
            yield token
        while statement.kind != "end":
            yield statement
            statement = next(waiting)

    def _markup(self) -> Iterator[Token]:
        end = 0
        for match in _TOKEN.finditer(self._masked):
            if text := self._masked[end : match.start()].strip():
                yield Token(kind="text", text=text, at=self._masked.index(text, end))
            end = match.end()
            yield self._token(match)
        if text := self._masked[end:].strip():
            yield Token(kind="text", text=text, at=self._masked.index(text, end))

    def _token(self, match: re.Match[str]) -> Token:
        at = match.start()
        if match["comment"] is not None:
            return Token(kind="comment", text=match["comment"], at=at)
        if match["closing"] is not None:
            return Token(kind="close", text=match["closing"], at=at)
        if match["stray"] is not None:
            return Token(kind="stray", text="<", at=at)
        return Token(
            kind="empty" if match["empty"] else "open",
            text=match["name"],
            at=at,
            attributes=tuple(_attributes(match["attributes"], match.start("attributes"))),
            is_conditional=any(at < statement.at < match.end() for statement in self._statements),
        )

    def _mask(self, match: re.Match[str]) -> str:
        keyword = match["keyword"]
        if keyword:
            self._statements.append(Token(kind="statement", text=keyword, at=match.start()))
        filler = MASK if match[0].startswith("{{") else " "
        return re.sub(r"[^\n]", filler, match[0])


def _attributes(written: str, start: int) -> Iterator[Attribute]:
    for match in _ATTRIBUTE.finditer(written):
        raw = match[2]
        quoted = raw is not None and raw[0] in "\"'"
        value = raw[1:-1] if quoted and raw else raw
        yield Attribute(name=match[1], value=value, quoted=quoted, at=start + match.start())
