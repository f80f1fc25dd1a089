"""Merging: what a recipient's program reads is what was rendered, with the recipient's own values."""

from __future__ import annotations

import dataclasses
import email
import email.policy
import random
import re
import string
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage

import pytest

from newsletter.domain import errors, messages
from newsletter.rendering import merge
from tests.rendering import samples

UNSUBSCRIBE = messages.Field("unsubscribe_url")
FIRST = messages.Field("subscriber.first_name", "reader")
NAME = messages.Field("subscriber.name")

#: Literal stretches with everything that quoted-printable, SMTP and mboxes trip over.
NASTY = (
    "Hello ",
    "\n.\n..leading dots\n",
    "\nFrom here on = equals = signs =\n",
    "  two  blanks   and a\ttab \n \n",
    "日本語の長い段落が続きます。" * 9,
    "Zoë’s café – “quoted” 👩‍👩‍👧‍👦 ",
    "https://example.org/" + "a/b=c&d=e." * 30,
    "x" * 74 + ".",
    "\n\n\n",
    ". starts with a dot",
    "From starts with From",
    "",
)


def parsed(message: messages.Message) -> EmailMessage:
    found = email.message_from_bytes(message.raw, policy=email.policy.default.clone(raise_on_defect=True))
    assert isinstance(found, EmailMessage)
    return found


def bodies(message: messages.Message) -> tuple[str, str]:
    plain, markup = parsed(message).iter_parts()
    return plain.get_content().replace("\r\n", "\n"), markup.get_content().replace("\r\n", "\n")


def random_values(rng: random.Random) -> dict[str, str]:
    letters = string.ascii_letters + " .=-'\"<>&日本語éß👋🏽_\t"
    token = "".join(rng.choices(string.ascii_letters + string.digits + "-_=.", k=rng.randint(1, 300)))
    first = rng.choice(["", ".", "..", "From ", "=", " ", "Ada", "O'Neil & <Co>", "é" * 40])
    return {
        "unsubscribe_url": f"https://digest.example.org/u/{token}",
        "subscriber.first_name": first + "".join(rng.choices(letters, k=rng.randint(0, 60))),
        "subscriber.name": "".join(rng.choices(letters, k=rng.randint(0, 30))),
    }


def random_pieces(rng: random.Random) -> messages.Pieces:
    choices: list[str | messages.Field] = [*NASTY, UNSUBSCRIBE, FIRST, NAME]
    return tuple(rng.choices(choices, k=rng.randint(1, 12)))


def test_a_thousand_random_readers_get_exactly_what_was_rendered() -> None:
    rng = random.Random(8058)
    for _ in range(1000):
        text, markup = random_pieces(rng), random_pieces(rng)
        values = random_values(rng)
        merger = merge.compile(samples.with_pieces(text, markup))
        raw = merger.merge(samples.READER._replace(values=values), samples.NOW)
        found_text, found_markup = bodies(raw)
        assert found_text.rstrip("\n") == samples.as_read(text, values, markup=False).rstrip("\n")
        assert found_markup.rstrip("\n") == samples.as_read(markup, values, markup=True).rstrip("\n")
        assert raw.raw.isascii()
        samples.assert_safe_on_the_wire(raw.raw)


def test_the_rendered_issue_comes_through_both_bodies_unchanged() -> None:
    template = samples.template(rendered=samples.rendered())
    merger = merge.compile(template)
    message = merger.merge(samples.READER, samples.NOW)
    assert bodies(message) == (merger.text(samples.READER), merger.html(samples.READER))
    assert message.raw.isascii()
    samples.assert_safe_on_the_wire(message.raw)


def test_the_headers_are_those_of_a_good_newsletter_and_no_others() -> None:
    message = parsed(merge.compile(samples.template()).merge(samples.READER, samples.NOW))
    assert dict(message.items()) == {
        "From": "Harbour Digest <news@example.org>",
        "To": "Ada Moreno <ada@example.net>",
        "Reply-To": "editors@example.org",
        "Subject": "Hello",
        "Date": "Fri, 20 Nov 2026 08:00:00 +0000",
        "Message-ID": "<v2n23.k3yk3yk3y@example.org>",
        "MIME-Version": "1.0",
        "List-Id": '"Harbour Digest" <harbour-digest.example.org>',
        "List-Unsubscribe": "<https://digest.example.org/u/TOKEN-1>, "
        "<mailto:unsubscribe@example.org?subject=TOKEN-1>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Archive": "<https://digest.example.org/issues>",
        "List-Owner": "<mailto:editors@example.org>",
        "List-Post": "NO",
        "Feedback-ID": "v2n23:digest:news:harbour1",
        "Precedence": "bulk",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "Content-Language": "en",
        "Content-Type": message["Content-Type"],
    }
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert [part.get_content_charset() for part in message.iter_parts()] == ["utf-8", "utf-8"]
    assert not message.defects


