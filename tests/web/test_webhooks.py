"""Webhooks at the door: checked on the raw body, on the disk before they are answered, applied afterwards."""

from __future__ import annotations

import base64
import dataclasses
import threading
from collections.abc import Sequence
from typing import Any

import pytest
from fastapi.testclient import TestClient

from newsletter.domain import errors
from newsletter.providers import gates
from newsletter.web import app
from tests.web.conftest import PUBLICATION, House, reception

AUTH = {"Authorization": "Basic " + base64.b64encode(b"staff:s3cret").decode()}


class Shelf:
    """Keeps reports, and says when they were worked off."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, bytes]] = []
        self.runs = 0
        self.applied = threading.Event()
        self.full = False

    def keep(self, reports: Sequence[tuple[str, bytes]]) -> None:
        if self.full:
            raise errors.StoreError("the disk is full")
        self.kept += reports

    def work_off(self) -> None:
        self.runs += 1
        if self.kept:
            self.applied.set()


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def post(house: House, shelf: Shelf) -> Any:
    taken = reception(
        gates={"pm": gates.Gate("postmark", ["staff:s3cret"]), "bare": gates.Gate("resend", [])},
        keep=shelf.keep,
        work_off=shelf.work_off,
    )
    made = app.create(dataclasses.replace(house.desk, reception=taken))
    with TestClient(made, base_url=PUBLICATION.url, follow_redirects=False) as client:
        yield client.post


def test_a_webhook_is_written_down_as_it_came_and_then_applied(post: Any, shelf: Shelf) -> None:
    body = b'{ "RecordType" :"Delivery"}\r\n'
    assert post("/webhooks/pm", content=body, headers=AUTH).status_code == 200
    assert shelf.kept == [("pm", body)]
    assert shelf.applied.wait(10)


def test_what_an_earlier_process_left_is_applied_at_the_start(post: Any, shelf: Shelf) -> None:
    post("/webhooks/pm", content=b"{}", headers=AUTH)
    assert shelf.applied.wait(10)
    assert shelf.runs >= 1


@pytest.mark.parametrize("name", ["pm", "bare"])
def test_a_webhook_that_is_not_signed_is_refused_and_not_kept(post: Any, shelf: Shelf, name: str) -> None:
    answer = post(f"/webhooks/{name}", content=b"{}")
    assert answer.status_code == 401
    assert shelf.kept == []
    assert "s3cret" not in answer.text


def test_a_provider_that_is_not_in_the_settings_has_no_door(post: Any) -> None:
    assert post("/webhooks/nobody", content=b"{}", headers=AUTH).status_code == 404


def test_a_report_that_cannot_be_written_is_refused_so_that_the_provider_tries_again(
    post: Any, shelf: Shelf
) -> None:
    shelf.full = True
    assert post("/webhooks/pm", content=b"{}", headers=AUTH).status_code == 503


def test_a_body_beyond_any_batch_is_refused(post: Any, shelf: Shelf) -> None:
    assert post("/webhooks/pm", content=b"x" * (6 * 1024 * 1024), headers=AUTH).status_code == 413
    assert shelf.kept == []


def test_a_batch_larger_than_any_form_of_ours_is_taken(post: Any, shelf: Shelf) -> None:
    assert post("/webhooks/pm", content=b"[" + b" " * 1_000_000 + b"]", headers=AUTH).status_code == 200
    assert len(shelf.kept) == 1


def test_looking_at_the_door_does_nothing(post: Any, house: House) -> None:
    with TestClient(app.create(house.desk), base_url=PUBLICATION.url) as client:
        assert client.get("/webhooks/pm").status_code == 405
