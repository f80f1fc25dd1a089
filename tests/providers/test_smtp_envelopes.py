"""What stands in an envelope, and what cannot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.domain.verdicts import Kind, Verdict
from newsletter.providers.smtp import envelopes
from newsletter.providers.smtp.terms import Terms
from tests.providers.letters import letter

BARE, FULL = Terms(), Terms(size=1000, dsn=True, eight_bit=True, utf8=True)
EIGHT_BIT = letter(1, raw="Subject: ä\r\n\r\nä\r\n".encode())


def test_what_the_server_does_not_offer_is_not_said() -> None:
    assert envelopes.mail(letter(1), BARE) == b"MAIL FROM:<bounce+1@news.example.org>"
    assert envelopes.rcpt(letter(1), BARE) == b"RCPT TO:<reader1@example.org>"


def test_ids_and_addresses_are_written_as_xtext() -> None:
    message = letter(1, recipient="anna+news=x@example.org")._replace(message_id="a+b=c ä@example.org")
    assert b" RET=HDRS ENVID=a+2Bb+3Dc+20+C3+A4@example.org" in envelopes.mail(message, FULL)
    assert envelopes.rcpt(message, FULL).endswith(b" ORCPT=rfc822;anna+2Bnews+3Dx@example.org")


def test_an_id_that_is_too_long_for_envid_is_left_out() -> None:
    line = envelopes.mail(letter(1)._replace(message_id="x" * 101), FULL)
    assert b"ENVID" not in line
    assert b"RET=HDRS" in line


def test_an_address_outside_ascii_has_no_orcpt_in_rfc822() -> None:
    message = letter(1, recipient="δοκιμή@example.org")
    assert envelopes.rcpt(message, FULL) == "RCPT TO:<δοκιμή@example.org> NOTIFY=FAILURE".encode()
    assert envelopes.mail(message, FULL).endswith(b" SMTPUTF8")


def test_eight_bit_content_is_announced_or_refused() -> None:
    assert b" BODY=8BITMIME" in envelopes.mail(EIGHT_BIT, FULL)
    assert b" BODY" not in envelopes.mail(letter(1), FULL)
    refusal = envelopes.refusal(EIGHT_BIT, BARE)
    assert refusal is not None
    assert (refusal.kind, "8BITMIME" in refusal.reason) == (Kind.REJECT, True)


@pytest.mark.parametrize(
    "recipient", ["anna@-ö-.example", "anna@" + "ö" * 70 + ".example", "ä@xn--bcher-kva.example"]
)
def test_a_domain_that_has_no_ascii_form_needs_smtputf8(recipient: str) -> None:
    refusal = envelopes.refusal(letter(1, recipient=recipient), BARE)
    assert refusal is not None
    assert "SMTPUTF8" in refusal.reason


def test_a_message_of_just_the_servers_size_is_offered() -> None:
    assert envelopes.refusal(letter(1, raw=b"x" * 1000), FULL) is None
    refusal = envelopes.refusal(letter(1, raw=b"x" * 1001), FULL)
    assert refusal is not None
    assert refusal.kind is Kind.STOP


some_terms = st.builds(
    Terms,
    size=st.sampled_from((0, 999, 1000, 1001)),
    dsn=st.booleans(),
    eight_bit=st.booleans(),
    utf8=st.booleans(),
)


@given(terms=some_terms, local=st.sampled_from((1, 64, 242, 243)), envid=st.sampled_from((1, 100, 101)))
def test_an_envelope_known_to_be_plain_is_written_as_if_it_were_not_known(
    terms: Terms, local: int, envid: int
) -> None:
    message = letter(1, recipient="x" * local + "@example.org", raw=b"x" * 998 + b"\r\n")
    message = message._replace(message_id="x" * envid)
    writer = envelopes.Writer(terms)
    known = writer.write(message._replace(plain=True, canonical=True), 1000)
    assert known == writer.write(message, 1000)
    assert isinstance(known, bytes) == (local < 243 and terms.size != 999)


def test_a_plain_envelope_says_what_the_server_takes() -> None:
    message = letter(1)._replace(plain=True, canonical=True)
    assert envelopes.Writer(FULL).write(message, 47) == (
        b"MAIL FROM:<bounce+1@news.example.org> SIZE=47 RET=HDRS ENVID=v2n23.key1@news.example.org\r\n"
        b"RCPT TO:<reader1@example.org> NOTIFY=FAILURE ORCPT=rfc822;reader1@example.org\r\n"
    )
    assert envelopes.Writer(BARE).write(message, 47) == (
        b"MAIL FROM:<bounce+1@news.example.org>\r\nRCPT TO:<reader1@example.org>\r\n"
    )


def test_what_is_not_known_to_be_plain_is_looked_at() -> None:
    message = letter(1, recipient="anna+news@example.org")._replace(canonical=True)
    lines = envelopes.Writer(FULL).write(message, message.size)
    assert isinstance(lines, bytes)
    assert lines.endswith(b" ORCPT=rfc822;anna+2Bnews@example.org\r\n")


def test_eight_bit_content_in_a_plain_envelope_is_announced_or_refused() -> None:
    message = EIGHT_BIT._replace(plain=True)
    lines = envelopes.Writer(FULL).write(message, message.size)
    assert isinstance(lines, bytes)
    assert b" BODY=8BITMIME" in lines
    assert isinstance(envelopes.Writer(BARE).write(message, message.size), Verdict)


def test_a_plain_envelope_without_a_recipient_is_refused() -> None:
    refused = envelopes.Writer(FULL).write(letter(1)._replace(recipient="", plain=True, canonical=True), 47)
    assert isinstance(refused, Verdict)
    assert refused.kind is Kind.REJECT
