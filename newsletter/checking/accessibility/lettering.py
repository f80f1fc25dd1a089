"""Accessibility of type: large enough, dark enough, and at rest."""

from __future__ import annotations

import re
from collections.abc import Iterable

from newsletter.checking import colours, document, reading, rulebook
from newsletter.domain import findings

Hits = Iterable[rulebook.Hit]
rule = rulebook.family("accessibility", needs=("html",))

_ERROR, _WARNING, _ADVICE = findings.Severity.ERROR, findings.Severity.WARNING, findings.Severity.ADVICE
_SMALLEST = 12
_LOWEST = 1.4
_CAPITALS = re.compile(r"(?:[A-Z][^\w\n]{0,2}){21,}")
_MOTION = re.compile(
    r"(?:^|[;{\s])(?:-webkit-)?(?:animation|transition)(?:-[a-z]+)?\s*:\s*(?!none)", re.IGNORECASE
)


@rule("contrast", _ERROR, source="Email Markup Consortium: 59 % of mails fail; WCAG 1.4.3")
def contrast(page: reading.Reading) -> Hits:
    """Text needs a contrast of 4.5 to 1, large text of 3 to 1, or it is lost in the sun and on tired eyes; in
    the dark palette as in the light one."""
    for name, looks in {"day": page.light, "night": page.dark}.items():
        seen: set[tuple[str, str, bool]] = set()
        for element, _, look in looks.texts:
            if look.ground is None:
                continue
            ratio = colours.contrast(look.colour, look.ground)
            large = look.size >= 24 or (look.bold and look.size >= 18.66)
            pair = (str(look.colour), str(look.ground), large)
            if ratio < (3 if large else 4.5) and pair not in seen:
                seen.add(pair)
                yield page.hit(
                    element,
                    f"{look.colour} on {look.ground} has a contrast of {ratio:.2f} to 1 by {name}",
                    fix=f"{3 if large else 4.5} to 1 are needed",
                )


@rule("font-small", _WARNING, source="Parcel accessibility checker; iOS enlarges what is below 12 px")
def font_small(page: reading.Reading) -> Hits:
    """Text below 12 pixels is skipped by many and enlarged by some phones, which breaks the layout."""
    seen: set[float] = set()
    for element, _, look in page.light.texts:
        if look.size < _SMALLEST and look.size not in seen:
            seen.add(look.size)
            yield page.hit(element, f"text of {look.size:g} pixels", fix=f"at least {_SMALLEST}, better 14")


@rule("line-height", _ADVICE, source="WCAG 1.4.12: 1.5 must be possible; practice: 1.4 and more")
def line_height(page: reading.Reading) -> Hits:
    """Long text in tight lines makes the eye slip into the line before or after."""
    for element, _, look in page.light.texts:
        tall = len(page.html.words(element)) > 120
        if tall and look.line_height < _LOWEST and element.tag in document.BLOCKS:
            height = f"{look.line_height:g}" if look.line_height else "no line height of its own"
            yield page.hit(element, f"long text with {height}", fix=f"set line-height to {_LOWEST} or more")


@rule("justify", _ADVICE, source="WCAG 1.4.8")
def justify(page: reading.Reading) -> Hits:
    """Justified text tears rivers of white into narrow columns; people with dyslexia lose the line."""
    for element, _, look in page.light.texts:
        if look.align == "justify" and element.tag in document.BLOCKS:
            yield page.hit(element, "justified text", fix="align it to the left")
            return


@rule("all-caps", _ADVICE, source="WCAG, Understanding 3.1.4; practice")
def all_caps(page: reading.Reading) -> Hits:
    """Long runs of capitals lose the shape of words, and some screen readers spell them out."""
    for element, own, look in page.light.texts:
        shouting = look.transform == "uppercase" and sum(char.isalpha() for char in own) > 20
        if shouting or _CAPITALS.search(own):
            yield page.hit(element, f"“{own[:40]}” is set in capitals", fix="write it as a sentence")


@rule("motion", _WARNING, source="WCAG 2.3.3; Media Queries 5, prefers-reduced-motion")
def motion(page: reading.Reading) -> Hits:
    """Motion makes some people ill; who asked their system for less must get less."""
    styles = [*page.html.style_blocks, *(e.get("style", "") for e in page.html.elements if e.get("style"))]
    moves = any(_MOTION.search(text) for text in styles)
    if moves and not any("prefers-reduced-motion" in block for block in page.html.style_blocks):
        yield rulebook.Hit(
            message="something moves without regard to prefers-reduced-motion", fix="mend the template"
        )


@rule("focus-outline", _ERROR, source="WCAG 2.4.7")
def focus_outline(page: reading.Reading) -> Hits:
    """Who uses a keyboard finds their place by the outline; without it they are lost."""
    pattern = re.compile(r":focus[^{]*\{[^}]*outline(?:-style|-width)?\s*:\s*(?:none|0)", re.IGNORECASE)
    if any(pattern.search(block) for block in page.html.style_blocks):
        yield rulebook.Hit(
            message="the outline of what has the focus is switched off", fix="mend the template"
        )
