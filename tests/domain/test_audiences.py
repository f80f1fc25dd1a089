"""The language of audiences: what it says, and where it says something wrong."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.domain import audiences, errors
from newsletter.domain.audiences import All, Either, Not, Test


def one(field: str, *values: str, operator: str = ":", name: str = "") -> Test:
    return Test(field=field, operator=operator, values=values, text="", name=name)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("topic:security", one("topic", "security")),
        ('tag:"board members"', one("tag", "board members")),
        ("TAG = press", one("tag", "press")),
        ("tag != press", Not(part=one("tag", "press"), text="")),
        ("joined>=2026-01-01", one("joined", "2026-01-01", operator=">=")),
        ("attr.seats < 3", one("attr", "3", operator="<", name="seats")),
        ("attr.国:JP", one("attr", "JP", name="国")),
        ("language in (ja, en)", one("language", "ja", "en")),
        ("email:*@Example.org", one("email", "*@example.org")),
        ("not not tag:a", Not(part=Not(part=one("tag", "a"), text=""), text="")),
        (
            "tag:a or tag:b and not tag:c",
            Either(
                parts=(
                    one("tag", "a"),
                    All(parts=(one("tag", "b"), Not(part=one("tag", "c"), text="")), text=""),
                ),
                text="",
            ),
        ),
        (
            "(tag:a OR tag:b) AND tag:and",
            All(
                parts=(Either(parts=(one("tag", "a"), one("tag", "b")), text=""), one("tag", "and")),
                text="",
            ),
        ),
    ],
)
def test_a_rule_says_what_it_looks_like(text: str, rule: audiences.Rule) -> None:
    assert audiences.parse(text) == rule


@pytest.mark.parametrize(
    ("text", "caret", "said"),
    [
        ("", 0, "the rule is empty"),
        ("topic:", 6, "expected a value"),
        ("topic security", 6, "expected “:”"),
        ("tag:a and", 9, "expected a field"),
        ("(tag:a", 6, "expected “)”"),
        ("tag:a)", 5, "expected “and”, “or” or the end"),
        ("topik:x", 0, "did you mean “topic”?"),
        ("tag:a and language>en", 18, "compared with “:” only"),
        ("joined:yesterday", 7, "expected a date"),
        ("joined>2026-02-30", 7, "expected a date"),
        ("tag:a tag:b", 6, "expected “and”, “or” or the end"),
        ('tag:"x', 4, "expected a value"),
        ("attr:x", 0, "there is no field “attr”"),
        ("email.x:1", 0, "there is no field “email.x”"),
        ("tag in x", 7, "expected “(”"),
        ("tag in (x y)", 10, "expected “)”"),
        ("status:actve", 7, "did you mean “active”?"),
        ("tag:a; DROP TABLE subscriber", 7, "expected “and”, “or” or the end"),
    ],
)
def test_a_mistake_is_shown_with_a_caret(text: str, caret: int, said: str) -> None:
    with pytest.raises(errors.AudienceError) as caught:
        audiences.parse(text)
    message, shown, mark = str(caught.value).split("\n")
    assert said in message
    assert shown == f"  {text}"
    assert mark.index("^") - 2 == caret
    assert caught.value.hint


def test_what_the_publication_declares_is_all_there_is() -> None:
    words = audiences.Vocabulary(topics=["security", "economy"], attributes=["country"])
    audiences.parse("topic:security and attr.country:US and tag:anything", words)
    with pytest.raises(errors.AudienceError, match="did you mean “security”"):
        audiences.parse("topic:secrity", words)
    with pytest.raises(errors.AudienceError, match="there is no attribute “contry”"):
        audiences.parse("attr.contry:US", words)


def test_the_reason_for_being_left_out_is_the_clause_that_failed() -> None:
    rule = audiences.parse("topic:a and not tag:b and (tag:c or tag:d) and tag != e")
    assert list(audiences.clauses(rule)) == ["not topic:a", "tag:b", "not (tag:c or tag:d)", "not tag != e"]
    assert list(audiences.clauses(audiences.parse("tag:a or tag:b"))) == ["not (tag:a or tag:b)"]


@given(st.text(st.sampled_from('abc:=<>!(),"\\ \t\n%_*andortagopic.1-é')))
def test_no_text_does_worse_than_an_error(text: str) -> None:
    with contextlib.suppress(errors.AudienceError):
        audiences.parse(text)
