"""What an element looks like once style sheets, attributes and inheritance have spoken."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from newsletter.checking import colours, document, stylebook

_PIXELS = {"px": 1.0, "pt": 4 / 3, "pc": 16.0, "in": 96.0, "cm": 37.8, "mm": 3.78}
_LENGTH = re.compile(r"([\d.]+)\s*(px|pt|pc|in|cm|mm|em|rem|%)?")
_NAMED_SIZES = {
    "xx-small": 9,
    "x-small": 10,
    "small": 13,
    "medium": 16,
    "large": 18,
    "x-large": 24,
    "xx-large": 32,
}
_HEADINGS = {"h1": 2.0, "h2": 1.5, "h3": 1.17, "h4": 1.0, "h5": 0.83, "h6": 0.67}
#: Sizes that browsers give by themselves, as multiples of the size around.
_SCALES = _HEADINGS | {"small": 1 / 1.2, "sub": 1 / 1.2, "sup": 1 / 1.2, "big": 1.2}
_BOLD = frozenset({"b", "strong", "th", *_HEADINGS})
_LINK = {False: colours.Colour(0, 0, 238 / 255), True: colours.Colour(138 / 255, 180 / 255, 248 / 255)}


@dataclass(frozen=True)
class Look:
    """The computed style of an element, as far as reading depends on it."""

    colour: colours.Colour
    #: What lies behind the text: opaque; None over a picture or gradient.
    ground: colours.Colour | None
    size: float = 16.0
    bold: bool = False
    #: Multiple of the size; 0 where the program decides.
    line_height: float = 0.0
    align: str = ""
    transform: str = ""
    underlined: bool = False
    shown: bool = True
    #: Whether the element itself brings a background.
    has_ground: bool = False
    #: Size of the root element.
    rem: float = 16.0


_Key = tuple[str, str]


class Cascade:
    """The looks of a page's elements in one palette."""

    def __init__(self, page: document.Page, *, dark: bool = False) -> None:
        self._page, self._dark = page, dark
        self._sheet = _sheet(page, dark)
        self._looks: dict[etree._Element, Look] = {}
        start = Look(
            colours.WHITE if dark else colours.BLACK,
            colours.Colour(0.07, 0.07, 0.07) if dark else colours.WHITE,
        )
        if dark and not _follows_scheme(page):
            start = Look(colours.BLACK, colours.WHITE)
        for element in page.elements:
            parent = element.getparent()
            self._looks[element] = self._look(element, self._looks[parent] if parent is not None else start)

    def look(self, element: etree._Element) -> Look:
        """Return how an element looks."""
        return self._looks[element]

    @cached_property
    def texts(self) -> tuple[tuple[etree._Element, str, Look], ...]:
        """Each visible element that holds text of its own, with that text and how it looks."""
        found = []
        for element, look in self._looks.items():
            if not look.shown or not self._page.is_visible(element):
                continue
            pieces = [element.text or "", *(child.tail or "" for child in element)]
            own = " ".join(" ".join(pieces).split())
            if any(map(str.isalnum, own)):
                found.append((element, own, look))
        return tuple(found)

    def _declared(self, element: etree._Element) -> dict[str, str]:
        """Return the winning declarations of an element, attributes least of all."""
        found: dict[str, tuple[tuple[bool, bool, tuple[int, int, int], int], str]] = {}
        for name, value in _attributes(element):
            found[name] = ((False, False, (-1, 0, 0), 0), value)
        for order, (selector, declarations) in enumerate(self._candidates(element)):
            if selector.fits(element):
                for name, (value, important) in declarations.items():
                    _win(found, name, value, (important, False, selector.specificity, order))
        for name, (value, important) in stylebook.inline(element.get("style", "")).items():
            _win(found, name, value, (important, True, (0, 0, 0), 0))
        return {name: value for name, (_, value) in found.items()}

    def _candidates(self, element: etree._Element) -> list[tuple[stylebook.Selector, stylebook.Declarations]]:
        keys: list[_Key] = [("tag", str(element.tag)), ("id", element.get("id", "")), ("", "")]
        keys += [("class", name) for name in element.get("class", "").split()]
        found = [entry for key in keys for entry in self._sheet.get(key, ())]
        return [
            (selector, declarations)
            for _, selector, declarations in sorted(found, key=lambda entry: entry[0])
        ]

    def _look(self, element: etree._Element, above: Look) -> Look:
        declared = self._declared(element)
        ground, has_ground = _ground(declared, above.ground)
        size = _size(declared, element, above)
        return Look(
            colour=self._colour(declared, element, above, ground),
            ground=ground,
            has_ground=has_ground,
            size=size,
            rem=size if element.getparent() is None else above.rem,
            bold=_bold(declared, element, above),
            line_height=_line_height(declared, size, above),
            align=declared.get("text-align", above.align).lower(),
            transform=declared.get("text-transform", above.transform).lower(),
            underlined=_underlined(declared, element, above),
            shown=above.shown
            and declared.get("display", "").lower() != "none"
            and declared.get("visibility", "").lower() != "hidden",
        )

    def _colour(
        self, declared: dict[str, str], element: etree._Element, above: Look, ground: colours.Colour | None
    ) -> colours.Colour:
        own = colours.parse(declared["color"]) if "color" in declared else None
        if own is None and element.tag == "a" and element.get("href"):
            own = _LINK[self._dark]
        if own is None:
            return above.colour
        return own.over(ground) if own.alpha < 1 and ground is not None else own


