"""Addresses worth a second look, and those that only look like it."""

from __future__ import annotations

import pytest

from newsletter.subscribing import suspicion
from newsletter.subscribing.suspicion import Suspicion


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmal.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gnail.com", "gmail.com"),
        ("GMAIL.CO", "gmail.com"),
        ("hotmial.com", "hotmail.com"),
        ("outlok.com", "outlook.com"),
        ("yaho.co.jp", "yahoo.co.jp"),
    ],
)
def test_a_slip_of_the_finger_is_found_with_what_was_meant(typed: str, meant: str) -> None:
    assert suspicion.of(f"ada@{typed}") == (Suspicion.TYPO, meant)


@pytest.mark.parametrize(
    "host", ["gmail.com", "mail.com", "ymail.com", "me.com", "example.org", "yahoo.fr", "gmx.de"]
)
def test_a_host_of_its_own_is_no_slip(host: str) -> None:
    assert suspicion.of(f"ada@{host}") is None


def test_role_addresses_and_throw_away_hosts_are_told() -> None:
    assert suspicion.of("Info@example.org") == (Suspicion.ROLE, "")
    assert suspicion.of("ada@Mailinator.com") == (Suspicion.DISPOSABLE, "")
    assert suspicion.of("information@example.org") is None
