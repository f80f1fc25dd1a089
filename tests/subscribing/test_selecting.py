"""An audience is found by its name, or by a rule typed in its place."""

from __future__ import annotations

import pytest

from newsletter import ports
from newsletter.domain import audiences, errors
from newsletter.subscribing import selecting

SAVED = selecting.Audiences(
    saved={"press": "tag:press", "japan": "language:ja and attr.country:JP"},
    words=audiences.Vocabulary(topics=["security"], attributes=["country"]),
)


def test_no_name_is_everyone() -> None:
    assert SAVED.find() == ports.Audience(name="everyone", rule="")
    assert SAVED.find("everyone") == SAVED.find()


def test_a_saved_name_brings_its_rule() -> None:
    assert SAVED.find("press", exclude="japan") == ports.Audience(
        name="press", rule="tag:press", exclude="language:ja and attr.country:JP"
    )


def test_a_rule_can_be_typed_in_place_of_a_name() -> None:
    assert SAVED.find("topic:security") == ports.Audience(name="topic:security", rule="topic:security")
    assert SAVED.rule("language in (ja, en)") == "language in (ja, en)"


def test_a_name_that_nobody_saved_is_an_error_with_the_nearest_one() -> None:
    with pytest.raises(errors.AudienceError, match="no audience “pres”") as caught:
        SAVED.find("pres")
    assert "did you mean press?" in caught.value.hint
    with pytest.raises(errors.AudienceError) as caught:
        SAVED.find("qqq")
    assert "everyone, press, japan" in caught.value.hint


def test_a_topic_that_the_publication_does_not_have_is_an_error() -> None:
    with pytest.raises(errors.AudienceError, match="no topic “secrity”"):
        SAVED.find("topic:secrity")
