"""A frozen template comes back as it was, and its digest moves with every change of content."""

from __future__ import annotations

import dataclasses

from newsletter.domain import freezing, messages, numbering

TEMPLATE = messages.MessageTemplate(
    number=numbering.IssueNumber(2, 23),
    rendered=messages.Rendered(
        language="en",
        subject="Ships, chips — and 茶",
        preheader="What moved",
        html=("<p>Dear ", messages.Field("subscriber.first_name", "reader"), "</p>"),
        text=("Dear ", messages.Field("subscriber.first_name", "reader"), "\n"),
        bytes_by_entry={"ships": 120},
    ),
    from_name="News",
    from_email="news@example.org",
    reply_to="",
    list_id="news.example.org",
    list_name="News",
    domain="example.org",
    feedback_id="v2n23:news:news:exmple",
)


def test_a_template_comes_back_as_it_was_frozen() -> None:
    assert freezing.loads(freezing.dumps(TEMPLATE)) == TEMPLATE


def test_the_same_content_has_the_same_digest_whatever_the_order_of_languages() -> None:
    ja = dataclasses.replace(TEMPLATE, list_name="ニュース")
    assert freezing.digest({"en": TEMPLATE, "ja": ja}) == freezing.digest({"ja": ja, "en": TEMPLATE})


def test_any_edit_changes_the_digest() -> None:
    edited = dataclasses.replace(
        TEMPLATE, rendered=dataclasses.replace(TEMPLATE.rendered, text=("Dear all\n",))
    )
    other_sender = dataclasses.replace(TEMPLATE, from_email="other@example.org")
    digests = {freezing.digest({"en": each}) for each in (TEMPLATE, edited, other_sender)}
    assert len(digests) == 3
