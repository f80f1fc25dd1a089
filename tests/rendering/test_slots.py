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


def test_a_skeleton_is_cut_once_and_filled_like_its_document() -> None:
    holder = slots.Slots("")
    document = f"<b>{holder.text('a & b')}</b>{holder.field(VIEW)}{holder.html(slots.Html('<i>'))}"
    skeleton = holder.skeleton(document)
    assert holder.skeleton(document) is skeleton
    assert holder.fill(skeleton) == holder.fill(document) == ("<b>a &amp; b</b>", VIEW, "<i>")


def test_one_skeleton_serves_slots_of_one_word_alone() -> None:
    first, second = slots.Slots(""), slots.Slots(slots.Slots("").text("x"))
    document = first.text("one") + second.text("two")
    assert first.fill(first.skeleton(document)) == (f"one{second.text('two')}",)
    assert second.fill(second.skeleton(document)) == (f"{first.text('one')}two",)


def test_what_comes_after_a_filling_is_cleaned_and_opened_too() -> None:
    holder = slots.Slots("")
    assert holder.fill(holder.text("clean")) == ("clean",)
    assert holder.fill(holder.text("dirty\x07")) == ("dirty",)
    assert holder.fill(holder.html(slots.Html(f"see {holder.field(VIEW)}"))) == ("see ", VIEW)


def test_control_characters_of_the_document_itself_are_cleaned() -> None:
    holder = slots.Slots("")
    assert holder.fill(f"a\x07b{holder.text('c')}\x92") == ("abc’",)


@given(st.integers(1, 10), st.sampled_from("\x00\x07\x7f\x81"))
def test_a_control_character_cannot_make_a_slot_of_what_was_written(place: int, control: str) -> None:
    holder = slots.Slots("")
    slot = holder.text("other")
    forged = slot[:place] + control + slot[place:]
    assert holder.fill(holder.text(forged)) == (slot,)
    assert holder.fill(f"{forged}{holder.field(VIEW)}") == (slot, VIEW)
    assert holder.fill(holder.text(f"{forged} {holder.field(VIEW)}")) == (f"{slot} ", VIEW)
