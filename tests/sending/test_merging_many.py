"""A turn merged at once is what each recipient's message is by itself, and what any mail program reads."""

from __future__ import annotations

import dataclasses
import email
import email.policy
import email.utils
import itertools
import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from email.header import decode_header, make_header
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.domain import errors, fields, messages, tokens
from newsletter.domain.deliveries import Claimed
from newsletter.rendering import merge as merging_room
from newsletter.sending.merging import Merging
from tests.rendering.samples import as_read, assert_safe_on_the_wire
from tests.sending import samples
from tests.sending.conftest import PUBLICATION

SIGNER = tokens.Signer(samples.KEY)
FIELDS = [messages.Field(name, default) for name in messages.FIELDS for default in ("", "reader")]
LITERALS = ["Dear ", " \n", "\n.", "=", "<p>&amp;</p>", "é – 読者", "x" * 80, "From ", "\nFrom ", ""]
FIRST = messages.Field("subscriber.first_name", "reader")

ids = st.one_of(st.integers(1, 300), st.integers(0, 2**63 - 1), st.integers(2**14 - 2, 2**21 + 2))
#: What a header, HTML, quoted-printable or a mailbox reads otherwise.
NAMES = [
    "",
    " ",
    "Ada",
    "Ada Moreno",
    " Ada",
    "Ada ",
    "Ada  Moreno",
    "From Ada",
    "Ada From here",
    ".Ada",
    ".",
    "A.",
    "O'Neil",
    "Ada O'Neil",
    "A=B",
    "x@y",
    "<b>",
    "A&B",
    "Zoë Müller",
    "山田 太郎",
    "=?utf-8?q?x?=",
    "\tAda",
    "Ada\nMoreno",
    "Ada\r\nBcc: x",
    "A\x00",
    "\x7f",
    "Ada\n",
    "Ada\u2028Moreno",
    "\xa0Ada",
    'Ada "A" B',
    "👩\u200d👩\u200d👧\u200d👦",
    "\ud800",
]
ADDRESSES = [
    "ada@example.org",
    "ada+news@example.org",
    "Ada.M@Example.ORG",
    "a=b@example.org",
    ".ada@example.org",
    "o'neil@example.org",
    "アダ@example.net",
    "ada@例え.jp",
    "ada@xn--r8jz45g.jp",
    "From@example.org",
    "no address",
    "a@b@c",
    "",
    "a@b\n",
    "-a@example.org",
    "ada@exam ple.org",
    "ada@[127.0.0.1]",
    "ada@example.org\n",
    '"a b"@example.org',
]
names = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from([30, 31, 36, 37, 38, 200, 2000]).map("a".__mul__),
    st.text("Aé .-'\"<", max_size=40),
    st.text(max_size=12),
)
addresses = st.one_of(
    st.sampled_from(ADDRESSES),
    st.sampled_from([22, 23, 60, 61, 62, 250, 1000]).map(lambda size: "a" * size + "@example.org"),
    st.from_regex(r"[A-Za-z0-9._+-]{1,40}@[A-Za-z0-9.-]{1,40}", fullmatch=True),
)
languages = st.sampled_from(["", "en", "ja", "ja-JP", "de", "x&y", "日本"])
claims = st.builds(Claimed, ids, ids, addresses, names, languages, st.integers(0, 9))
turns = st.lists(claims, min_size=1, max_size=6, unique_by=lambda claimed: claimed.id)
pieces = st.lists(st.sampled_from([*LITERALS, *FIELDS]), min_size=1, max_size=10).map(tuple)
templates = st.builds(
    dataclasses.replace,
    st.just(samples.template()),
    rendered=st.builds(
        dataclasses.replace,
        st.just(samples.template().rendered),
        text=pieces,
        html=pieces,
        subject=st.sampled_from(
            [
                "The harbour opens",
                "港が開きます",
                'For {{ subscriber.first_name | default("you") }}',
                "x" * 200,
            ]
        ),
    ),
    subject_prefix=st.sampled_from(["", "[TEST] ", "試 "]),
    reply_to=st.sampled_from(["", "editors@example.org", "news@example.org", "編集部@example.org"]),
    from_name=st.sampled_from(["Harbour Digest", "港", "A" * 90]),
    domain=st.sampled_from(["example.org", "例え.jp", "a=b.example", "y" * 60 + ".example.org"]),
)
urls = st.sampled_from(
    ["https://digest.example.org", "http://localhost:8000", "https://example.org/a=b", "https://例え.jp"]
    + [f"https://{'n' * size}.example.org" for size in (17, 24, 25, 26, 30, 34, 35, 36, 37, 38, 60, 200)]
)
dates = st.builds(
    lambda hours, zone: (samples.NOW + timedelta(hours=hours)).astimezone(timezone(timedelta(hours=zone))),
    st.integers(0, 2),
    st.integers(0, 1),
)


