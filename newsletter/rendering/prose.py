"""What nearly all Markdown is, at a glance: paragraphs of words, plain links and clear emphasis.

Everything else is left to markdown-it, which asks each of its rules about each line and each sign, and to
the cleaner, which reads HTML as browsers do. What is read here gives the very tokens that markdown-it would
give, and what is written here is the very HTML that the cleaner would leave, and sooner.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from markdown_it.common.utils import mdTrim
from markdown_it.rules_core import StateCore, normalize
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
#: An address that no reader of addresses could refuse or take for anything else.
_SURE_URL = re.compile(
    r"https?://(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}(?:/[A-Za-z0-9._~/-]*)?(?:\?[A-Za-z0-9._~=&-]*)?"
).fullmatch
_ELEMENTS = {
    "em_open": "em",
    "em_close": "em",
    "strong_open": "strong",
    "strong_close": "strong",
    "link_open": "a",
    "link_close": "a",
}


def plugin(parser: MarkdownIt) -> None:
    """Let a parser read at a glance what can be read so."""
    carefully = parser.inline.parse

    def parse(src: str, md: MarkdownIt, env: EnvType, tokens: list[Token]) -> list[Token]:
        read = _tokens_of(src)
        if read is None:
            return carefully(src, md, env, tokens)
        tokens += read
        return tokens

    parser.inline.parse = parse  # type: ignore[method-assign]
    parser.core.ruler.at("normalize", _normalise)
    parser.block.ruler.before("table", "prose", _paragraph)


def _normalise(state: StateCore) -> None:
    """Write line ends alike and NUL as what it may be, where there is anything to write."""
    if "\r" in state.src or "\0" in state.src:
        normalize(state)


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


def _tokens_of(text: str) -> list[Token] | None:
    """Return the tokens of a text; None where it holds what is not read here."""
    tokens: list[Token] = []
    #: What the next text token will hold.
    words, is_begun, end = "", False, 0
    for phrase in _PHRASE.finditer(text):
        if phrase.start() != end:
            return None
        end = phrase.end()
        kind = phrase.lastgroup
        if kind == "words":
            words += phrase[0]
            continue
        # The outer of two marks leaves an empty text on either side.
        is_strong = kind == "stressed" and len(phrase["mark"]) == 2
        if words or is_begun or is_strong:
            tokens.append(_text(words))
        words, is_begun = "", is_strong
        if kind == "line":
            tokens.append(Token("softbreak", "br", 0))
        elif kind == "url":
            tokens += _link(phrase["label"], phrase["url"])
        else:
            tokens += _emphasis(phrase["mark"], phrase["stressed"])
    if end != len(text):
        return None
    return [*tokens, _text(words)] if words or is_begun else tokens


def _link(label: str, url: str) -> Iterator[Token]:
    yield Token("link_open", "a", 1, attrs={"href": url})
    for number, line in enumerate(_LINE_END.split(label)):
        if number:
            yield Token("softbreak", "br", 0, level=1)
        yield _text(line, level=1)
    yield Token("link_close", "a", -1)


def _emphasis(mark: str, stressed: str) -> Iterator[Token]:
    name = "strong" if len(mark) == 2 else "em"
    yield Token(f"{name}_open", name, 1, markup=mark)
    yield _text(stressed, level=1)
    yield Token(f"{name}_close", name, -1, markup=mark)


def _text(content: str, *, level: int = 0) -> Token:
    return Token("text", "", 0, level=level, content=content)


def to_html(tokens: Sequence[Token], opening: Callable[[str, str], str]) -> str | None:
    """Write the tokens of a whole text; None where they hold anything that a cleaner should see.

    Args:
        tokens: of a text whose pictures, quotes and addresses are in their places.
        opening: writes the opening tag of an element from its name and attributes.
    """
    if len(tokens) % 3:
        return None
    written: list[str] = []
    for start, inline, end in zip(tokens[::3], tokens[1::3], tokens[2::3], strict=True):
        kinds = (start.type, inline.type, end.type)
        if kinds != ("paragraph_open", "inline", "paragraph_close") or start.tag != "p":
            return None
        words = _words(inline.children or (), opening)
        if words is None or start.hidden or start.attrs:
            return None
        written.append(f"{opening('p', '')}{words}</p>")
    return "\n".join(written).strip()


def _words(children: Sequence[Token], opening: Callable[[str, str], str]) -> str | None:
    """Write what stands in a paragraph, where no element stands in another."""
    written: list[str] = []
    inside = ""
    for child in children:
        name = _ELEMENTS.get(child.type, "")
        if child.type == "text":
            # Neither a control nor any blank but one: what parsers of HTML may change is not printable.
            if not child.content.isprintable():
                return None
            written.append(_escaped(child.content))
        elif child.type == "softbreak":
            written.append(" ")
        elif not name:
            return None
        elif inside:
            if child.nesting >= 0 or name != inside:
                return None
            written.append(f"</{name}>")
            inside = ""
        else:
            attributes = _attributes(name, child)
            if child.nesting <= 0 or attributes is None:
                return None
            written.append(opening(name, attributes))
            inside = name
    return None if inside else "".join(written)


def _attributes(name: str, token: Token) -> str | None:
    """Write the attributes of an opening tag: an address of a link, and nothing else."""
    if name != "a":
        return None if token.attrs else ""
    url = str(token.attrs.get("href"))
    return f' href="{_escaped(url)}"' if len(token.attrs) == 1 and _SURE_URL(url) else None


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