def _follows_scheme(page: document.Page) -> bool:
    """Say whether the page tells programs that it has a dark palette of its own."""
    return any(
        meta.get("name") in {"color-scheme", "supported-color-schemes"} and "dark" in meta.get("content", "")
        for meta in page.all("meta")
    )


def _sheet(
    page: document.Page, dark: bool
) -> dict[_Key, list[tuple[int, stylebook.Selector, stylebook.Declarations]]]:
    """Index the rules that hold in a palette by what their last step asks for."""
    index: dict[_Key, list[tuple[int, stylebook.Selector, stylebook.Declarations]]] = defaultdict(list)
    for order, rule in enumerate(rule for block in page.style_blocks for rule in stylebook.rules(block)):
        if rule.is_plain or (dark and rule.is_dark):
            for selector in stylebook.selectors(rule.prelude):
                index[_key(selector.subject)].append((order, selector, rule.declarations))
    return index


def _key(step: stylebook.Compound) -> _Key:
    if step.id:
        return "id", step.id
    if step.classes:
        return "class", min(step.classes)
    return ("tag", step.tag) if step.tag else ("", "")


def _win(
    found: dict[str, tuple[tuple[bool, bool, tuple[int, int, int], int], str]],
    name: str,
    value: str,
    weight: tuple[bool, bool, tuple[int, int, int], int],
) -> None:
    if name not in found or found[name][0] <= weight:
        found[name] = (weight, value)


def _attributes(element: etree._Element) -> Iterator[tuple[str, str]]:
    for attribute, name in (("bgcolor", "background-color"), ("align", "text-align"), ("color", "color")):
        if (value := element.get(attribute)) and not (attribute == "color" and element.tag != "font"):
            yield name, value
    if element.tag == "body" and element.get("text"):
        yield "color", element.get("text", "")


def _ground(declared: dict[str, str], above: colours.Colour | None) -> tuple[colours.Colour | None, bool]:
    shorthand, image = declared.get("background", ""), declared.get("background-image", "")
    if any(mark in value for mark in ("url(", "gradient(") for value in (shorthand, image)):
        return None, True
    own = colours.parse(declared.get("background-color", "")) or _first_colour(shorthand)
    if own is None or own.alpha == 0:
        return above, False
    if own.alpha < 1:
        return (own.over(above) if above is not None else None), True
    return own, True


def _first_colour(shorthand: str) -> colours.Colour | None:
    words = re.findall(r"[\w#-]+\([^)]*\)|[^\s]+", shorthand)
    return next((colour for word in words if (colour := colours.parse(word))), None)


def _size(declared: dict[str, str], element: etree._Element, above: Look) -> float:
    value = declared.get("font-size", "").lower()
    if value in _NAMED_SIZES:
        return float(_NAMED_SIZES[value])
    if value in {"smaller", "larger"}:
        return above.size / 1.2 if value == "smaller" else above.size * 1.2
    if match := _LENGTH.fullmatch(value):
        return _pixels(match, above.size, above.rem)
    return above.size * _SCALES.get(str(element.tag), 1.0)


def _pixels(match: re.Match[str], above: float, rem: float) -> float:
    number, unit = float(match[1]), match[2] or "px"
    if unit in {"em", "%"}:
        return number * above / (100 if unit == "%" else 1)
    return number * rem if unit == "rem" else number * _PIXELS[unit]


def _bold(declared: dict[str, str], element: etree._Element, above: Look) -> bool:
    value = declared.get("font-weight", "").lower()
    if value:
        return value in {"bold", "bolder"} or (value.isdigit() and int(value) >= 700)
    return above.bold or element.tag in _BOLD


def _line_height(declared: dict[str, str], size: float, above: Look) -> float:
    value = declared.get("line-height", "").lower()
    match = _LENGTH.fullmatch(value)
    if match is None:
        # A height in pixels is inherited as pixels; near enough for text of one size.
        return 0.0 if value == "normal" else above.line_height
    if match[2] is None:
        return float(match[1])
    return _pixels(match, size, above.rem) / size if size else 0.0


def _underlined(declared: dict[str, str], element: etree._Element, above: Look) -> bool:
    value = declared.get("text-decoration", "") + declared.get("text-decoration-line", "")
    if value:
        return "underline" in value
    return (
        above.underlined or element.tag in {"u", "ins"} or (element.tag == "a" and "href" in element.attrib)
    )