def merging(template: messages.MessageTemplate, url: str = PUBLICATION.url, mailing: int = 3) -> Merging:
    publication = dataclasses.replace(PUBLICATION, url=url)
    return Merging({"en": template}, publication, SIGNER, mailing=mailing)


@settings(max_examples=400, deadline=None)
@given(turns, templates, urls, dates, ids)
def test_a_turn_gives_what_each_message_is_by_itself_and_what_the_general_way_writes(
    turn: list[Claimed], template: messages.MessageTemplate, url: str, date: datetime, mailing: int
) -> None:
    merged = merging(template, url, mailing).merge_many(turn, date)
    for claimed in turn:
        try:
            alone = merging(template, url, mailing).merge(claimed, date)
        except errors.RenderError:
            assert claimed.id not in merged
            with pytest.raises(errors.RenderError):
                general(claimed, template, url, date, mailing)
            continue
        assert merged[claimed.id] == alone
        message, digest = general(claimed, template, url, date, mailing)
        assert alone.message.raw == message.raw
        assert alone.digest == digest
        assert alone.message[:7] == (*message[:4], alone.message.pieces, *message[5:7])


def general(
    claimed: Claimed, template: messages.MessageTemplate, url: str, date: datetime, mailing: int
) -> tuple[messages.Message, bytes]:
    """Merge by the way that looks at everything, with tokens of the signer itself."""
    recipient = messages.Recipient(
        claimed.id,
        claimed.email,
        claimed.name,
        SIGNER.message_key(mailing, claimed.subscriber),
        SIGNER.bounce_token(claimed.subscriber, mailing),
        values(claimed, template, url, mailing),
    )
    known = {"view_url": recipient.values["view_url"]}
    return merging_room.compile(template, known).merge_with_digest(recipient, date)


def values(claimed: Claimed, template: messages.MessageTemplate, url: str, mailing: int) -> Mapping[str, str]:
    mark = tokens.fingerprint(claimed.email)
    leave = SIGNER.sign(tokens.Purpose.LEAVE, claimed.subscriber, mailing)
    preferences = SIGNER.sign(tokens.Purpose.PREFERENCES, claimed.subscriber, mark)
    return {
        "unsubscribe_url": f"{url}/u/{leave}",
        "preferences_url": f"{url}/preferences/{preferences}",
        "view_url": f"{url}/issues/{template.number.slug}",
        "subscriber.email": claimed.email,
        "subscriber.language": claimed.language,
        "subscriber.name": claimed.name,
        "subscriber.first_name": next(iter(claimed.name.split(None, 1)), ""),
    }


