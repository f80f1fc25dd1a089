"""What people type becomes an address, or a sentence that says what is wrong with it."""

from __future__ import annotations

import email_validator
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.domain import addresses, errors
from newsletter.subscribing import cleaning


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("  Ada.Lovelace@Example.ORG ", "Ada.Lovelace@example.org"),
        ("mailto:ada@example.org", "ada@example.org"),
        ("ada@münchen.de", "ada@xn--mnchen-3ya.de"),
        ("ada@xn--mnchen-3ya.de", "ada@xn--mnchen-3ya.de"),
        ("用户@例え.jp", "用户@xn--r8jz45g.jp"),
        ("o'neil+news@sub.example.co.uk", "o'neil+news@sub.example.co.uk"),
    ],
)
def test_an_address_is_kept_as_it_can_be_mailed(typed: str, address: str) -> None:
    assert cleaning.clean(typed) == address


def test_two_spellings_of_an_international_host_are_one_address() -> None:
    assert cleaning.clean("a@MÜNCHEN.de") == cleaning.clean("a@xn--mnchen-3ya.de")


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "ada@",
        "@example.org",
        "ada@example",
        "ada@@example.org",
        "ada@exa mple.org",
        "a da@example.org",
        ".ada@example.org",
        "ada.@example.org",
        "a..b@example.org",
        "ada@-example.org",
        "ada@example-.org",
        "ada@exam_ple.org",
        "ada@example.123",
        "ada@127.0.0.1",
        "ada@[127.0.0.1]",
        "ada@printer.local",
        "ada@example.test",
        "ada@example.org\nBcc: all@example.org",
        "ada@example.org,bob@example.org",
        '"a b"@example.org',
        f"{'a' * 65}@example.org",
        f"a@{'b' * 64}.org",
        f"a@{'b' * 60}.{'c' * 60}.{'d' * 60}.{'e' * 60}.{'f' * 20}.org",
    ],
)
def test_what_cannot_be_mailed_is_refused_with_a_reason(typed: str) -> None:
    with pytest.raises(errors.AddressError, match="is not a mail address: ") as caught:
        cleaning.clean(typed)
    assert caught.value.hint


_PART = st.text(st.sampled_from("aZ09.-_+'@!#%/=?^`{|}~ é"), max_size=12)


@given(
    st.builds(
        "{}@{}.{}".format, _PART, _PART, st.sampled_from(["org", "ORG", "c", "1x", "local", "xn--a", "o-g"])
    )
)
def test_the_quick_way_accepts_nothing_that_the_careful_way_refuses(text: str) -> None:
    found = addresses.plain(text)
    if found is not None:
        careful = email_validator.validate_email(text, check_deliverability=False, strict=True)
        assert found == careful.ascii_email


@given(st.emails())
def test_every_real_address_is_accepted_unless_it_is_reserved(text: str) -> None:
    try:
        email_validator.validate_email(text, check_deliverability=False, strict=True)
    except email_validator.EmailNotValidError:
        return
    assert addresses.key(cleaning.clean(text)) == addresses.key(cleaning.clean(cleaning.clean(text)))
