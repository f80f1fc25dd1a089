"""Where a visitor comes from: proxies of ours are believed, and nobody else."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from starlette.requests import Request

from newsletter.web import visitors

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def asked(client: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded if each]
    return Request({"type": "http", "client": (client, 1), "headers": headers})


@pytest.mark.parametrize(
    ("client", "forwarded", "found"),
    [
        ("192.0.2.1", "", "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "1.1.1.1, 203.0.113.9", "203.0.113.9"),
        ("10.0.0.1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "nonsense"),
        ("fd00::1", "2001:db8::5", "2001:db8::5"),
    ],
)
def test_forwarded_addresses_are_read_from_the_right_as_far_as_proxies_are_ours(
    client: str, forwarded: str, found: str
) -> None:
    assert visitors.address(asked(client, forwarded), PROXIES) == found


def test_a_proxy_s_word_in_a_line_of_its_own_counts_and_not_the_visitor_s_before_it() -> None:
    # HAProxy adds a line instead of lengthening the one that the visitor sent.
    assert visitors.address(asked("10.0.0.1", "1.1.1.1", "203.0.113.9"), PROXIES) == "203.0.113.9"


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        ("203.0.113.9:51234", "203.0.113.9"),
        ("[2001:db8::5]:51234", "2001:db8::5"),
        ("[2001:db8::5]", "2001:db8::5"),
        ("2001:db8::5", "2001:db8::5"),
    ],
)
def test_the_port_that_some_proxies_add_makes_no_other_visitor(forwarded: str, found: str) -> None:
    assert visitors.address(asked("10.0.0.1", forwarded), PROXIES) == found