@settings(max_examples=400, deadline=None)
@given(claims, templates, urls, dates)
def test_a_mail_program_reads_what_was_rendered_with_the_recipients_own_values(
    claimed: Claimed, template: messages.MessageTemplate, url: str, date: datetime
) -> None:
    try:
        message = merging(template, url).merge(claimed, date).message
    except errors.RenderError:
        return
    assert_safe_on_the_wire(message.raw)
    assert message.canonical is message.raw.isascii()
    mail = email.message_from_bytes(message.raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    own = values(claimed, template, url, 3)
    plain, markup = (part.get_content().replace("\r\n", "\n") for part in mail.iter_parts())
    assert plain.rstrip("\n") == as_read(template.rendered.text, own, markup=False).rstrip("\n")
    assert markup.rstrip("\n") == as_read(template.rendered.html, own, markup=True).rstrip("\n")
    leave = own["unsubscribe_url"]
    token = leave.rpartition("/")[2]
    head = email.message_from_bytes(message.raw)
    assert head["Message-ID"] == f"<{message.message_id}>"
    assert head["List-Unsubscribe"].startswith(f"<{leave}>, <mailto:unsubscribe@")
    assert head["List-Unsubscribe"].endswith(f"?subject={token}>")
    assert head["Date"] == email.utils.format_datetime(date)
    assert [head.keys().count(name) for name in ("From", "To", "Subject", "Date")] == [1, 1, 1, 1]
    subject = fields.join(fields.parse(template.subject_prefix + template.rendered.subject), own)
    found = str(make_header(decode_header(head["Subject"].replace("\r\n", ""))))
    assert found == subject.encode("utf-8", "replace").decode()


@settings(max_examples=300, deadline=None)
@given(claims, templates)
def test_an_envelope_that_passes_for_plain_is_plain(
    claimed: Claimed, template: messages.MessageTemplate
) -> None:
    try:
        message = merging(template).merge(claimed, samples.NOW).message
    except errors.RenderError:
        return
    if message.plain:
        assert re.fullmatch(r"[!-;=?-~]+", message.sender)
        assert re.fullmatch(r"[!-*,-;?-~]+", message.recipient + message.message_id)


@pytest.mark.parametrize(
    ("address", "is_plain"),
    [("ada@example.org", True), ("ada+news@example.org", False), ("a=b@example.org", False)],
)
def test_nearly_every_envelope_passes_for_plain(address: str, is_plain: bool) -> None:
    for name in ("Ada Moreno", ""):
        claimed = Claimed(70, 7, address, name, "en", 0)
        assert merging(samples.template()).merge(claimed, samples.NOW).message.plain is is_plain


def test_each_edition_and_date_in_one_turn_is_the_readers_own() -> None:
    editions = {language: samples.template(language) for language in ("en", "ja")}
    one = Merging(editions, PUBLICATION, SIGNER, mailing=3)
    turn = [
        Claimed(number, number, f"r{number}@example.org", name, language, 0)
        for number, (name, language) in enumerate(
            itertools.product(["", "Ada"], ["", "en", "ja", "ja-JP", "fr"])
        )
    ]
    for date in (samples.NOW, samples.NOW + timedelta(hours=1), samples.NOW):
        for claimed in turn:
            mail = email.message_from_bytes(one.merge_many(turn, date)[claimed.id].message.raw)
            assert mail["Content-Language"] == ("ja" if claimed.language.startswith("ja") else "en")
            assert mail["Date"] == email.utils.format_datetime(date)


def test_a_turn_without_a_zone_has_no_message() -> None:
    naive = samples.NOW.replace(tzinfo=None)
    turn = [Claimed(1, 1, "ada@example.org", name, "en", 0) for name in ("Ada", "Zoë")]
    assert merging(samples.template()).merge_many(turn, naive) == {}


def test_more_languages_than_are_remembered_are_merged_all_the_same() -> None:
    template = dataclasses.replace(
        samples.template(),
        rendered=dataclasses.replace(
            samples.template().rendered, text=(messages.Field("subscriber.language"), "\n")
        ),
    )
    turn = [Claimed(n, n, "ada@example.org", "Ada", f"x-{n}", 0) for n in range(1, 700)]
    for number, (message, _) in merging(template).merge_many(turn, samples.NOW).items():
        assert f"\r\nx-{number}=\r\n".encode() in message.raw


@pytest.mark.parametrize("length", range(60, 80))
@pytest.mark.parametrize("name", ["", "Ada Moreno", "a" * 35])
def test_a_mailbox_is_folded_where_the_general_way_folds_it(name: str, length: int) -> None:
    address = "ada@example.org".rjust(length - len(f'"{name}" <>' if name else ""), "a")
    claimed, template = Claimed(1, 1, address, name, "", 0), samples.template()
    message, digest = merging(template).merge(claimed, samples.NOW)
    wanted, wanted_digest = general(claimed, template, PUBLICATION.url, samples.NOW, 3)
    assert (message.raw, digest) == (wanted.raw, wanted_digest)


@pytest.mark.parametrize("size", range(10, 60))
def test_a_link_of_any_length_is_torn_where_the_general_way_tears_it(size: int) -> None:
    preferences = (messages.Field("preferences_url"), "\n")
    rendered = dataclasses.replace(samples.template().rendered, text=preferences, html=preferences)
    template = dataclasses.replace(samples.template(), rendered=rendered)
    claimed, url = Claimed(1, 1, "ada@example.org", "Ada", "", 0), f"https://{'n' * size}.example.org"
    message, digest = merging(template, url).merge(claimed, samples.NOW)
    wanted, wanted_digest = general(claimed, template, url, samples.NOW, 3)
    assert (message.raw, digest) == (wanted.raw, wanted_digest)
