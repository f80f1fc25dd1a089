"""What nearly all Markdown is, at a glance: paragraphs of words, plain links and clear emphasis.

Everything else is left to markdown-it, which asks each of its rules about each line and each sign, and to
the cleaner, which reads HTML as browsers do. What is read here gives the very tokens that markdown-it would
give, and what is written here is the very HTML that the cleaner would leave, and sooner.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

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
_OPENINGS = {"em_open": "em", "strong_open": "strong", "link_open": "a"}
_CLOSINGS = {"em_close": "em", "strong_close": "strong", "link_close": "a"}


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


class Phrase(NamedTuple):
    """A stretch of a paragraph: what HTML and mail show as it is, line ends as blanks."""

    #: The element that it is, “a”, “em” or “strong”; empty for words alone.
    element: str
    text: str
    #: Where a link leads.
    url: str = ""


Paragraph = Sequence[Phrase]


def read(source: str) -> list[Paragraph] | None:
    """Return the paragraphs of a text in which there is nothing for a typographer to do.

    Returns:
        None where the text holds anything that is not read here.
    """
    source = source.strip("\n")
    # Neither a control nor any blank but one: what parsers of HTML may change is not printable.
    if " \n" in source or source.endswith(" ") or not source.replace("\n", "").isprintable():
        return None
    paragraphs: list[Paragraph] = []
    for text in filter(None, (text.strip("\n") for text in source.split("\n\n"))):
        # With no line that begins anything, and none that ends in a blank, a line end is a blank.
        is_one = all(map(_BEGINS_WORDS, text.split("\n")))
        phrases = _phrases_of(text.replace("\n", " ")) if is_one else None
        if phrases is None:
            return None
        paragraphs.append(phrases)
    return paragraphs


def _phrases_of(line: str) -> Paragraph | None:
    phrases: list[Phrase] = []
    words, end = "", 0
    for phrase in _PHRASE.finditer(line):
        if phrase.start() != end:
            return None
        end = phrase.end()
        kind = phrase.lastgroup
        if kind == "words":
            words += phrase[0]
        elif kind == "url" and not _SURE_URL(phrase["url"]):
            return None
        else:
            phrases += (Phrase("", words), _marked(phrase))
            words = ""
    phrases.append(Phrase("", words))
    return phrases if end == len(line) else None


def _marked(phrase: re.Match[str]) -> Phrase:
    if phrase.lastgroup == "url":
        return Phrase("a", phrase["label"], phrase["url"])
    return Phrase("strong" if len(phrase["mark"]) == 2 else "em", phrase["stressed"])


def of_tokens(tokens: Sequence[Token]) -> list[Paragraph] | None:
    """Return the paragraphs of a whole text that was read with care; None where there is anything else.

    Args:
        tokens: of a text whose pictures, quotes and addresses are in their places.
    """
    if len(tokens) % 3:
        return None
    paragraphs: list[Paragraph] = []
    for start, inline, end in zip(tokens[::3], tokens[1::3], tokens[2::3], strict=True):
        kinds = (start.type, inline.type, end.type)
        if kinds != ("paragraph_open", "inline", "paragraph_close") or start.tag != "p":
            return None
        phrases = _phrases_in(inline.children or ())
        if phrases is None or start.hidden or start.attrs:
            return None
        paragraphs.append(phrases)
    return paragraphs


def _phrases_in(children: Sequence[Token]) -> Paragraph | None:
    """Return the phrases of a paragraph in which no element stands in another."""
    phrases: list[Phrase] = []
    element, text, url = "", "", ""
    for child in children:
        if child.type == "text":
            if not child.content.isprintable():
                return None
            text += child.content
        elif child.type == "softbreak":
            text += " "
        else:
            found, leads = ("", "") if element else _opened(child)
            if (_CLOSINGS.get(child.type) != element) if element else not found:
                return None
            phrases.append(Phrase(element, text, url))
            element, text, url = found, "", leads
    phrases.append(Phrase("", text))
    return None if element else phrases


def _opened(token: Token) -> tuple[str, str]:
    """Return the element that a token opens, and where it leads; nothing where it has anything else to it."""
    element, attributes = _OPENINGS.get(token.type, ""), dict(token.attrs)
    url = str(attributes.pop("href", "")) if element == "a" else ""
    is_sure = bool(_SURE_URL(url)) if element == "a" else True
    return (element, url) if is_sure and not attributes else ("", "")


def to_html(paragraphs: Sequence[Paragraph], opening: Callable[[str, str], str]) -> str:
    """Write paragraphs as HTML.

    Args:
        paragraphs: a whole text.
        opening: writes the opening tag of an element from its name and attributes.
    """
    start = opening("p", "")
    written = ("".join([_html(phrase, opening) for phrase in paragraph]) for paragraph in paragraphs)
    return "\n".join([f"{start}{words}</p>" for words in written]).strip()


def _html(phrase: Phrase, opening: Callable[[str, str], str]) -> str:
    element, text, url = phrase
    if not element:
        return _escaped(text)
    attributes = f' href="{_escaped(url)}"' if url else ""
    return f"{opening(element, attributes)}{_escaped(text)}</{element}>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
