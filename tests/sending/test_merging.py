"""Personal links that the house reads back, the same bytes for ever, and a digest that commits to them."""

from __future__ import annotations

import dataclasses
import email
import email.policy
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.domain import tokens
from newsletter.domain.deliveries import Claimed
from newsletter.domain.tokens import Purpose
from newsletter.sending.merging import Merging
from tests.sending import samples
from tests.sending.conftest import PUBLICATION

SIGNER = tokens.Signer(samples.KEY)
ADA = Claimed(70, 7, "ada@example.org", "Ada Moreno", "en", 0)


def merging(mailing: int = 3, *, from_name: str = "Harbour Digest") -> Merging:
    template = dataclasses.replace(samples.template(), from_name=from_name)
    return Merging({"en": template}, PUBLICATION, SIGNER, mailing=mailing)


def test_the_links_name_the_person_and_the_mailing_and_nobody_else() -> None:
    message = merging().merge(ADA, samples.NOW).message
    mail = email.message_from_bytes(message.raw, policy=email.policy.default)
    link = str(mail["List-Unsubscribe"]).partition(">")[0].removeprefix("<")
    assert link.startswith("https://digest.example.org/u/")
    assert SIGNER.read(Purpose.LEAVE, link.rpartition("/")[2]) == (7, 3)
    bounce = message.sender.partition("@")[0].removeprefix("bounce+")
    assert SIGNER.read_bounce_token(bounce) == (7, 3)
    assert message.message_id == f"v2n23.{SIGNER.message_key(3, 7)}@example.org"
    body = mail.get_body(("plain",))
    assert body is not None
    assert body.get_content().splitlines() == ["Hello Ada", f"Leave: {link}"]


def test_a_retry_has_the_same_message_id_and_another_mailing_has_not() -> None:
    first = merging().merge(ADA, samples.NOW).message
    later = merging().merge(ADA._replace(attempts=3), samples.NOW + timedelta(hours=1)).message
    assert later.message_id == first.message_id
    assert merging(mailing=4).merge(ADA, samples.NOW).message.message_id != first.message_id


def test_merging_again_gives_the_same_bytes_and_digest() -> None:
    assert merging().merge(ADA, samples.NOW) == merging().merge(ADA, samples.NOW)


@settings(max_examples=200, deadline=None)
@given(
    st.tuples(*[st.sampled_from(["Ada", "Ada Moreno", "Ána", "Ada  Moreno", "", "A=B", ".", "x" * 90])] * 2),
    st.tuples(*[st.sampled_from(["ada@example.org", "bob@example.org"])] * 2),
    st.tuples(*[st.integers(0, 2)] * 2),
)
def test_digests_are_equal_exactly_where_the_bytes_are(
    names: tuple[str, str], addresses: tuple[str, str], hours: tuple[int, int]
) -> None:
    one, other = (
        merging().merge(ADA._replace(name=name, email=address), samples.NOW + timedelta(hours=hour))
        for name, address, hour in zip(names, addresses, hours, strict=True)
    )
    assert (one.digest == other.digest) == (one.message.raw == other.message.raw)


def test_a_digest_commits_to_what_is_the_same_for_everybody_too() -> None:
    before = merging().merge(ADA, samples.NOW)
    assert merging(from_name="Harbor Digest").merge(ADA, samples.NOW).digest != before.digest
    rendered = samples.template().rendered
    changed = dataclasses.replace(
        samples.template(), rendered=dataclasses.replace(rendered, text=(*rendered.text, "."))
    )
    again = Merging({"en": changed}, PUBLICATION, SIGNER, mailing=3).merge(ADA, samples.NOW)
    assert again.digest != before.digest


def test_parts_have_a_digest_of_their_own() -> None:
    apart = Merging({"en": samples.template()}, PUBLICATION, SIGNER, mailing=3, raw=False)
    message, digest = apart.merge(ADA, samples.NOW)
    assert message.parts is not None
    assert message.raw == b""
    assert apart.merge(ADA, samples.NOW).digest == digest
    assert apart.merge(ADA._replace(name="Bob"), samples.NOW).digest != digest


def test_a_turn_merged_at_once_has_everybodys_own_message_and_leaves_out_who_cannot_have_one() -> None:
    bad, bob = ADA._replace(id=71, name="Ada\r\nBcc: x"), ADA._replace(id=72, name="Bob")
    one = merging()
    assert one.merge_many([ADA, bad, bob], samples.NOW) == {
        70: one.merge(ADA, samples.NOW),
        72: one.merge(bob, samples.NOW),
    }
