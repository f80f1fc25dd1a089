"""Plain text from Markdown: written from the source, never converted from HTML."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from newsletter.domain import issues
from newsletter.rendering import columns

if TYPE_CHECKING:
    from markdown_it.token import Token

    from newsletter.rendering import prose

_HORIZONTAL_RULE = "* * *"
#: Holds a note to the word before it while lines are broken; then it becomes a blank.
_GLUE = "\x1f"
_AROUND_LINE_END = re.compile(r"[ \t]*\n[ \t]*")
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MARKS = {"strong_open": "*", "strong_close": "*", "em_open": "_", "em_close": "_", "figcaption_open": "\n"}


class Notes:
    """Numbered link notes of one passage: ``[1]`` in the text, the address under it.

    Numbers run through an issue; the same address has one number within a passage.
    """

    def __init__(self, *, image: str = "Image", after: int = 0) -> None:
        """Begin after a number; ``image`` stands before what a picture shows."""
        self.image = image
        self.last = after
        self._numbers: dict[str, int] = {}

    def number(self, url: str) -> int:
        """Return the number of a link."""
        if url not in self._numbers:
            self.last += 1
            self._numbers[url] = self.last
        return self._numbers[url]

    def listed(self) -> str:
        """Return the notes, one on a line, addresses whole."""
        return "\n".join(f"[{number}] {url}" for url, number in self._numbers.items())


def from_tokens(tokens: Sequence[Token], notes: Notes, *, width: int = columns.WIDTH) -> str:
    """Write Markdown tokens as paragraphs of plain text."""
    return _Writer(notes).blocks(tokens, width).replace(_GLUE, " ")


def from_prose(paragraphs: Sequence[prose.Paragraph], notes: Notes, *, width: int = columns.WIDTH) -> str:
    """Write plain prose as paragraphs of plain text."""
    written = [columns.wrap(_spoken(paragraph, notes), columns=width) for paragraph in paragraphs]
    return "\n\n".join(filter(str.strip, written)).replace(_GLUE, " ")


def _spoken(paragraph: prose.Paragraph, notes: Notes) -> str:
    written: list[str] = []
    for element, text, url in paragraph:
        mark = _MARKS.get(f"{element}_open", "")
        written.append(f"{mark}{text}{mark}{_led(text, url, notes) if element == 'a' else ''}")
    return "".join(written)


def _led(label: str, url: str, notes: Notes) -> str:
    """Return what follows the text of a link: nothing where the text is the address."""
    plain = url.removeprefix("mailto:")
    if label == plain:
        return ""
    note = f"<{plain}>" if plain != url else f"[{notes.number(url)}]"
    # Japanese sets no blank before a bracket.
    return note if columns.width(label[-1:]) == 2 else f"{_GLUE}{note}"


class _Writer:
    def __init__(self, notes: Notes) -> None:
        self._notes = notes

    def blocks(self, tokens: Sequence[Token], width: int, *, between: str = "\n\n") -> str:
        """Write block tokens, by default with an empty line between any two."""
        written, index = [], 0
        while index < len(tokens):
            token = tokens[index]
            end = _closing(tokens, index)
            written.append(self._block(token, tokens[index + 1 : end], width))
            index = max(end, index) + 1
        return between.join(block for block in written if block.strip())

    def _block(self, token: Token, inside: Sequence[Token], width: int) -> str:
        if token.type == "paragraph_open":
            return self.blocks(inside, width)
        if token.type == "inline":
            return columns.wrap(self._inline(token), columns=width)
        writers: dict[str, Callable[[], str]] = {
            "bullet_list_open": lambda: self._list(token, inside, width),
            "ordered_list_open": lambda: self._list(token, inside, width),
            "blockquote_open": lambda: _prefixed(self.blocks(inside, width - 2), "> ", "> "),
            "heading_open": lambda: columns.wrap(self._inline(inside[0]).upper(), columns=width),
            "table_open": lambda: self._table(inside, width),
            "fence": lambda: _prefixed(token.content.rstrip("\n"), "    ", "    "),
            "code_block": lambda: _prefixed(token.content.rstrip("\n"), "    ", "    "),
            "footnote_open": lambda: _prefixed(self.blocks(inside, width - 3), f"{_raised(token)} ", "  "),
            "hr": lambda: _HORIZONTAL_RULE,
        }
        return writers.get(token.type, lambda: self.blocks(inside, width))()

    def _list(self, opening: Token, inside: Sequence[Token], width: int) -> str:
        number = int(opening.attrs.get("start", 1))
        items: list[str] = []
        index = 0
        tight = any(token.type == "paragraph_open" and token.hidden for token in inside)
        between = "\n" if tight else "\n\n"
        while index < len(inside):
            end = _closing(inside, index)
            bullet = "- " if opening.type == "bullet_list_open" else f"{number + len(items)}. "
            body = self.blocks(inside[index + 1 : end], width - len(bullet), between=between)
            items.append(_prefixed(body, bullet, " " * len(bullet)) if body else bullet.rstrip())
            index = end + 1
        return between.join(items)

    def _table(self, inside: Sequence[Token], width: int) -> str:
        """Write a table in columns where it fits, else each row as “heading: value” lines."""
        rows: list[list[str]] = []
        for token in inside:
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                rows[-1].append(self._inline(token).replace("\n", " "))
        widths = [max(map(columns.width, column)) for column in zip(*rows, strict=True)]
        if sum(widths) + 3 * (len(widths) - 1) > width:
            return "\n\n".join(_as_list(rows[0], row, width) for row in rows[1:])
        right = [_is_to_the_right(token) for token in inside if token.type == "th_open"]
        lines = ["   ".join(map(_padded, row, widths, right)).rstrip() for row in rows]
        return "\n".join([lines[0], "   ".join("-" * width for width in widths), *lines[1:]])

    def _inline(self, token: Token) -> str:
        written: list[str] = []
        links: list[tuple[Token, int]] = []
        for child in token.children or ():
            match child.type:
                case "text" | "code_inline":
                    written.append(child.content)
                case "softbreak":
                    written.append(" ")
                case "hardbreak":
                    written.append("\n")
                case "image":
                    written.append(f"[{self._notes.image}: {child.content}]" if child.content else "")
                case "footnote_ref":
                    written.append(_raised(child))
                case "link_open":
                    links.append((child, len(written)))
                case "link_close":
                    link, start = links.pop()
                    written.append(self._link("".join(written[start:]), link))
                case _:
                    written.append(_MARKS.get(child.type, ""))
        text = "".join(written)
        return _AROUND_LINE_END.sub("\n", text) if "\n" in text else text

    def _link(self, label: str, link: Token) -> str:
        """Return what follows the text of a link or a button."""
        url = str(link.attrs["href"])
        plain = url.removeprefix("mailto:")
        if issues.BUTTON in link.meta and label != plain:
            return f"：{plain}" if columns.width(label[-1:]) == 2 else f": {plain}"
        return _led(label, url, self._notes)


def _raised(footnote: Token) -> str:
    """Return the number of a footnote in raised digits: figures in brackets are links."""
    return str(int(footnote.meta.get("id", 0)) + 1).translate(_RAISED)


def _as_list(heads: Sequence[str], row: Sequence[str], width: int) -> str:
    return "\n".join(
        columns.wrap(f"{head}: {cell}" if head else cell, columns=width, rest="  ")
        for head, cell in zip(heads, row, strict=True)
    )


def _is_to_the_right(token: Token) -> bool:
    return "right" in {str(value).rpartition(":")[2] for value in token.attrs.values()}


def _padded(cell: str, width: int, to_the_right: bool) -> str:
    blanks = " " * (width - columns.width(cell))
    return blanks + cell if to_the_right else cell + blanks


def _prefixed(block: str, first: str, rest: str) -> str:
    lines = block.split("\n")
    return "\n".join(
        (first if index == 0 else rest) + line if line else (first if index == 0 else rest).rstrip()
        for index, line in enumerate(lines)
    )


def _closing(tokens: Sequence[Token], index: int) -> int:
    """Return the index of the token that closes the one at ``index``; itself where it opens nothing."""
    depth = 0
    for place in range(index, len(tokens)):
        depth += tokens[place].nesting
        if depth <= 0:
            return place
    return len(tokens)
