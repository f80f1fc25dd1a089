"""Slots: what stands where content goes, and that content comes through byte for byte."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from newsletter.domain import fields, messages
from newsletter.rendering import mjml, slots

VIEW = messages.Field("view_url")


def through_mjml(*fragments: str) -> str:
    holder = slots.Slots("".join(fragments))
    body = "".join(f"<mj-text>{holder.html(slots.Html(fragment))}</mj-text>" for fragment in fragments)
    source = f"<mjml><mj-body><mj-section><mj-column>{body}</mj-column></mj-section></mj-body></mjml>"
    return fields.join(holder.fill(mjml.to_html(source)), {})


@given(st.lists(st.text(st.characters(blacklist_categories=("Cc", "Cs"))), min_size=1, max_size=5))
def test_any_fragment_comes_through_the_renderer_unchanged(fragments: list[str]) -> None:
    found = through_mjml(*fragments)
    start = 0
    for fragment in fragments:
        start = found.index(fragment, start) + len(fragment)


def test_fields_inside_html_stay_open_wherever_they_stand() -> None:
    holder = slots.Slots("")
    inner = slots.Html(f"<a href='{holder.field(VIEW)}'>view {holder.field(VIEW)}</a>")
    assert holder.fill(f"[{holder.html(inner)}]") == ("[<a href='", VIEW, "'>view ", VIEW, "</a>]")


def test_text_is_escaped_for_elements_and_attributes() -> None:
    holder = slots.Slots("")
    assert holder.fill(holder.text("<a b=\"c\" d='e'>&")) == (
        "&lt;a b=&quot;c&quot; d=&#x27;e&#x27;&gt;&amp;",
    )


def test_the_word_of_the_slots_occurs_nowhere_in_the_text() -> None:
    slot = slots.Slots("text").text("x")
    word = slot.removesuffix("0X")
    assert word not in slots.Slots(f"text {word}").text("x")


def test_a_heading_in_capitals_cannot_make_a_slot_of_what_was_written() -> None:
    slot = slots.Slots("").text("x")
    word = slot.removesuffix("0X").lower()
    assert slots.Slots(f"text {word}").text("x").lower().removesuffix("0x") != word


def test_a_number_that_no_slot_has_is_nothing() -> None:
    holder = slots.Slots("")
    slot = holder.text("x")
    assert holder.fill(slot.replace("0X", "99X")) == ()


def test_bytes_are_counted_for_each_entry() -> None:
    holder = slots.Slots("")
    for entry in ("a", "b"):
        holder.html(slots.Html("日本", entry))
    holder.html(slots.Html("1234", "a"))
    assert holder.bytes_by_entry() == {"a": 10, "b": 6}


def test_control_characters_become_what_was_meant_or_nothing() -> None:
    holder = slots.Slots("")
    written = holder.html(slots.Html("it\x92s \x93here\x94\x81\x00\x07\n\tend\r\n"))
    assert holder.fill(written) == ("it’s “here”\n\tend\n",)
