"""The six vendors, each as its own pages describe it: keys, limits, answers and refusals.

An address whose local part begins with ``bad`` is one that the vendor calls invalid.
"""

from __future__ import annotations

import base64
import json
import re
import urllib.parse
from collections import deque
from typing import Any

from tests.providers.apis.harness import Asked, Told

_ADDRESS = re.compile(r"<([^<>]+)>$")
KEY = "key-3f1c9a"


def address(mailbox: str) -> str:
    """Return the address of ``"Name" <address>``."""
    found = _ADDRESS.search(mailbox)
    return found[1] if found else mailbox


def invalid(recipient: str) -> bool:
    """Say whether the vendor calls this address invalid."""
    return recipient.startswith("bad")


class Speaker:
    """What all six have in common."""

    def __init__(self) -> None:
        self.faults: deque[Told] = deque()
        self.taken: list[str] = []
        #: The sending calls as they came.
        self.calls: list[Asked] = []

    def answer(self, asked: Asked) -> Told:
        if asked.method == "POST":
            self.calls.append(asked)
        if not self.known(asked):
            return self.stranger()
        if asked.method == "GET":
            return self.account()
        if self.faults:
            return self.faults.popleft()
        return self.send(asked)

    def known(self, asked: Asked) -> bool:
        raise AssertionError("each vendor says how")

    def stranger(self) -> Told:
        return Told(401, {"message": "Unauthorized"})

    def account(self) -> Told:
        return Told(200, {})

    def send(self, asked: Asked) -> Told:
        raise AssertionError("each vendor says how")


class Postmark(Speaker):
    """https://postmarkapp.com/developer/api/email-api#send-batch-emails."""

    def known(self, asked: Asked) -> bool:
        return asked.headers.get("x-postmark-server-token") == KEY

    def stranger(self) -> Told:
        return Told(401, {"ErrorCode": 10, "Message": "No Account or Server API tokens were supplied."})

    def send(self, asked: Asked) -> Told:
        batch = asked.json()
        if len(batch) > 500:
            return Told(422, {"ErrorCode": 410, "Message": "Too many batch messages."})
        return Told(200, [self._one(each) for each in batch])

    def _one(self, message: dict[str, Any]) -> dict[str, Any]:
        to = address(message["To"])
        if invalid(to):
            return {"ErrorCode": 300, "Message": f"Error parsing 'To': Illegal email address '{to}'."}
        if to.startswith("inactive"):
            return {
                "ErrorCode": 406,
                "Message": "You tried to send to a recipient that has been marked as inactive.",
            }
        self.taken.append(to)
        return {"ErrorCode": 0, "Message": "OK", "MessageID": f"pm-{to}", "To": to}


class Resend(Speaker):
    """https://resend.com/docs/api-reference/emails/send-batch-emails and …/idempotency-keys."""

    def __init__(self) -> None:
        super().__init__()
        self._answered: dict[str, Told] = {}

    def known(self, asked: Asked) -> bool:
        return asked.headers.get("authorization") == f"Bearer {KEY}"

    def answer(self, asked: Asked) -> Told:
        fault = self.faults[0] if self.faults and asked.method == "POST" else None
        if fault is not None and fault.hang_up and self.known(asked):
            # The work is done and remembered; only the answer is lost.
            self.faults.popleft()
            self.calls.append(asked)
            self.send(asked)
            return fault
        return super().answer(asked)

    def send(self, asked: Asked) -> Told:
        key = asked.headers.get("idempotency-key", "")
        if len(key) > 256:
            return Told(400, {"name": "invalid_idempotency_key", "message": "The key must be 1-256 chars."})
        if key not in self._answered:
            self._answered[key] = self._batch(asked.json())
        return self._answered[key]

    def _batch(self, batch: list[dict[str, Any]]) -> Told:
        if len(batch) > 100:
            return Told(422, {"name": "validation_error", "message": "The batch size must not exceed 100."})
        good, errors = [], []
        for index, each in enumerate(batch):
            to = address(each["to"][0])
            if invalid(to):
                errors.append({"index": index, "message": "Invalid `to` field."})
            else:
                self.taken.append(to)
                good.append({"id": f"re-{to}"})
        return Told(200, {"data": good, **({"errors": errors} if errors else {})})


