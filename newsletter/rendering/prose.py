"""What nearly all Markdown is, read at a glance: paragraphs of words, plain links and clear emphasis.

Everything else is left to markdown-it, which asks each of its rules about each line and each sign. What
is read here gives the very tokens that markdown-it would give, and sooner.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

from markdown_it.common.utils import mdTrim
from markdown_it.token import Token

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_block import StateBlock
    from markdown_it.utils import EnvType

#: A line that begins like this begins no list, rule, quote, table, heading or definition.
_BEGINS_WORDS = re.compile(
    r"[^\W\d_]|[\"'(!“‘«„]|\d+(?![\d.)])|\*{1,2}[^\W_]|_{1,2}[^\W_]|\[[^\[\]\\^\n]+\]\("
).match
#: Signs that mean nothing but themselves.
_PLAIN = r"[^\\`~*_\[\]<\n&!]"
#: A line end within a paragraph, and the blanks that it takes with it.
_BREAK = r"(?<! )\n[ \t]*+"
_PHRASE = re.compile(
    rf"(?P<words>{_PLAIN}++|!(?!\[)|&(?![#A-Za-z]))"
    rf"|(?P<line>{_BREAK})"
    rf"|\[(?P<label>(?!\^){_PLAIN}++(?:{_BREAK}{_PLAIN}++)*+)\]"
    r"\((?P<url>https?://[a-z0-9.-]+(?:/[A-Za-z0-9._~/-]*)?(?:\?[A-Za-z0-9._~=-]*)?)\)"
    # Beside white space or a bracket, and around letters, a mark opens or closes and cannot do both.
    rf"|(?<![^ \n(])(?P<mark>\*\*?|__?)(?P<stressed>[^\W_](?:{_PLAIN}*[^\W_])?)(?P=mark)(?=[ \n.,;:!?)]|\Z)"
)
_LINE_END = re.compile(_BREAK)


def plugin(parser: MarkdownIt) -> None:
    """Let a parser read at a glance what can be read so."""
    carefully = parser.inline.parse

    def parse(src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        read = _Reading().tokens_of(src)
        if read is None:
            return carefully(src, md, env, tokens)
        tokens += read
        return tokens

    parser.inline.parse = parse  # type: ignore[method-assign]
    parser.block.ruler.before("table", "prose", _paragraph)


def _paragraph(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Read a paragraph of which every line begins with words: no other rule could want one of them."""
    if silent or state.level:
        return False
    line = start
    while line < end and not state.isEmpty(line):
        if not _BEGINS_WORDS(state.src, state.bMarks[line]):
            return False
        line += 1
    state.line = line
    state.push("paragraph_open", "p", 1).map = [start, line]
    inline = state.push("inline", "", 0)
    inline.content = mdTrim(state.src[state.bMarks[start] : state.eMarks[line - 1]])
    inline.map = [start, line]
    inline.children = []
    state.push("paragraph_close", "p", -1)
    return True


class _Reading:
    """One text on its way to tokens."""

    def __init__(self) -> None:
        self._tokens: list[Token] = []
        #: What the next text token will hold.
        self._words: list[str] = []

    def tokens_of(self, text: str) -> list[Token] | None:
        """Return the tokens of a text; None where it holds what is not read here."""
        end = 0
        for phrase in _PHRASE.finditer(text):
            if phrase.start() != end:
                return None
            end = phrase.end()
            match phrase.lastgroup:
                case "words":
                    self._words.append(phrase[0])
                case "line":
                    self._add("softbreak", "br", 0)
                case "url":
                    self._link(phrase["label"], phrase["url"])
                case _:
                    self._emphasis(phrase["mark"], phrase["stressed"])
        if end != len(text):
            return None
        self._flush()
        return self._tokens

    def _link(self, label: str, url: str) -> None:
        self._add("link_open", "a", 1).attrs = {"href": url}
        for number, line in enumerate(_LINE_END.split(label)):
            if number:
                self._add("softbreak", "br", 0, level=1)
            self._words.append(line)
            self._flush(level=1)
        self._add("link_close", "a", -1)

    def _emphasis(self, mark: str, stressed: str) -> None:
        # The outer of two marks leaves an empty text behind.
        outer = [""] if len(mark) == 2 else []
        name = "strong" if outer else "em"
        self._words += outer
        self._add(f"{name}_open", name, 1).markup = mark
        self._words.append(stressed)
        self._flush(level=1)
        self._add(f"{name}_close", name, -1).markup = mark
        self._words += outer

    def _add(self, kind: str, tag: str, nesting: Literal[-1, 0, 1], *, level: int = 0) -> Token:
        self._flush(level=level)
        token = Token(kind, tag, nesting, level=level)
        self._tokens.append(token)
        return token

    def _flush(self, *, level: int = 0) -> None:
        if self._words:
            self._tokens.append(Token("text", "", 0, level=level, content="".join(self._words)))
            self._words = []
