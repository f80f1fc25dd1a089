"""`[theme]`: how issues look, with colours that everybody can read."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from newsletter.rendering import contrast
from newsletter.rendering import tokens as token_room
from newsletter.settings.providers import Section

_COLOUR = re.compile(r"#[0-9a-f]{6}")
_FONT = re.compile(r"[\w ,.'+-]+")
_DEFAULTS = token_room.Tokens()


def _colour(value: str) -> str:
    # Six digits: Outlook does not read three.
    if not _COLOUR.fullmatch(value.lower()):
        raise ValueError("expected a colour such as #9c2b2e")
    return value.lower()


def _fonts(value: str) -> str:
    if not _FONT.fullmatch(value):
        raise ValueError("expected names of fonts such as Georgia, 'Times New Roman', serif")
    return value


def _picture(value: str) -> str:
    if value and not value.startswith("https://") and not re.fullmatch(r"[\w.-]+\.(png|jpe?g|gif)", value):
        raise ValueError("expected an https address, or a PNG, JPEG or GIF file that lies in issues/")
    return value


Colour = Annotated[str, AfterValidator(_colour)]
#: A colour on light and on dark ground.
Colours = tuple[Colour, Colour]
Fonts = Annotated[str, AfterValidator(_fonts)]
Picture = Annotated[str, AfterValidator(_picture)]


def _default(name: str) -> Any:
    pair = _DEFAULTS.colours[name]
    return Field(default=(pair.light, pair.dark), validate_default=True)


class Theme(Section):
    """`[theme]`: colours, each on light and on dark ground, fonts and measures."""

    # The grounds come first: text is held against them.
    paper: Colours = _default("paper")
    ground: Colours = _default("ground")
    tint: Colours = _default("tint")
    rule: Colours = _default("rule")
    ink: Colours = _default("ink")
    muted: Colours = _default("muted")
    link: Colours = _default("link")
    accent: Colours = _default("accent")
    heading_font: Fonts = _DEFAULTS.heading_font
    text_font: Fonts = _DEFAULTS.text_font
    mono_font: Fonts = _DEFAULTS.mono_font
    #: Below 480 pixels text gets narrow, above 720 its lines get too long to read.
    width: int = Field(default=_DEFAULTS.width, ge=480, le=720)
    corner: int = Field(default=_DEFAULTS.corner, ge=0, le=24)
    density: token_room.Density = _DEFAULTS.density
    logo: Picture = ""
    logo_dark: Picture = ""
    logo_width: int = Field(default=_DEFAULTS.logo_width, ge=32, le=560)

    @field_validator(*contrast.ON)
    @classmethod
    def _can_be_read(cls, value: Colours, info: ValidationInfo) -> Colours:
        known = {name: token_room.Pair(*info.data[name]) for name in _DEFAULTS.colours if name in info.data}
        name = str(info.field_name)
        if wrong := contrast.faint(name, known | {name: token_room.Pair(*value)}):
            raise ValueError(f"text needs a contrast of {contrast.ENOUGH}:1; {wrong}")
        return value

    def design(self) -> token_room.Tokens:
        """Return the design tokens that the table describes."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        pairs = {name: token_room.Pair(*values[name]) for name in _DEFAULTS.colours}
        return token_room.Tokens(**(values | pairs))
