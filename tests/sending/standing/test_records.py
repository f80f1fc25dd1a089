"""SPF, DKIM and DMARC: what a record means, and the one to publish in its place."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from newsletter.domain.diagnoses import Verdict
from newsletter.sending.standing import dmarc, keys, names, spf
from newsletter.sending.standing.names import WrittenZone

DOMAIN = "news.harbour.test"


def public_key(bits: int) -> str:
    key = rsa.generate_private_key(65537, bits).public_key()
    form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(key.public_bytes(*form)).decode()


@pytest.fixture(scope="module")
def good_key() -> str:
    return public_key(2048)


# -- SPF -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "verdict", "said"),
    [
        ("v=spf1 include:mailgun.org ~all", Verdict.PASS, "ends in ~all"),
        ("v=spf1 include:mailgun.org -all", Verdict.PASS, "ends in -all"),
        ("V=SPF1 include:mailgun.org ?all", Verdict.WARN, "anybody"),
        ("v=spf1 include:mailgun.org", Verdict.WARN, "nothing"),
        ("v=spf1 include:other.test ~all", Verdict.FAIL, "does not name mailgun.org"),
        ("v=spf10 include:mailgun.org ~all", Verdict.FAIL, "has none"),
        ("v=spf1 include:empty.test include:mailgun.org ~all", Verdict.FAIL, "has no SPF record"),
        ("v=spf1 ip4:1.2.3.400 include:mailgun.org ~all", Verdict.FAIL, "no address"),
    ],
)
def test_spf_has_to_name_the_provider_and_to_end(text: str, verdict: Verdict, said: str) -> None:
    zone = WrittenZone(
        f"{DOMAIN} TXT {text}\nmailgun.org TXT v=spf1 ip4:192.0.2.0/24 ~all\nother.test TXT v=spf1 -all"
    )
    found = spf.judge(DOMAIN, zone, include="mailgun.org", servers=())
    assert (found.verdict, said in found.message) == (verdict, True), found.message


def test_the_record_to_publish_keeps_what_was_there_and_ends_as_before() -> None:
    zone = WrittenZone(f"{DOMAIN} TXT v=spf1 mx ip4:192.0.2.7 -all")
    found = spf.judge(DOMAIN, zone, include="spf.brevo.com", servers=())
    assert found.record == f'{DOMAIN}. IN TXT "v=spf1 mx ip4:192.0.2.7 include:spf.brevo.com -all"'


def test_where_there_is_no_record_the_whole_of_it_is_told() -> None:
    found = spf.judge(DOMAIN, WrittenZone(""), include="", servers=["192.0.2.7", "2001:db8::7"])
    assert found.record == f'{DOMAIN}. IN TXT "v=spf1 ip4:192.0.2.7 ip6:2001:db8::7 ~all"'


def test_two_records_are_none_to_receivers() -> None:
    zone = WrittenZone(f"{DOMAIN} TXT v=spf1 mx ~all\n{DOMAIN} TXT v=spf1 a ~all")
    assert spf.judge(DOMAIN, zone, include="", servers=()).verdict is Verdict.FAIL


def test_the_eleventh_look_up_breaks_a_record_and_the_tenth_does_not() -> None:
    for count, verdict in ((10, Verdict.PASS), (11, Verdict.FAIL)):
        words = " ".join(f"include:s{number}.test" for number in range(count))
        lines = [f"s{number}.test TXT v=spf1 ip4:192.0.2.{number} -all" for number in range(count)]
        zone = WrittenZone("\n".join([f"{DOMAIN} TXT v=spf1 {words} ~all", *lines]))
        assert spf.judge(DOMAIN, zone, include="", servers=()).verdict is verdict


def test_look_ups_of_included_records_count_too() -> None:
    inner = " ".join(f"a:h{number}.test" for number in range(10))
    addresses = "\n".join(f"h{number}.test A 192.0.2.{number}" for number in range(10))
    zone = WrittenZone(
        f"{DOMAIN} TXT v=spf1 include:p.test ~all\np.test TXT v=spf1 {inner} -all\n{addresses}"
    )
    assert "10 look-ups" in spf.judge(DOMAIN, zone, include="p.test", servers=()).message


def test_the_third_name_that_does_not_exist_breaks_a_record() -> None:
    for count, verdict in ((2, Verdict.PASS), (3, Verdict.FAIL)):
        words = " ".join(f"a:gone{number}.test" for number in range(count))
        zone = WrittenZone(f"{DOMAIN} TXT v=spf1 {words} ~all")
        assert spf.judge(DOMAIN, zone, include="", servers=()).verdict is verdict


def test_a_record_that_includes_itself_ends() -> None:
    zone = WrittenZone(f"{DOMAIN} TXT v=spf1 include:{DOMAIN} ~all")
    assert spf.judge(DOMAIN, zone, include="", servers=()).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("text", "covered"),
    [
        ("v=spf1 a:mail.harbour.test -all", True),
        ("v=spf1 a:mail.harbour.test/24 -all", True),
        ("v=spf1 mx -all", True),
        ("v=spf1 redirect=other.test", True),
        ("v=spf1 ip4:198.51.100.0/24 -all", False),
        ("v=spf1 -ip4:192.0.2.7 -all", False),
    ],
)
def test_a_server_of_ones_own_has_to_be_covered(text: str, covered: bool) -> None:
    zone = WrittenZone(
        f"""{DOMAIN} TXT {text}
        {DOMAIN} MX 10 mail.harbour.test
        mail.harbour.test A 192.0.2.7
        other.test TXT v=spf1 ip4:192.0.2.0/28 ~all"""
    )
    found = spf.judge(DOMAIN, zone, include="", servers=["192.0.2.7"])
    assert (found.verdict is Verdict.PASS) == covered, found.message


def test_a_look_up_that_failed_is_no_missing_record() -> None:
    zone = WrittenZone(f"{DOMAIN} TXT v=spf1 include:p.test ~all", failing=["p.test"])
    assert spf.judge(DOMAIN, zone, include="p.test", servers=()).verdict is Verdict.UNKNOWN
    assert keys.judge(DOMAIN, zone, selectors=["s"]).verdict is Verdict.FAIL
    broken = WrittenZone("", failing=[DOMAIN, f"s._domainkey.{DOMAIN}", f"_dmarc.{DOMAIN}"])
    assert spf.judge(DOMAIN, broken, include="", servers=()).verdict is Verdict.UNKNOWN
    assert keys.judge(DOMAIN, broken, selectors=["s"]).verdict is Verdict.UNKNOWN
    policy = dmarc.find(DOMAIN, broken)
    assert dmarc.judge(DOMAIN, policy, broken, reports_to="x@y").verdict is Verdict.UNKNOWN


# -- DKIM ----------------------------------------------------------------------------------------


def test_a_key_of_2048_bits_is_well_and_shorter_ones_less(good_key: str) -> None:
    cases = [
        (good_key, Verdict.PASS),
        (public_key(1024), Verdict.WARN),
        ("AAAA", Verdict.FAIL),
        ("", Verdict.FAIL),
    ]
    for key, verdict in cases:
        zone = WrittenZone(f"s1._domainkey.{DOMAIN} TXT v=DKIM1; k=rsa; p={key}")
        assert keys.judge(DOMAIN, zone, selectors=["s0", "s1"]).verdict is verdict


def test_a_key_marked_as_a_test_or_of_ed25519_alone_is_doubtful(good_key: str) -> None:
    for text in (
        f"v=DKIM1; t=y:s; p={good_key}",
        "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
    ):
        zone = WrittenZone(f"s._domainkey.{DOMAIN} TXT {text}")
        assert keys.judge(DOMAIN, zone, selectors=["s"]).verdict is Verdict.WARN


def test_our_own_key_is_told_as_a_record_in_strings_that_fit(good_key: str) -> None:
    for zone in (WrittenZone(""), WrittenZone(f"s._domainkey.{DOMAIN} TXT v=DKIM1; p={public_key(1024)}")):
        found = keys.judge(DOMAIN, zone, selectors=["s"], public_key=good_key)
        assert found.verdict is Verdict.FAIL
        strings = found.record.split('"')[1::2]
        assert "".join(strings) == f"v=DKIM1; k=rsa; p={good_key}"
        assert max(map(len, strings)) <= 255


def test_without_a_selector_nothing_is_claimed() -> None:
    assert keys.judge(DOMAIN, WrittenZone(""), selectors=[]).verdict is Verdict.UNKNOWN


# -- DMARC ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "verdict"),
    [
        ("_dmarc.news.harbour.test TXT v=DMARC1; p=none; rua=mailto:d@harbour.test", Verdict.PASS),
        ("_dmarc.harbour.test TXT v=DMARC1; p=reject; rua=mailto:d@harbour.test", Verdict.PASS),
        ("_dmarc.news.harbour.test TXT v=DMARC1; rua=mailto:d@harbour.test!10m", Verdict.PASS),
        ("_dmarc.news.harbour.test TXT v=DMARC1; p=none", Verdict.WARN),
        ("_dmarc.news.harbour.test TXT v=DMARC1; p=none; pct=50; rua=mailto:d@harbour.test", Verdict.WARN),
        ("_dmarc.news.harbour.test TXT v=DMARC1; p=none; t=y; rua=mailto:d@harbour.test", Verdict.WARN),
        ("_dmarc.news.harbour.test TXT v=DMARC1; p=none; rua=mailto:d@elsewhere.test", Verdict.WARN),
        ("_dmarc.news.harbour.test TXT v=DMARC1; p=maybe; rua=mailto:d@harbour.test", Verdict.FAIL),
        ("_dmarc.news.harbour.test TXT v=spf1 -all", Verdict.FAIL),
        ("other.test TXT -", Verdict.FAIL),
    ],
)
def test_dmarc_holds_at_the_domain_or_above_it(record: str, verdict: Verdict) -> None:
    zone = WrittenZone(record)
    policy = dmarc.find(DOMAIN, zone)
    found = dmarc.judge(DOMAIN, policy, zone, reports_to="postmaster@harbour.test")
    assert found.verdict is verdict, found.message


def test_reports_may_go_to_who_says_so() -> None:
    zone = WrittenZone(
        """_dmarc.harbour.test TXT v=DMARC1; p=none; rua=mailto:d@elsewhere.test
        harbour.test._report._dmarc.elsewhere.test TXT v=DMARC1"""
    )
    policy = dmarc.find("harbour.test", zone)
    assert dmarc.judge("harbour.test", policy, zone, reports_to="x@y").verdict is Verdict.PASS


def test_the_record_without_what_means_nothing_is_told() -> None:
    zone = WrittenZone(
        "_dmarc.harbour.test TXT v=DMARC1; p=reject; pct=100; rua=mailto:d@harbour.test; ri=86400"
    )
    policy = dmarc.find("harbour.test", zone)
    found = dmarc.judge("harbour.test", policy, zone, reports_to="x@y")
    assert found.record == '_dmarc.harbour.test. IN TXT "v=DMARC1; p=reject; rua=mailto:d@harbour.test"'


def test_domains_are_aligned_when_one_organization_stands_above_them() -> None:
    zone = WrittenZone(
        """_dmarc.harbour.test TXT v=DMARC1; p=none
        _dmarc.apart.harbour.test TXT v=DMARC1; p=none; psd=n
        _dmarc.suffix.test TXT v=DMARC1; psd=y"""
    )
    assert dmarc.aligned("bounce.harbour.test", "news.harbour.test", zone)
    assert not dmarc.aligned("bounce.harbour.test", "news.harbour.test", zone, strict=True)
    assert not dmarc.aligned("apart.harbour.test", "news.harbour.test", zone)
    assert not dmarc.aligned("one.suffix.test", "two.suffix.test", zone)
    assert dmarc.aligned("a.one.suffix.test", "b.one.suffix.test", zone)
    assert not dmarc.aligned("amazonses.com", "news.harbour.test", zone)


def test_a_tree_walk_asks_for_eight_names_at_most() -> None:
    deep = ".".join("abcdefghijklm") + ".harbour.test"
    asked = names.ancestry(deep)
    assert len(asked) == 8
    assert asked[0] == deep
    assert asked[-2:] == ["harbour.test", "test"]
