"""Every email API: one receipt for every message, whatever the vendor does."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, Protocol

import pytest
import trustme

from newsletter import ports
from newsletter.domain import deliveries, errors, messages, numbering
from newsletter.domain.verdicts import Kind
from newsletter.providers import brevo, mailgun, postmark, resend, sendgrid, ses
from newsletter.providers.http_api import Api, HttpProvider
from newsletter.providers.tray import Tray
from newsletter.rendering import merge
from tests.providers.apis import vendors
from tests.providers.apis.harness import Told, Vendor, serving

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
KEY = vendors.KEY

Make = Callable[[str], Api]


class Limited(Protocol):
    """Whatever declares limits."""

    @property
    def limits(self) -> ports.Limits: ...


APIS: dict[str, tuple[Callable[[], Any], Make]] = {
    "postmark": (vendors.Postmark, lambda url: postmark.Api(postmark.Account(token=KEY, url=url))),
    "resend": (vendors.Resend, lambda url: resend.Api(resend.Account(api_key=KEY, url=url))),
    "mailgun": (
        vendors.Mailgun,
        lambda url: mailgun.Api(mailgun.Account(api_key=KEY, domain="mg.example.org", url=url)),
    ),
    "sendgrid": (vendors.SendGrid, lambda url: sendgrid.Api(sendgrid.Account(api_key=KEY, url=url))),
    "brevo": (vendors.Brevo, lambda url: brevo.Api(brevo.Account(api_key=KEY, url=url))),
    "ses": (
        vendors.Ses,
        lambda url: ses.Api(ses.Account(access_key=KEY, secret_key="s3cr3t", region="us-east-1", url=url)),
    ),
}
RENDERED = messages.Rendered(
    language="en",
    subject="Ships & chips — 茶",
    preheader="",
    html=(
        "<p>Dear ",
        messages.Field("subscriber.first_name", "reader"),
        '</p><a href="',
        messages.Field("unsubscribe_url"),
        '">Unsubscribe</a>',
    ),
    text=(
        "Dear ",
        messages.Field("subscriber.first_name", "reader"),
        "\n",
        messages.Field("unsubscribe_url"),
        "\n",
    ),
)
TEMPLATE = messages.MessageTemplate(
    number=numbering.IssueNumber(2, 23),
    rendered=RENDERED,
    from_name="Weekly “News”",
    from_email="news@example.org",
    reply_to="editors@example.org",
    list_id="weekly.example.org",
    list_name="Weekly",
    domain="example.org",
    feedback_id="v2n23:weekly:news:exmplorg",
)
MERGER = merge.compile(TEMPLATE)


@pytest.fixture(params=sorted(APIS))
def vendor_and_make(request: pytest.FixtureRequest) -> tuple[Any, Make]:
    speak, make = APIS[request.param]
    return speak(), make


def letters(api: Limited, *addresses: str) -> list[messages.Message]:
    """Messages 1, 2, 3 … to the addresses, merged the way the API takes them."""
    merged = MERGER.merge if api.limits.raw else MERGER.parts
    return [
        merged(
            messages.Recipient(
                delivery=number,
                email=address,
                name="Ada <Love> Lace",
                message_key=f"key{number}",
                bounce_token=f"token{number}",
                values={
                    "unsubscribe_url": f"https://example.org/u/t{number}?a=1&b=2",
                    "subscriber.first_name": "Ada <Love>",
                },
            ),
            NOW,
        )
        for number, address in enumerate(addresses, start=1)
    ]


async def no_wait(_: float) -> None:
    await asyncio.sleep(0)


def provider(
    api: Api, *, wait: Callable[[float], Awaitable[None]] = no_wait, verify: Any = True
) -> HttpProvider:
    return HttpProvider(api, clock=lambda: NOW, verify=verify, wait=wait)


async def sent(vendor: Vendor, make: Make, *addresses: str) -> dict[int, deliveries.Receipt]:
    with serving(vendor) as url:
        api = make(url)
        tray = Tray(letters(api, *addresses))
        await provider(api).send(tray)
    assert tray.waiting == 0
    assert tray.out == 0
    assert len(tray.receipts) == len(addresses)
    return {receipt.delivery: receipt for receipt in tray.receipts}


def kinds(receipts: dict[int, deliveries.Receipt]) -> list[Kind]:
    return [receipts[number].verdict.kind for number in sorted(receipts)]


async def test_every_message_is_taken_and_answered_for(vendor_and_make: tuple[Any, Make]) -> None:
    vendor, make = vendor_and_make
    people = [f"r{number}@example.org" for number in range(7)]
    receipts = await sent(vendor, make, *people)
    assert kinds(receipts) == [Kind.ACCEPTED] * 7
    assert sorted(vendor.taken) == people


async def test_a_batch_larger_than_the_vendor_takes_is_split(vendor_and_make: tuple[Any, Make]) -> None:
    vendor, make = vendor_and_make
    limit = make("http://example.org").batch
    people = [f"r{number}@example.org" for number in range(limit + 1)]
    receipts = await sent(vendor, make, *people)
    assert set(kinds(receipts)) == {Kind.ACCEPTED}
    assert sorted(vendor.taken) == sorted(people)
    assert len(vendor.calls) == 2


async def test_one_bad_address_is_refused_and_costs_nobody_else(vendor_and_make: tuple[Any, Make]) -> None:
    vendor, make = vendor_and_make
    people = ["a@example.org", "b@example.org", "bad@example.org", "c@example.org", "d@example.org"]
    receipts = await sent(vendor, make, *people)
    assert kinds(receipts) == [Kind.ACCEPTED, Kind.ACCEPTED, Kind.REJECT, Kind.ACCEPTED, Kind.ACCEPTED]
    assert sorted(vendor.taken) == [each for each in people if each != "bad@example.org"]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("17", 17.0),
        ("Fri, 20 Nov 2026 09:01:00 GMT", 60.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 30 * 86400.0),
        ("1e999", 30 * 86400.0),
        ("", None),
        ("soon", None),
    ],
)
async def test_too_many_requests_is_retried_when_the_vendor_says(
    vendor_and_make: tuple[Any, Make], value: str, seconds: float | None
) -> None:
    vendor, make = vendor_and_make
    told = {"Retry-After": value, "Date": "Fri, 20 Nov 2026 09:00:00 GMT"} if value else {}
    vendor.faults.append(Told(429, {"message": "slow down"}, headers=told))
    receipts = await sent(vendor, make, "a@example.org")
    assert kinds(receipts) == [Kind.RETRY]
    assert receipts[1].verdict.retry_after == seconds
    assert vendor.taken == []


@pytest.mark.parametrize("status", [500, 503])
async def test_a_server_error_before_acceptance_is_retried(
    vendor_and_make: tuple[Any, Make], status: int
) -> None:
    vendor, make = vendor_and_make
    vendor.faults.append(Told(status, raw=b"<h1>Oops</h1>"))
    assert kinds(await sent(vendor, make, "a@example.org")) == [Kind.RETRY]


@pytest.mark.parametrize(
    "raw", [b"\x1f\x8b\x08\x00\x00\x00\x00\x00 packed", b'{"message": "no \\u0000 and no \\ud800"}']
)
async def test_words_that_no_database_holds_are_left_out_of_receipts(
    vendor_and_make: tuple[Any, Make], raw: bytes
) -> None:
    vendor, make = vendor_and_make
    vendor.faults.append(Told(503, raw=raw))
    receipts = await sent(vendor, make, "a@example.org")
    assert receipts[1].reply.isprintable()
    assert receipts[1].verdict.reason.isprintable()


async def test_an_id_that_no_database_holds_is_left_out_of_receipts() -> None:
    vendor = vendors.Postmark()
    vendor.faults.append(Told(200, [{"ErrorCode": 0, "Message": "OK", "MessageID": "p-\x00-1"}]))
    receipts = await sent(vendor, APIS["postmark"][1], "a@example.org")
    assert (kinds(receipts), receipts[1].provider_id) == ([Kind.ACCEPTED], "p- -1")


async def test_a_gateway_that_gives_up_leaves_the_message_unknown(vendor_and_make: tuple[Any, Make]) -> None:
    vendor, make = vendor_and_make
    vendor.faults.append(Told(504, raw=b"gateway time-out"))
    assert kinds(await sent(vendor, make, "a@example.org")) == [Kind.UNKNOWN]


async def test_a_body_sent_without_an_answer_is_unknown_unless_a_repetition_is_recognised(
    vendor_and_make: tuple[Any, Make],
) -> None:
    vendor, make = vendor_and_make
    vendor.faults.append(Told(hang_up=True))
    receipts = await sent(vendor, make, "a@example.org")
    if make("http://example.org").limits.idempotent:
        assert kinds(receipts) == [Kind.ACCEPTED]
        assert vendor.taken == ["a@example.org"]
        assert len(vendor.calls) == 2
    else:
        assert kinds(receipts) == [Kind.UNKNOWN]
        assert len(vendor.calls) == 1


@pytest.mark.parametrize("name", ["resend", "brevo"])
@pytest.mark.parametrize("status", [401, 422, 429, 503])
async def test_a_refusal_of_the_repetition_does_not_tell_that_the_first_call_was_not_taken(
    name: str, status: int
) -> None:
    speak, make = APIS[name]
    vendor = speak()
    refused = Told(status, {"message": "not now"})
    vendor.faults += [Told(hang_up=True), refused, refused]
    receipts = await sent(vendor, make, "a@example.org", "b@example.org")
    assert kinds(receipts) == [Kind.UNKNOWN, Kind.UNKNOWN]


@pytest.mark.parametrize("name", ["resend", "brevo"])
async def test_a_repetition_is_made_again_until_it_is_answered_by_a_yes(name: str) -> None:
    speak, make = APIS[name]
    vendor = speak()
    vendor.faults += [Told(hang_up=True), Told(429, {"message": "not now"})]
    assert kinds(await sent(vendor, make, "a@example.org")) == [Kind.ACCEPTED]
    assert vendor.taken == ["a@example.org"]


async def test_a_call_that_brevo_had_before_was_taken_and_is_never_mailed_in_halves() -> None:
    speak, make = APIS["brevo"]
    vendor = speak()
    people = ("a@example.org", "b@example.org", "c@example.org")
    assert kinds(await sent(vendor, make, *people)) == [Kind.ACCEPTED] * 3
    assert kinds(await sent(vendor, make, *people)) == [Kind.ACCEPTED] * 3
    assert vendor.taken == list(people)


async def test_brevo_s_word_that_it_had_a_call_settles_the_one_that_was_not_answered() -> None:
    speak, make = APIS["brevo"]
    vendor = speak()
    known = Told(400, {"code": "duplicate_parameter", "message": "idempotencyKey is already used"})
    vendor.faults += [Told(hang_up=True), known]
    assert kinds(await sent(vendor, make, "a@example.org", "b@example.org")) == [Kind.ACCEPTED] * 2
    assert len(vendor.calls) == 2


async def test_a_call_that_resend_had_before_with_other_words_is_unknown_and_never_mailed_in_halves() -> None:
    speak, make = APIS["resend"]
    vendor = speak()
    vendor.faults.append(
        Told(409, {"name": "invalid_idempotent_request", "message": "the body was modified"})
    )
    assert kinds(await sent(vendor, make, "a@example.org", "b@example.org")) == [Kind.UNKNOWN] * 2
    assert vendor.taken == []


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("postmark", [{"ErrorCode": []}]),
        ("postmark", [{"Message": "OK"}]),
        ("resend", {"data": None}),
        ("resend", {"data": 1}),
        ("brevo", {"messageIds": 1}),
        ("brevo", {"messageIds": "<a@example.org>"}),
    ],
)
async def test_an_answer_of_another_shape_leaves_the_message_unknown(name: str, plain: object) -> None:
    speak, make = APIS[name]
    vendor = speak()
    vendor.faults.append(Told(200, plain))
    assert kinds(await sent(vendor, make, "a@example.org")) == [Kind.UNKNOWN]


# SendGrid's acceptance is an empty body, and Mailgun's names no recipient: there the status is all there is.
@pytest.mark.parametrize("name", ["postmark", "resend", "brevo", "ses"])
async def test_an_answer_that_is_no_json_never_counts_as_acceptance(name: str) -> None:
    speak, make = APIS[name]
    vendor = speak()
    vendor.faults += [Told(200, raw=b"[{]"), Told(200, raw=b"[" * 5000)]
    for _ in range(2):
        assert kinds(await sent(vendor, make, "a@example.org")) == [Kind.UNKNOWN]


async def test_a_key_that_is_refused_stops_before_the_first_message(
    vendor_and_make: tuple[Any, Make], monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor, make = vendor_and_make
    # The vendor changed its key: what the test must vary is on the vendor's side of the wire.
    monkeypatch.setattr(vendor, "known", lambda asked: False)
    with serving(vendor) as url:
        api = make(url)
        tray = Tray(letters(api, "a@example.org"))
        with pytest.raises(errors.ProviderRefusedError) as caught:
            await provider(api).send(tray)
    assert tray.waiting == 1
    assert "key" in str(caught.value)
    assert KEY not in str(caught.value)
    assert caught.value.hint


#: What vendors answer about the account to a key that may send and nothing else.
_MAY_ONLY_SEND = {
    # The same as to an unknown key.
    "mailgun": Told(401, {"message": "Forbidden"}),
    "resend": Told(
        401,
        {
            "statusCode": 401,
            "name": "restricted_api_key",
            "message": "This API key is restricted to only send emails",
        },
    ),
    "ses": Told(
        403,
        {"message": "User: arn:aws:iam::1:user/u is not authorized to perform: ses:GetAccount"},
        headers={"x-amzn-ErrorType": "AccessDeniedException"},
    ),
}


@pytest.mark.parametrize("name", sorted(_MAY_ONLY_SEND))
async def test_a_key_that_may_only_send_is_enough_to_send(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    speak, make = APIS[name]
    vendor = speak()
    # The key's rights are on the vendor's side of the wire.
    monkeypatch.setattr(vendor, "account", lambda: _MAY_ONLY_SEND[name])
    assert kinds(await sent(vendor, make, "a@example.org")) == [Kind.ACCEPTED]
    with serving(vendor) as url:
        assert "may do no more than send" in await provider(make(url)).probe()


async def test_a_vendor_that_is_down_is_an_error_before_the_first_message(
    vendor_and_make: tuple[Any, Make],
) -> None:
    _, make = vendor_and_make
    api = make("http://127.0.0.1:9")
    tray = Tray(letters(api, "a@example.org"))
    with pytest.raises(errors.ProviderError, match="cannot be reached") as caught:
        await provider(api).send(tray)
    assert tray.waiting == 1
    assert "127.0.0.1:9" in caught.value.hint


@pytest.fixture(scope="module")
def certificate() -> ssl.SSLContext:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example.org").configure_cert(context)
    return context


async def test_a_certificate_that_nobody_vouches_for_is_an_error(
    vendor_and_make: tuple[Any, Make], certificate: ssl.SSLContext
) -> None:
    vendor, make = vendor_and_make
    with serving(vendor, tls=certificate) as url:
        api = make(url)
        tray = Tray(letters(api, "a@example.org"))
        with pytest.raises(errors.ProviderError, match="cannot be reached"):
            await provider(api).send(tray)
    assert vendor.taken == []


async def test_a_probe_says_who_answered(vendor_and_make: tuple[Any, Make]) -> None:
    vendor, make = vendor_and_make
    with serving(vendor) as url:
        assert make(url).name in await provider(make(url)).probe()


async def test_the_account_s_rate_spaces_the_calls() -> None:
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    vendor, make = vendors.Ses(), APIS["ses"][1]
    with serving(vendor) as url:
        api = make(url)
        tray = Tray(letters(api, *(f"r{number}@example.org" for number in range(50))))
        # Time stands still: how fast the machine is makes no difference.
        gated = HttpProvider(api, clock=lambda: NOW, wait=wait, tick=lambda: 100.0)
        await gated.send(tray)
    assert len(tray.receipts) == 50
    # A thousand a second is what the account allows; the first need not wait for anybody.
    assert waits == pytest.approx([number / 1000 for number in range(1, 50)])


async def test_resend_s_used_up_window_holds_the_next_call() -> None:
    waits: list[float] = []

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        await asyncio.sleep(0)

    vendor, make = vendors.Resend(), APIS["resend"][1]
    vendor.faults.append(
        Told(200, {"data": []}, headers={"ratelimit-remaining": "0", "ratelimit-reset": "3"})
    )
    with serving(vendor) as url:
        api = make(url)
        await provider(api, wait=wait).send(Tray(letters(api, *(f"r{n}@example.org" for n in range(101)))))
    assert any(2.5 < seconds <= 3 for seconds in waits)


def test_secrets_do_not_show_in_any_repr() -> None:
    for _, make in APIS.values():
        options = make("https://api.example.org").options
        shown = repr(options) + repr(make("https://api.example.org").check(now=NOW))
        assert "s3cr3t" not in shown
        assert KEY not in shown or isinstance(options, ses.Account)


def test_ses_is_given_the_message_to_the_byte() -> None:
    api = APIS["ses"][1]("https://email.example.org")
    (letter,) = letters(api, "a@example.org")
    content = Told(raw=api.call([letter], now=NOW).content).content
    assert base64.b64encode(letter.raw) in content


@pytest.mark.parametrize("key", ["", "two\nlines"])
@pytest.mark.parametrize("kind", ["resend", "sendgrid"])
async def test_a_key_that_cannot_be_sent_is_told_of_and_not_shown(kind: str, key: str) -> None:
    speak, _ = APIS[kind]
    vendor = speak()
    with serving(vendor) as url:
        made = {"resend": lambda: resend.Api(resend.Account(api_key=key, url=url))}.get(
            kind, lambda: sendgrid.Api(sendgrid.Account(api_key=key, url=url))
        )()
        tray = Tray(letters(made, "a@example.org"))
        with pytest.raises(errors.ProviderError, match="is the key set") as caught:
            await provider(made).send(tray)
    assert tray.waiting == 1
    assert "two" not in str(caught.value)