def test_a_long_list_unsubscribe_stays_on_one_line_and_is_no_encoded_word() -> None:
    url = "https://digest.example.org/u/" + "T" * 300
    reader = samples.READER._replace(values={**samples.READER.values, "unsubscribe_url": url})
    raw = merge.compile(samples.template()).merge(reader, samples.NOW).raw
    token = "T" * 300
    line = f"\r\nList-Unsubscribe: <{url}>, <mailto:unsubscribe@example.org?subject={token}>\r\n"
    assert line.encode() in raw


def test_the_envelope_sender_carries_the_bounce_token() -> None:
    message = merge.compile(samples.template()).merge(samples.READER, samples.NOW)
    assert message.sender == "bounce+b0unce@example.org"
    assert message.recipient == "ada@example.net"
    assert message.message_id == "v2n23.k3yk3yk3y@example.org"


def test_reply_to_is_left_out_where_it_says_nothing_new() -> None:
    same = samples.template(reply_to="news@example.org")
    assert parsed(merge.compile(same).merge(samples.READER, samples.NOW))["Reply-To"] is None


def test_the_same_values_and_time_give_the_same_bytes() -> None:
    first = merge.compile(samples.template(rendered=samples.rendered()))
    second = merge.compile(samples.template(rendered=samples.rendered()))
    later = datetime(2026, 11, 21, tzinfo=UTC)
    original = first.merge(samples.READER, samples.NOW)
    assert second.merge(samples.READER, samples.NOW) == original
    assert first.merge(samples.READER, later).raw != original.raw
    assert first.merge(samples.READER, later).message_id == original.message_id
    assert first.merge(samples.READER, samples.NOW) == original


@pytest.mark.parametrize(
    "name",
    [
        "Zoë Müller",
        "山田 太郎",
        "山田太郎" * 20,
        'Ada "the Countess" Moreno',
        "back\\slash",
        "Moreno, Ada; (harbour)",
        "=?utf-8?q?not_encoded?=",
        "👩‍👩‍👧‍👦 family" * 6,
        "a" * 200,
        "",
        "O'Neil-Smith Jr.",
    ],
)
def test_any_name_reaches_the_to_header_whole(name: str) -> None:
    message = merge.compile(samples.template()).merge(samples.READER._replace(name=name), samples.NOW)
    head = message.raw.partition(b"\r\n\r\n")[0].decode("ascii").replace("\r\n", "\n")
    to = re.search(r"^To: (.*(?:\n .*)*)", head, re.MULTILINE)
    assert to is not None
    assert decoded(to[1]) == (name, "ada@example.net")
    for word in re.findall(r"=\?utf-8\?[bq]\?[^?]*\?=", to[1]) if "not_encoded" not in name else ():
        assert len(word) <= 75


@pytest.mark.parametrize("length", range(40, 75))
def test_a_word_that_just_fits_and_one_that_just_does_not_stay_within_the_line(length: int) -> None:
    name = "é" + "a" * length
    message = merge.compile(samples.template()).merge(samples.READER._replace(name=name), samples.NOW)
    to = re.search(rb"^To: [^\r]*(?:\r\n [^\r]*)*", message.raw, re.MULTILINE)
    assert to is not None
    assert all(len(line) <= 76 for line in to[0].split(b"\r\n"))
    assert decoded(to[0].decode().removeprefix("To: ").replace("\r\n", "\n")) == (name, "ada@example.net")


def decoded(value: str) -> tuple[str, str]:
    """Decode a mailbox by RFC 2047: the blank between two encoded-words is none.

    Python 3.11's own header parser keeps that blank in addresses.
    """
    unfolded = value.replace("?=\n =?", "?==?").replace("\n", "")
    name, bracket, address = unfolded.rpartition("<")
    if not bracket:
        return "", unfolded
    name = name.strip()
    if name.startswith('"'):
        return re.sub(r"\\(.)", r"\1", name[1:-1]), address.removesuffix(">")
    return str(make_header(decode_header(name))), address.removesuffix(">")


@pytest.mark.parametrize(
    "subject", ["短い件名", "件名がとても長い場合でも" * 12, "Café — " * 30, "Plain " * 40]
)
def test_any_subject_is_decoded_to_itself(subject: str) -> None:
    subject = subject.strip()
    template = samples.with_pieces(("t\n",), ("h\n",), subject=subject)
    message = merge.compile(template).merge(samples.READER, samples.NOW)
    assert parsed(message)["Subject"] == subject
    for word in re.findall(rb"=\?[^ ]*\?=", message.raw.partition(b"\r\n\r\n")[0]):
        assert len(word) <= 75
        assert word.isascii()


