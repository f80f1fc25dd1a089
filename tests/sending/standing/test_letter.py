"""A test mail as it arrived: what is read in its headers, and whom that is believed of."""

from __future__ import annotations

import pytest

from newsletter.domain import errors
from newsletter.domain.diagnoses import Verdict
from newsletter.sending.standing import letter
from newsletter.sending.standing.names import WrittenZone

ZONE = WrittenZone("_dmarc.harbour.test TXT v=DMARC1; p=none")
GOOD = b"""\
Return-Path: <bounce+00@news.harbour.test>
Authentication-Results: mx.receiver.test;
       dkim=pass (2048-bit key; unprotected) header.i=@harbour.test header.s=s1 header.b=abc;
       spf=pass (receiver.test: domain of bounce+00@news.harbour.test designates 192.0.2.7)
        smtp.mailfrom="bounce+00@news.harbour.test";
       dmarc=pass (p=NONE sp=NONE dis=NONE) header.from=news.harbour.test
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=harbour.test; s=s1;
        h=From:To:Subject:Date:List-Unsubscribe:
         List-Unsubscribe-Post; bh=x; b=y
From: "News" <news@news.harbour.test>
Message-ID: <v1n1.doctor-1@news.harbour.test>
List-Unsubscribe: <mailto:u@news.harbour.test>,
 <https://digest.harbour.test/u/token>
List-Unsubscribe-Post: List-Unsubscribe=One-Click

Hello.
"""


def judge(raw: bytes) -> dict[str, Verdict]:
    return {each.name: each.verdict for each in letter.judge(letter.read(raw), letter.aligner(ZONE))}


def test_a_mail_that_arrived_well_passes_in_everything() -> None:
    for raw in (GOOD, GOOD.replace(b"\n", b"\r\n"), b"\n\n" + GOOD, GOOD.partition(b"\n\n")[0]):
        assert set(judge(raw).values()) == {Verdict.PASS}
    assert letter.read(GOOD).one_click_url == "https://digest.harbour.test/u/token"
    assert letter.read(GOOD).message_id == "v1n1.doctor-1@news.harbour.test"


@pytest.mark.parametrize(
    ("old", "new", "concern", "verdict"),
    [
        (b"spf=pass", b"spf=softfail", "SPF as received", Verdict.FAIL),
        (b'="bounce+00@news.harbour.test"', b"=bounces.esp.test", "SPF as received", Verdict.WARN),
        (b"dkim=pass", b"dkim=fail", "DKIM as received", Verdict.FAIL),
        (b"header.i=@harbour.test", b"header.d=esp.test", "DKIM as received", Verdict.WARN),
        (b"dmarc=pass", b"dmarc=fail", "DMARC as received", Verdict.FAIL),
        (b"Authentication-Results", b"X-Results", "SPF as received", Verdict.UNKNOWN),
        (b":\n         List-Unsubscribe-Post;", b";", "signed headers", Verdict.FAIL),
        (b"d=harbour.test", b"d=esp.test", "signed headers", Verdict.FAIL),
        (b"DKIM-Signature", b"X-Signature", "signed headers", Verdict.FAIL),
        (b"<https://digest.harbour.test/u/token>", b"<http://x.test>", "list headers", Verdict.FAIL),
        (b"List-Unsubscribe=One-Click", b"Yes", "list headers", Verdict.FAIL),
    ],
)
def test_each_thing_that_went_wrong_on_the_way_is_seen(
    old: bytes, new: bytes, concern: str, verdict: Verdict
) -> None:
    assert GOOD.count(old) >= 1
    assert judge(GOOD.replace(old, new))[concern] is verdict


def test_results_that_somebody_wrote_before_the_receiver_are_not_believed() -> None:
    forged = GOOD.replace(b"dkim=pass", b"dkim=fail").replace(
        b"From: ", b"Authentication-Results: evil.test; dkim=pass header.d=harbour.test\nFrom: "
    )
    assert judge(forged)["DKIM as received"] is Verdict.FAIL


def test_one_of_two_signatures_is_enough() -> None:
    other = b"DKIM-Signature: v=1; d=esp.test; h=From; bh=x; b=y\n"
    assert judge(GOOD.replace(b"From: ", other + b"From: "))["signed headers"] is Verdict.PASS


def test_what_is_no_mail_is_refused() -> None:
    with pytest.raises(errors.UsageError, match="no From header"):
        letter.read(b"<html>not the source</html>")
