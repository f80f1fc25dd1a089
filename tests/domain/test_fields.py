"""Personal fields: what editors may write between braces, and what is said of the rest."""

from __future__ import annotations

import pytest

from newsletter.domain import errors, fields, messages

FIRST = messages.Field("subscriber.first_name", "reader")


def test_text_without_fields_is_one_piece() -> None:
    assert fields.parse("Hello") == ("Hello",)
    assert fields.parse("") == ()


def test_a_field_with_a_default_stays_open() -> None:
    assert fields.parse('Dear {{ subscriber.first_name | default("reader") }},') == ("Dear ", FIRST, ",")


@pytest.mark.parametrize("blank", ["", " ", "   "])
def test_blanks_inside_the_braces_say_nothing(blank: str) -> None:
    written = f'{{{{{blank}subscriber.first_name{blank}|{blank}default({blank}"reader"{blank}){blank}}}}}'
    assert fields.parse(written) == (FIRST,)


def test_a_default_may_hold_braces_and_quotes_of_other_kinds() -> None:
    (field,) = fields.parse('{{ subscriber.name | default("you \'} there") }}')
    assert field == messages.Field("subscriber.name", "you '} there")


def test_a_backslash_makes_braces_literal() -> None:
    assert fields.parse(r"Write \{{ subscriber.name }} like this") == (
        "Write {{ subscriber.name }} like this",
    )


@pytest.mark.parametrize("name", messages.FIELDS)
def test_every_field_of_the_list_can_be_asked_for(name: str) -> None:
    assert fields.parse(f"{{{{ {name} }}}}") == (messages.Field(name),)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{{ subscriber.nmae }}", "“subscriber.nmae” is not a personal field"),
        ("{{ name | upper }}", "not written as a personal field"),
        ('{{ subscriber.name | default("a" }}', "not written as a personal field"),
        ("{{ }}", "not written as a personal field"),
        ("Dear {{ subscriber.name", "never closed"),
        ("{{{ subscriber.name }}}", "never closed"),
    ],
)
def test_anything_else_between_braces_is_refused_by_name(written: str, said: str) -> None:
    with pytest.raises(errors.RenderError, match=said) as caught:
        fields.parse(written)
    assert "subscriber.first_name" in caught.value.hint
    (found,) = fields.find(written)
    assert found.field is None
    assert said in found.problem


def test_finding_says_where_each_field_stands() -> None:
    text = "Hello\n  {{ nope }} and {{ view_url }}\n\\{{ not one }}\n{{ subscriber.name }}"
    assert [(found.line, found.column, found.text, bool(found.problem)) for found in fields.find(text)] == [
        (2, 3, "{{ nope }}", True),
        (2, 18, "{{ view_url }}", False),
        (4, 1, "{{ subscriber.name }}", False),
    ]


def test_filling_takes_the_value_or_else_the_default() -> None:
    text = 'Dear {{ subscriber.first_name | default("reader") }}'
    assert fields.fill(text, {"subscriber.first_name": "Ada"}) == "Dear Ada"
    assert fields.fill(text, {"subscriber.first_name": ""}) == "Dear reader"
    assert fields.fill(text, {}) == "Dear reader"


def test_joining_escapes_values_and_leaves_the_text_alone() -> None:
    pieces = ("<b>", FIRST, "</b>")
    assert fields.join(pieces, {"subscriber.first_name": "A"}, escape=str.lower) == "<b>a</b>"


def test_a_line_of_ten_thousand_open_braces_is_read_at_once() -> None:
    assert len(fields.find("{{" * 10_000)) == 10_000


def test_a_snippet_is_found_by_its_name_and_place() -> None:
    (found,) = fields.find('One\n{{ snippet "forwarded" }}')
    assert (found.snippet, found.line, found.at, found.problem) == ("forwarded", 2, 4, "")
    with pytest.raises(errors.RenderError, match="snippets go into the body"):
        fields.parse('{{ snippet "forwarded" }}')