def test_a_personal_subject_is_each_readers_own() -> None:
    subject = 'News for {{ subscriber.first_name | default("you") }}'
    merger = merge.compile(samples.with_pieces(("t\n",), ("h\n",), subject=subject))
    stranger = samples.READER._replace(values={"unsubscribe_url": "https://digest.example.org/u/x"})
    assert parsed(merger.merge(samples.READER, samples.NOW))["Subject"] == "News for Ada"
    assert parsed(merger.merge(stranger, samples.NOW))["Subject"] == "News for you"
    assert parsed(merger.merge(samples.READER, samples.NOW))["Subject"] == "News for Ada"


def test_a_test_prefix_stands_before_the_subject() -> None:
    merger = merge.compile(samples.template(subject_prefix="[TEST] "))
    assert parsed(merger.merge(samples.READER, samples.NOW))["Subject"] == "[TEST] Hello"


@pytest.mark.parametrize("bad", ["\r\n", "\n", "\r", "\0", "\x1b"])
@pytest.mark.parametrize("place", ["name", "email", "url", "subject", "key", "token"])
def test_a_control_character_never_enters_a_header(place: str, bad: str) -> None:
    evil = f"x{bad}Bcc: everyone@example.org"
    subject = "Hi {{ subscriber.first_name }}" if place == "subject" else "Hi"
    merger = merge.compile(samples.with_pieces(("t\n",), ("h\n",), subject=subject))
    values = dict(samples.READER.values)
    reader = samples.READER
    if place == "name":
        reader = reader._replace(name=evil)
    elif place == "email":
        reader = reader._replace(email=f"ada@example.net{bad}Bcc:x@example.org")
    elif place == "url":
        values["unsubscribe_url"] += evil
    elif place == "subject":
        values["subscriber.first_name"] = evil
    elif place == "key":
        reader = reader._replace(message_key=evil)
    else:
        reader = reader._replace(bounce_token=evil)
    with pytest.raises(errors.RenderError):
        merger.merge(reader._replace(values=values), samples.NOW)
    with pytest.raises(errors.RenderError):
        merger.parts(reader._replace(values=values), samples.NOW)


@pytest.mark.parametrize(
    "header", ["from_name", "from_email", "reply_to", "list_name", "list_id", "feedback_id"]
)
def test_a_line_end_in_a_header_of_the_template_is_refused(header: str) -> None:
    with pytest.raises(errors.RenderError, match=r"U\+000A|cannot hold"):
        merge.compile(samples.template(**{header: "a\nBcc: b@example.org"}))


def test_an_address_outside_ascii_is_written_as_utf_8() -> None:
    reader = samples.READER._replace(email="zoë@example.net", name="")
    raw = merge.compile(samples.template()).merge(reader, samples.NOW).raw
    assert "\r\nTo: zoë@example.net\r\n".encode() in raw


def test_a_domain_outside_ascii_is_written_in_its_ascii_form() -> None:
    template = samples.template(
        domain="bücher.example",
        from_email="news@bücher.example",
        reply_to="",
        list_id="digest.bücher.example",
    )
    message = merge.compile(template).merge(samples.READER._replace(email="ada@日本.example"), samples.NOW)
    head = message.raw.partition(b"\r\n\r\n")[0].decode("ascii")
    assert 'From: "Harbour Digest" <news@xn--bcher-kva.example>' in head
    assert "<ada@xn--wgv71a.example>" in head
    assert "List-Owner: <mailto:news@xn--bcher-kva.example>" in head
    assert "<digest.xn--bcher-kva.example>" in head
    assert message.message_id == "v2n23.k3yk3yk3y@xn--bcher-kva.example"
    assert message.sender == "bounce+b0unce@xn--bcher-kva.example"
    with pytest.raises(errors.RenderError, match="is no domain"):
        merge.compile(samples.template(domain="é..example"))


def test_the_boundary_stands_in_no_body() -> None:
    plain = samples.with_pieces(("=_\n",), ("=_ --=_\n",))
    first = parsed(merge.compile(plain).merge(samples.READER, samples.NOW))
    boundary = first.get_boundary()
    assert boundary is not None
    copied = samples.with_pieces((f"--{boundary}\n",), (f"--{boundary}--\n",))
    message = merge.compile(copied).merge(samples.READER, samples.NOW)
    assert bodies(message) == (f"--{boundary}\n", f"--{boundary}--\n")


