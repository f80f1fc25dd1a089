"""Which of caniemail's features a page makes use of, and where first."""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import resources

import tinycss2
from lxml import etree
from tinycss2 import ast

from newsletter.checking import document, stylebook


def _read() -> Mapping[str, list[str]]:
    path = resources.files("newsletter.checking").joinpath("data/features.toml")
    found: Mapping[str, list[str]] = tomllib.loads(path.read_text(encoding="utf-8"))
    return found


_NAMES = _read()
#: Properties whose feature is called after them.
_SAME = frozenset(_NAMES["properties"])
#: Features that leave a letter broken where they are missing, and those that nobody misses.
BREAKING = frozenset(_NAMES["breaking"])
HARMLESS = frozenset(_NAMES["harmless"])
_BY_PROPERTY = {
    "block-size": "block-inline-size",
    "column-gap": "gap",
    "row-gap": "gap",
    "gap": "gap",
    "columns": "column-layout-properties",
    **dict.fromkeys(("left", "right", "top", "bottom"), "left-right-top-bottom"),
    **dict.fromkeys(("margin-block-start", "margin-block-end"), "margin-block-start-end"),
    **dict.fromkeys(("margin-inline-start", "margin-inline-end"), "margin-inline-start-end"),
    **dict.fromkeys(("margin-inline", "margin-block"), "margin-inline-block"),
    **dict.fromkeys(("padding-block-start", "padding-block-end"), "padding-block-start-end"),
    **dict.fromkeys(("padding-inline-start", "padding-inline-end"), "padding-inline-start-end"),
    **dict.fromkeys(("padding-inline", "padding-block"), "padding-inline-block"),
    **dict.fromkeys(("border-inline", "border-block"), "border-inline-block"),
}
_BY_PREFIX = {
    "animation": "animation",
    "transition": "transition",
    "grid-template": "grid-template",
    "scroll-snap": "scroll-snap",
    "border-start": "border-radius-logical",
    "border-end": "border-radius-logical",
    "border-inline": "border-inline-block-longhand",
    "border-block": "border-inline-block-longhand",
    "border-image": "border-image",
    "border-top": "border",
    "border-right": "border",
    "border-bottom": "border",
    "border-left": "border",
    "column-": "column-layout-properties",
    "margin-": "margin",
    "padding-": "padding",
    "overflow-": "overflow",
    "mask": "mask-image",
    "--": "variables",
}
_FUNCTIONS = {
    **{name: f"function-{name}" for name in ("clamp", "light-dark", "max", "min")},
    **{name: name for name in ("conic-gradient", "linear-gradient", "radial-gradient", "rgb", "rgba")},
    **dict.fromkeys(("lch", "oklch", "lab", "oklab"), "modern-color"),
    "calc": "unit-calc",
    "var": "variables",
}
_UNITS = frozenset(["ch", "cm", "em", "ex", "in", "mm", "pc", "pt", "px", "rem", "vh", "vmax", "vmin", "vw"])
_PSEUDO = re.compile(r"::?([a-z-]+)")
_FONTS = re.compile(r"\b(?:system-ui|ui-(?:serif|sans-serif|rounded|monospace))\b")

_ELEMENTS = {
    **{name: name for name in _NAMES["elements"]},
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "h1-h6"),
    **dict.fromkeys(("ul", "ol", "dl"), "lists"),
    **dict.fromkeys(("map", "area"), "image-maps"),
    **dict.fromkeys(("article", "aside", "details", "figcaption", "figure", "footer", "header"), "semantics"),
    **dict.fromkeys(("main", "mark", "nav", "section", "summary", "time"), "semantics"),
}
_ATTRIBUTES = {name: name for name in _NAMES["attributes"]} | {
    "loading": "loading-attribute",
    "sizes": "srcset",
}
_TYPED = {
    "input": {"checkbox", "hidden", "radio", "reset", "submit", "text"},
    "button": {"reset", "submit"},
}
_FORMATS = {
    f".{name}": name for name in ("apng", "avif", "bmp", "gif", "hdr", "ico", "jpg", "mp4", "png", "svg")
}
_FORMATS |= {
    ".tiff": "tiff",
    ".tif": "tiff",
    ".webp": "webp",
    ".jpeg": "jpg",
    ".heic": "heif",
    ".heif": "heif",
}
_PARTS = frozenset({"after", "before", "first-letter", "first-line", "marker", "placeholder"})


@dataclass(frozen=True)
class Use:
    """A feature in use."""

    slug: str
    #: The first element that uses it; None when a style sheet does.
    element: etree._Element | None


def used(page: document.Page) -> Mapping[str, Use]:
    """Return the features of a page by slug."""
    found: dict[str, Use] = {}
    for block in page.style_blocks:
        for slug in of_sheet(block):
            found.setdefault(slug, Use(slug, None))
    for element in page.elements:
        for slug in _of_element(element):
            found.setdefault(slug, Use(slug, element))
    return found


@functools.lru_cache(maxsize=64)
def of_sheet(block: str) -> frozenset[str]:
    """Return the features of a style sheet."""
    found = {"css-comments"} if "/*" in block else set()
    for node in stylebook.parsed(block):
        found |= set(_of_node(node))
    return frozenset(found)


def _of_node(node: ast.Node) -> Iterator[str]:
    if isinstance(node, ast.QualifiedRule):
        yield from _of_selectors(tinycss2.serialize(node.prelude))
        yield from of_style(tinycss2.serialize(node.content))
        if any(token.type == "{} block" for token in node.content):
            yield "css-nesting"
    elif isinstance(node, ast.AtRule):
        yield from _of_at_rule(node)
        if node.content is not None and node.lower_at_keyword in {"media", "supports"}:
            for inner in tinycss2.parse_rule_list(node.content, skip_comments=True, skip_whitespace=True):
                yield from _of_node(inner)


