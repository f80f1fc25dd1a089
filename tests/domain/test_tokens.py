"""Signed tokens name one act on one person, and nothing else opens the door."""

from __future__ import annotations

import base64
import hashlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.domain import errors, tokens

SIGNER = tokens.Signer(b"k" * 32)


@given(st.lists(st.integers(min_value=0, max_value=2**63 - 1), max_size=4))
def test_a_token_gives_back_the_numbers_it_was_made_of(numbers: list[int]) -> None:
    token = SIGNER.sign(tokens.Purpose.LEAVE, *numbers) if numbers else SIGNER.sign(tokens.Purpose.LEAVE, 1)
    assert SIGNER.read(tokens.Purpose.LEAVE, token) == tuple(numbers or [1])


@pytest.mark.parametrize("number", [2**63, 2**64, 2**200])
def test_a_token_that_names_what_no_row_can_be_is_no_token(number: int) -> None:
    token = SIGNER.sign(tokens.Purpose.LEAVE, number)
    with pytest.raises(errors.TokenError):
        SIGNER.read(tokens.Purpose.LEAVE, token)


@given(st.integers(min_value=0, max_value=2**40), st.integers(min_value=0, max_value=2**40))
def test_a_bounce_token_survives_a_server_that_changes_its_case(subscriber: int, mailing: int) -> None:
    token = SIGNER.bounce_token(subscriber, mailing)
    assert token == token.lower()
    assert SIGNER.read_bounce_token(token.upper()) == (subscriber, mailing)


def test_what_a_letter_shows_of_a_digest_tells_no_other_token() -> None:
    leave, bounce = SIGNER.sign(tokens.Purpose.LEAVE, 7, 3), SIGNER.bounce_token(7, 3)
    shown = base64.urlsafe_b64decode(leave + "=" * (-len(leave) % 4)).hex() + SIGNER.message_key(3, 7)
    assert bounce[4:] not in shown
    for token in (leave, shown[:20], shown[:4] + SIGNER.message_key(3, 7)[:16], bounce[:-2], bounce + "00"):
        with pytest.raises(errors.TokenError):
            SIGNER.read_bounce_token(token)


def test_a_token_for_one_act_is_worth_nothing_for_another() -> None:
    token = SIGNER.sign(tokens.Purpose.PREFERENCES, 7)
    with pytest.raises(errors.TokenError):
        SIGNER.read(tokens.Purpose.LEAVE, token)


def test_a_token_signed_with_another_key_is_refused() -> None:
    token = tokens.Signer(b"x" * 32).sign(tokens.Purpose.LEAVE, 7)
    with pytest.raises(errors.TokenError):
        SIGNER.read(tokens.Purpose.LEAVE, token)


def test_no_changed_cut_or_lengthened_token_is_accepted() -> None:
    rng = random.Random(8058)
    token = SIGNER.sign(tokens.Purpose.LEAVE, 123456, 42)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=. é"
    for _ in range(20_000):
        kind = rng.randrange(3)
        at = rng.randrange(len(token))
        if kind == 0:
            forged = token[:at] + rng.choice(alphabet) + token[at + 1 :]
        elif kind == 1:
            forged = token[:at]
        else:
            forged = token[:at] + rng.choice(alphabet) + token[at:]
        if forged == token:
            continue
        with pytest.raises(errors.TokenError):
            SIGNER.read(tokens.Purpose.LEAVE, forged)


def test_a_token_of_absurd_length_is_refused() -> None:
    with pytest.raises(errors.TokenError):
        SIGNER.read(tokens.Purpose.LEAVE, "A" * 100_000)


def test_a_short_signing_key_is_refused_with_the_setting_to_mend() -> None:
    with pytest.raises(errors.TokenError) as caught:
        tokens.Signer(b"short")
    assert "NEWSLETTER_SIGNING_KEY" in caught.value.hint


def test_the_key_does_not_show_in_the_signers_repr() -> None:
    assert "kkkk" not in repr(SIGNER)


def test_the_message_key_is_the_same_on_every_retry_and_differs_between_people() -> None:
    assert SIGNER.message_key(1, 2) == SIGNER.message_key(1, 2)
    assert len({SIGNER.message_key(1, n) for n in range(1000)}) == 1000


@pytest.mark.parametrize("key", [b"k" * 16, b"k" * 64, b"k" * 65, b"k" * 200])
def test_the_keyed_hash_is_keyed_blake2_as_everybody_computes_it(key: bytes) -> None:
    short = key if len(key) <= 64 else hashlib.blake2b(key).digest()
    expected = hashlib.blake2b(b"ada@example.org", key=short, person=b"hash", digest_size=32).hexdigest()
    assert tokens.Signer(key).keyed_hash("ada@example.org") == expected


@given(st.integers(1, 2**40), st.integers(1, 2**20))
def test_a_stamp_makes_the_tokens_that_the_signer_makes(subscriber: int, mailing: int) -> None:
    assert tokens.Stamp(SIGNER, mailing).of(subscriber, "Ada@example.org") == (
        SIGNER.sign(tokens.Purpose.LEAVE, subscriber, mailing),
        SIGNER.sign(tokens.Purpose.PREFERENCES, subscriber, tokens.fingerprint("ada@example.org")),
        SIGNER.bounce_token(subscriber, mailing),
        SIGNER.message_key(mailing, subscriber),
    )
