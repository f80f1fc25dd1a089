"""Amazon's signature, against AWS's published vectors and against what botocore signs."""

from __future__ import annotations

from datetime import UTC, datetime

from newsletter.providers import sigv4

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"


def signature(headers: dict[str, str]) -> str:
    return headers["Authorization"].rpartition("Signature=")[2]


def credentials(service: str, token: str = "") -> sigv4.Credentials:
    return sigv4.Credentials(
        access_key="AKIDEXAMPLE",
        secret_key=SECRET,
        session_token=token,
        region="us-east-1",
        service=service,
    )


def test_the_published_vector_get_vanilla_is_signed_as_published() -> None:
    now = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    signed = sigv4.sign(credentials("service"), "GET", "https://example.amazonaws.com/", {}, b"", now=now)
    assert signature(signed) == "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"


def test_the_published_vector_post_vanilla_is_signed_as_published() -> None:
    now = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    signed = sigv4.sign(credentials("service"), "POST", "https://example.amazonaws.com/", {}, b"", now=now)
    assert signature(signed) == "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"


def test_the_published_example_with_query_and_content_type_is_signed_as_published() -> None:
    now = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
    url = "https://iam.amazonaws.com/?Version=2010-05-08&Action=ListUsers"
    kind = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    signed = sigv4.sign(credentials("iam"), "GET", url, kind, b"", now=now)
    assert signature(signed) == "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"


def test_a_call_to_ses_is_signed_as_botocore_signs_it() -> None:
    now = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
    url = "https://email.us-east-1.amazonaws.com/v2/email/outbound-emails"
    kind = {"Content-Type": "application/json"}
    own = sigv4.sign(credentials("ses"), "POST", url, kind, b'{"a":1}', now=now)
    assert signature(own) == "200b86a49302933c71112c8eadde8cdc0a1f73aba0ec93ef96df08c6e90a9cf3"
    temporary = sigv4.sign(credentials("ses", "tok/en+=="), "POST", url, kind, b'{"a":1}', now=now)
    assert signature(temporary) == "93260370d79fdd945e938c9bdf7a2d3c7df2651d7169177f17abfe09ae611aeb"


def test_the_secret_key_does_not_show_in_the_repr() -> None:
    assert SECRET not in repr(credentials("ses"))