class Mailgun(Speaker):
    """https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/batch-sending."""

    def known(self, asked: Asked) -> bool:
        pair = base64.b64encode(f"api:{KEY}".encode()).decode()
        return asked.headers.get("authorization") == f"Basic {pair}"

    def send(self, asked: Asked) -> Told:
        fields = urllib.parse.parse_qs(asked.body.decode(), keep_blank_values=True)
        if "from" not in fields:
            return Told(400, {"message": "'from' parameter is missing"})
        people = [address(each) for each in fields["to"]]
        variables = json.loads(fields["recipient-variables"][0])
        if len(people) > 1000:
            return Told(400, {"message": "too many recipients"})
        if any(invalid(each) for each in people):
            return Told(400, {"message": "'to' parameter is not a valid address. please check documentation"})
        if set(people) != set(variables):
            return Told(400, {"message": "'recipient-variables' do not match the recipients"})
        self.taken += people
        return Told(200, {"id": "<batch@mg.example.org>", "message": "Queued. Thank you."})


class SendGrid(Speaker):
    """https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send."""

    def known(self, asked: Asked) -> bool:
        return asked.headers.get("authorization") == f"Bearer {KEY}"

    def send(self, asked: Asked) -> Told:
        people = asked.json()["personalizations"]
        if len(people) > 1000:
            return self._errors("The personalizations field is limited to 1000.", "personalizations")
        for index, each in enumerate(people):
            if sum(len(name) + len(value) for name, value in each["substitutions"].items()) > 10_000:
                return self._errors(
                    "The substitutions are over 10,000 bytes.", f"personalizations.{index}.substitutions"
                )
            if invalid(each["to"][0]["email"]):
                return self._errors(
                    "Does not contain a valid address.", f"personalizations.{index}.to.0.email"
                )
        self.taken += [each["to"][0]["email"] for each in people]
        return Told(202, headers={"X-Message-Id": "sg-batch"})

    @staticmethod
    def _errors(message: str, field: str) -> Told:
        return Told(400, {"errors": [{"message": message, "field": field, "help": None}]})


class Brevo(Speaker):
    """https://developers.brevo.com/docs/batch-send-transactional-emails and …/idempotent-request."""

    def __init__(self) -> None:
        super().__init__()
        self._keys: set[str] = set()

    def known(self, asked: Asked) -> bool:
        return asked.headers.get("api-key") == KEY

    def stranger(self) -> Told:
        return Told(401, {"code": "unauthorized", "message": "Key not found"})

    def send(self, asked: Asked) -> Told:
        plain = asked.json()
        key = plain["headers"]["idempotencyKey"]
        versions = plain["messageVersions"]
        people = [each["to"][0]["email"] for each in versions]
        if key in self._keys:
            return Told(400, {"code": "duplicate_parameter", "message": "idempotencyKey is already used"})
        if len(versions) > 1000:
            return Told(400, {"code": "invalid_parameter", "message": "messageVersions is over 1000"})
        if any(invalid(each) for each in people):
            return Told(400, {"code": "invalid_parameter", "message": "email is not valid in to"})
        self.taken += people
        self._keys.add(key)
        return Told(201, {"messageIds": [f"<br-{each}>" for each in people]})


class Ses(Speaker):
    """https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html."""

    def known(self, asked: Asked) -> bool:
        claim = asked.headers.get("authorization", "")
        return (
            claim.startswith(f"AWS4-HMAC-SHA256 Credential={KEY}/") and "/us-east-1/ses/aws4_request" in claim
        )

    def stranger(self) -> Told:
        return Told(
            403,
            {"message": "The security token included in the request is invalid."},
            headers={"x-amzn-ErrorType": "UnrecognizedClientException"},
        )

    def account(self) -> Told:
        return Told(
            200, {"SendQuota": {"Max24HourSend": 50000.0, "MaxSendRate": 1000.0, "SentLast24Hours": 1.0}}
        )

    def send(self, asked: Asked) -> Told:
        plain = asked.json()
        (to,) = plain["Destination"]["ToAddresses"]
        base64.b64decode(plain["Content"]["Raw"]["Data"], validate=True)
        if invalid(to):
            return Told(
                400,
                {"message": "Illegal address"},
                headers={"x-amzn-ErrorType": "BadRequestException:http://x/"},
            )
        self.taken.append(to)
        return Told(200, {"MessageId": f"ses-{to}"})
