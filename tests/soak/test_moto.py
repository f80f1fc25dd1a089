"""Amazon SES as moto speaks it, which checks every signature with botocore's own signer."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from newsletter.domain import errors
from newsletter.domain.verdicts import Kind
from newsletter.providers import ses, sigv4
from newsletter.providers.http_api import HttpProvider
from newsletter.providers.tray import Tray
from tests.providers.apis.test_email_apis import kinds, letters

pytestmark = pytest.mark.soak

REGION = "us-east-1"
#: What AWS's own pages say a sender needs, and nothing more: no GetAccount among them.
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": ["ses:SendEmail", "ses:SendRawEmail"], "Resource": "*"}],
}


@dataclass(frozen=True)
class Amazon:
    """A running moto, and a user of its that may send."""

    url: str
    access_key: str
    secret_key: str

    def api(self, **changes: str) -> ses.Api:
        given = {"access_key": self.access_key, "secret_key": self.secret_key, "region": REGION, **changes}
        return ses.Api(ses.Account(url=self.url, **given))  # type: ignore[arg-type]  # all are texts

    def taken(self) -> list[dict[str, Any]]:
        """Return the raw messages that it has taken."""
        with urllib.request.urlopen(f"{self.url}/moto-api/data.json", timeout=30) as answer:
            found: list[dict[str, Any]] = json.load(answer)["ses"]["RawMessage"]
            return found


def _call(url: str, service: str, content: bytes, kind: str) -> str:
    """Make a call before moto begins to ask who is calling."""
    nobody = sigv4.Credentials(access_key="nobody", secret_key="nothing", region=REGION, service=service)
    headers = sigv4.sign(nobody, "POST", url, {"Content-Type": kind}, content, now=datetime.now(UTC))
    request = urllib.request.Request(url, data=content, headers=headers, method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


def _iam(url: str, **fields: str) -> str:
    form = urllib.parse.urlencode({"Version": "2010-05-08", "UserName": "sender", **fields}).encode()
    return _call(f"{url}/", "iam", form, "application/x-www-form-urlencoded")


@pytest.fixture(scope="module")
def amazon() -> Iterator[Amazon]:
    program = shutil.which("moto-python") or ""
    if not program:
        why = "moto is missing: sh tests/packages.sh tests/soak/packages.txt"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    process = subprocess.Popen(
        [program, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # From the fifth call on, whoever calls must be known and allowed.
        env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "4"},
    )
    try:
        assert process.stdout is not None
        said = iter(process.stdout)
        running = (re.search(r"Running on (http://[\d.:]+)", line) for line in said)
        found = next(filter(None, running), None)
        assert found is not None, f"{program} does not start a moto server"
        url = found[1]
        _iam(url, Action="CreateUser")
        key = _iam(url, Action="CreateAccessKey")
        _iam(url, Action="PutUserPolicy", PolicyName="send", PolicyDocument=json.dumps(POLICY))
        _call(f"{url}/v2/email/identities", "ses", b'{"EmailIdentity": "example.org"}', "application/json")
        access, secret = (
            re.findall(f"<{name}>(.*?)<", key)[0] for name in ("AccessKeyId", "SecretAccessKey")
        )
        yield Amazon(url, access, secret)
    finally:
        process.kill()
        process.communicate()


async def _sent(api: ses.Api, *addresses: str) -> Tray:
    tray = Tray(letters(api, *addresses))
    await HttpProvider(api, clock=lambda: datetime.now(UTC)).send(tray)
    return tray


async def test_a_hundred_letters_are_signed_and_taken_to_the_byte(amazon: Amazon) -> None:
    api = amazon.api()
    people = [f"reader{number}@example.net" for number in range(100)]
    tray = await _sent(api, *people)
    receipts = {receipt.delivery: receipt for receipt in tray.receipts}
    assert kinds(receipts) == [Kind.ACCEPTED] * 100
    taken = {each["id"]: each for each in amazon.taken()}
    for letter in letters(api, *people):
        kept = taken[receipts[letter.delivery].provider_id]
        assert letter.recipient in kept["destinations"]
        assert kept["raw_data"].encode() == letter.raw


@pytest.mark.parametrize("changes", [{"secret_key": "guessed"}, {"access_key": "AKIAGUESSED"}])
async def test_a_key_that_amazon_does_not_know_stops_and_costs_no_letter(
    amazon: Amazon, changes: dict[str, str]
) -> None:
    before = len(amazon.taken())
    tray = Tray(letters(amazon.api(), "ada@example.net"))
    try:
        await HttpProvider(amazon.api(**changes), clock=lambda: datetime.now(UTC)).send(tray)
    except errors.ProviderError:
        assert tray.waiting == 1
    else:
        # moto knows no GetAccount, so that the first letter is the first thing it can refuse.
        assert [receipt.verdict.kind for receipt in tray.receipts] == [Kind.STOP]
    assert len(amazon.taken()) == before
