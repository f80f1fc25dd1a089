"""The MJML renderer, wrapped: whatever it is given, an error or HTML comes back."""

from __future__ import annotations

import pytest

from newsletter.domain import errors
from newsletter.rendering import mjml

FRAME = "<mjml><mj-body><mj-section><mj-column>{}</mj-column></mj-section></mj-body></mjml>"


def test_no_web_font_is_ever_asked_for() -> None:
    fonts = 'font-family="Ubuntu, Roboto, Lato, Open Sans, Droid Sans"'
    found = mjml.to_html(FRAME.format(f"<mj-text {fonts}>x</mj-text>"))
    assert "fonts.googleapis" not in found
    assert "@import" not in found


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (FRAME.format("<mj-text>"), "refuses the template"),
        (FRAME.format("<mj-text><!--[if mso]x--></mj-text>"), "broke down"),
        (FRAME.format("<mj-include path='x.mjml' />"), "refuses the template"),
        (FRAME.format("<mj-text>\0</mj-text>"), "NUL"),
        (FRAME.format("<mj-text>" + "<div>" * 30_000 + "</div>" * 30_000 + "</mj-text>"), "nests more than"),
        (FRAME.format("<mj-text>" + "x" * 2_000_000 + "</mj-text>"), "2,000,000 bytes"),
        ("", "refuses the template"),
    ],
)
def test_bad_source_is_a_clear_error_and_not_a_crash(source: str, said: str) -> None:
    with pytest.raises(errors.RenderError, match=said):
        mjml.to_html(source)


def test_html_inside_a_template_does_not_count_as_nesting_when_it_is_closed() -> None:
    assert "row" in mjml.to_html(FRAME.format("<mj-text>" + "<p>row<br></p>" * 1000 + "</mj-text>"))