def _of_at_rule(node: ast.AtRule) -> Iterator[str]:
    name, prelude = node.lower_at_keyword, tinycss2.serialize(node.prelude).lower()
    if name in {"font-face", "import", "keyframes", "media", "supports"}:
        yield f"css-at-{name}"
    if name == "media":
        for feature in ("orientation", "prefers-color-scheme", "prefers-reduced-motion", "hover"):
            if feature in prelude:
                yield f"css-at-media-{feature}"
        if "device-pixel-ratio" in prelude:
            yield "css-at-media-device-pixel-ratio"


def _of_selectors(prelude: str) -> Iterator[str]:
    signs = {
        ",": "grouping", ".": "class", "#": "id", "[": "attribute", ">": "child", "+": "adjacent-sibling",
        "~ ": "general-sibling", "*": "universal",
    }  # fmt: skip
    bare = re.sub(r"\[[^\]]*\]", "[", prelude)
    yield from (f"css-selector-{name}" for sign, name in signs.items() if sign in bare)
    for selector in bare.split(","):
        steps = re.split(r"\s*[>+~]\s*|\s+", selector.strip())
        if len(steps) > 1 and re.search(r"[\w\])] +[\w.#\[*:]", selector.strip()):
            yield "css-selector-descendant"
        for step in steps:
            if re.match(r"[a-zA-Z]", step):
                yield "css-selector-type"
            if re.search(r"\.[\w-]+\.", step):
                yield "css-selector-chaining"
    yield from _of_pseudo(bare)


def _of_pseudo(selector: str) -> Iterator[str]:
    for match in _PSEUDO.finditer(selector):
        kind = "element" if match[1] in _PARTS else "class"
        yield f"css-pseudo-{kind}-{match[1]}"


@functools.lru_cache(maxsize=4096)
def of_style(style: str) -> frozenset[str]:
    """Return the features of declarations, as in a style attribute."""
    found = {"css-comments"} if "/*" in style else set()
    for name, (value, important) in stylebook.inline(style).items():
        if important:
            found.add("css-important")
        found.update(f"css-{slug}" for slug in (*_of_property(name, value), *_of_value(name, value.lower())))
    return frozenset(found)


def _of_property(name: str, value: str) -> Iterator[str]:
    if name.startswith("mso-") or not name:
        return
    if name == "display":
        kind = value.removeprefix("inline-")
        yield f"display-{kind}" if kind in {"none", "flex", "grid"} else "display"
    elif name in _SAME:
        yield name
    elif name in _BY_PROPERTY:
        yield _BY_PROPERTY[name]
    elif name.startswith("border-") and name.endswith("-radius"):
        yield "border-radius"
    elif name.startswith("border") and not name.startswith(tuple(_BY_PREFIX)):
        yield "border"
    else:
        yield from (slug for prefix, slug in _BY_PREFIX.items() if name.startswith(prefix))


def _of_value(name: str, value: str) -> Iterator[str]:
    for match in re.finditer(r"([a-z-]+)\(", value):
        if match[1] in _FUNCTIONS:
            yield _FUNCTIONS[match[1]]
    bare = re.sub(r"url\([^)]*\)|\"[^\"]*\"|'[^']*'|#[0-9a-f]+", "", value)
    for match in re.finditer(r"(?<![\w-])[-+]?\d*\.?\d+(%|[a-z]+)", bare):
        if match[1] == "%":
            yield "unit-percent"
        elif match[1] in _UNITS:
            yield f"unit-{match[1]}"
    if bare.strip() == "initial":
        yield "unit-initial"
    if re.search(r"\b(?:fit|min|max)-content\b", bare):
        yield "intrinsic-size"
    if name.startswith("font") and _FONTS.search(bare):
        yield "sytem-ui"
    if name in {"background", "background-image"} and ("url(" in value or "gradient(" in value):
        yield "background-image"


def _of_element(element: etree._Element) -> Iterator[str]:
    tag = document.tag(element)
    if tag in _ELEMENTS:
        yield f"html-{_ELEMENTS[tag]}"
    kind = element.get("type", "").lower()
    if kind in _TYPED.get(tag, ()):
        yield f"html-{tag}-{kind}"
    yield from (f"html-{_ATTRIBUTES[name]}" for name in _names(element.keys()) if name in _ATTRIBUTES)
    if tag == "meta" and element.get("name", "").lower() == "color-scheme":
        yield "html-meta-color-scheme"
    if tag == "a":
        yield from _of_address(element.get("href", ""))
    if tag in {"img", "source"}:
        yield from _of_image(element.get("src", ""))
    if style := element.get("style"):
        yield from of_style(style)


def _names(keys: Iterable[object]) -> Iterator[str]:
    return (key.lower() for key in keys if isinstance(key, str))


def _of_address(href: str) -> Iterator[str]:
    if href.startswith("#") and len(href) > 1:
        yield "html-anchor-links"
    elif href.startswith("mailto:"):
        yield "html-mailto-links"


def _of_image(src: str) -> Iterator[str]:
    path = src.partition("?")[0].lower()
    if src.startswith("data:"):
        yield "image-base64"
    elif (dot := path.rfind(".")) > path.rfind("/") and path[dot:] in _FORMATS:
        yield f"image-{_FORMATS[path[dot:]]}"