def test_parts_hold_the_same_letter_for_providers_that_build_the_mime_themselves() -> None:
    merger = merge.compile(samples.template(rendered=samples.rendered()))
    whole, apart = (make(samples.READER, samples.NOW) for make in (merger.merge, merger.parts))
    assert apart.raw == b""
    parts = apart.parts
    assert parts is not None
    assert (parts.text, parts.html) == bodies(whole)
    assert apart[:4] == whole[:4]
    read = parsed(whole)
    own = {"From", "To", "Subject", "MIME-Version", "Content-Type"}
    assert set(parts.headers) == set(read.keys()) - own
    for name in set(parts.headers) - {"List-Id"}:
        assert str(read[name]) == parts.headers[name]
    assert parts.to_name == "Ada Moreno"
    assert parts.subject == read["Subject"]


def test_values_are_escaped_in_html_and_plain_in_text() -> None:
    pieces = ("Hello ", FIRST, "\n")
    merger = merge.compile(samples.with_pieces(pieces, pieces))
    reader = samples.READER._replace(values={**samples.READER.values, "subscriber.first_name": '<script>"&'})
    assert bodies(merger.merge(reader, samples.NOW)) == (
        'Hello <script>"&\n',
        "Hello &lt;script&gt;&quot;&amp;\n",
    )
    assert merger.html(reader) == "Hello &lt;script&gt;&quot;&amp;\n"
    assert merger.text(reader) == 'Hello <script>"&\n'


def test_a_reader_without_a_name_gets_the_default() -> None:
    merger = merge.compile(samples.with_pieces(("Dear ", FIRST, "\n"), ("x\n",)))
    nobody = samples.READER._replace(values={"unsubscribe_url": "https://digest.example.org/u/x"})
    assert merger.text(nobody) == "Dear reader\n"
    assert bodies(merger.merge(nobody, samples.NOW))[0] == "Dear reader\n"


def test_a_message_is_dated_with_the_zone_it_is_given() -> None:
    with pytest.raises(errors.RenderError, match="zone"):
        merge.compile(samples.template()).merge(samples.READER, datetime(2026, 11, 20))


def test_python_reads_the_mailboxes_of_a_plain_message() -> None:
    message = parsed(merge.compile(samples.template()).merge(samples.READER, samples.NOW))
    assert message["To"].addresses == (Address("Ada Moreno", "ada", "example.net"),)
    assert message["From"].addresses == (Address("Harbour Digest", "news", "example.org"),)


def test_a_template_that_was_frozen_and_read_back_merges_to_the_same_bytes() -> None:
    from newsletter.domain import freezing

    template = samples.template(rendered=samples.rendered())
    thawed = freezing.loads(freezing.dumps(template))
    assert merge.compile(thawed).merge(samples.READER, samples.NOW) == merge.compile(template).merge(
        samples.READER, samples.NOW
    )


def test_dataclass_changes_of_a_template_reach_the_head() -> None:
    template = dataclasses.replace(samples.template(), archive_url="", feedback_id="")
    message = parsed(merge.compile(template).merge(samples.READER, samples.NOW))
    assert message["List-Archive"] is None
    assert message["Feedback-ID"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"feedback_id": "é"},
        {"feedback_id": "x" * 1000},
        {"from_name": "x" * 1000},
        {"from_email": "no address"},
        {"from_email": "two@at@example.org"},
    ],
)
def test_a_header_that_mail_cannot_carry_is_refused_by_name(changes: dict[str, str]) -> None:
    with pytest.raises(errors.RenderError, match=r"the header (Feedback-ID|From) "):
        merge.compile(samples.template(**changes))


def test_a_link_to_leave_that_is_no_web_address_is_refused() -> None:
    reader = samples.READER._replace(values={"unsubscribe_url": "leave <me>"})
    with pytest.raises(errors.RenderError, match="List-Unsubscribe cannot hold"):
        merge.compile(samples.template()).merge(reader, samples.NOW)


@pytest.mark.parametrize(
    ("changes", "address"),
    [
        ({}, "ada@example.net"),
        ({}, "アダ@example.net"),
        ({"reply_to": "編集部@example.org"}, "ada@example.net"),
        ({"from_email": "新聞@example.org", "reply_to": ""}, "ada@example.net"),
    ],
)
def test_only_what_is_ascii_to_the_last_byte_passes_for_that(changes: dict[str, str], address: str) -> None:
    """A server without 8BITMIME is given nothing else, and nobody looks at the bytes again."""
    recipient = samples.READER._replace(email=address)
    message = merge.compile(samples.template(**changes)).merge(recipient, samples.NOW)
    assert message.canonical is message.raw.isascii()
    if message.canonical:
        assert message.raw.endswith(b"\r\n")
        assert b"\n." not in message.raw
