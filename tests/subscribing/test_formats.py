"""Every tool's file is recognised, and nobody comes in with more consent than it says."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.domain.subscribers import Status, Subscriber
from newsletter.store.memory import MemoryDirectory
from newsletter.subscribing import formats, importing

EXPORTS = Path(__file__).parent / "exports"
NOW = datetime(2026, 3, 1, tzinfo=UTC)

A, P, U, B, C = Status.ACTIVE, Status.PENDING, Status.UNSUBSCRIBED, Status.BOUNCED, Status.COMPLAINED


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc, arg-type]  # year to second, as many as are given


#: File → format, then each person's status in order of address, then what is known of the first.
CASES: Mapping[str, tuple[str, Mapping[str, Status], Mapping[str, Any]]] = {
    "subscribed_members_export_1a2b.csv": (
        "Mailchimp",
        {"ada": A, "bob": A},
        {
            "name": "Ada Lovelace",
            "tags": ("Board members", "Editors"),
            "joined_at": at(2023, 4, 21, 11, 16, 57),
            "timezone": "Europe/London",
        },
    ),
    "unsubscribed_members_export_1a2b.csv": ("Mailchimp (unsubscribed)", {"cy": U}, {"name": "Cy Twombly"}),
    "cleaned_members_export_1a2b.csv": ("Mailchimp (cleaned)", {"dee": B}, {"name": "Dee Dee"}),
    "substack_old.csv": (
        "Substack",
        {"ada": A, "bob": U},
        {"joined_at": at(2018, 8, 27, 15, 6, 27, 713000)},
    ),
    "email_list.example.csv": ("Substack", {"ada": A, "bob": U}, {}),
    "subscriber_emails.csv": ("Substack (paid)", {"ada": A, "bob": U}, {}),
    "substack_dashboard.csv": (
        "Substack (dashboard)",
        {"ada": A, "bob": U},
        {"name": "Ada Lovelace", "joined_at": at(2021, 3, 4, 5, 6, 7)},
    ),
    "buttondown.csv": (
        "Buttondown",
        {"ada": A, "bob": P, "cy": U, "dee": B, "eve": C, "fay": U, "gus": P, "hal": P},
        {
            "tags": ("board", "editors"),
            "attributes": {"staff": "true"},
            "joined_at": at(2024, 3, 13, 0, 3, 10),
        },
    ),
    "ghost.csv": (
        "Ghost",
        {"ada": A, "bob": U, "cy": U},
        {"name": "Ada Lovelace", "tags": ("Board", "Editors"), "joined_at": at(2022, 11, 1, 10)},
    ),
    "listmonk.csv": (
        "listmonk",
        {"ada": A, "bob": U, "cy": U},
        {"attributes": {"city": "London", "n": 3}, "joined_at": at(2021, 5, 1, 8)},
    ),
    "beehiiv.csv": (
        "beehiiv",
        {"ada": A, "bob": U, "cy": U, "dee": U, "eve": P, "fay": B},
        {"name": "Ada Lovelace", "joined_at": at(2023, 3, 24, 10, 23, 10)},
    ),
    "beehiiv_short.csv": ("beehiiv", {"ada": A, "bob": U}, {"joined_at": at(2023, 3, 24, 10, 23, 10)}),
    "kit.csv": (
        "Kit",
        {"ada": A, "bob": P, "cy": U, "dee": B, "eve": C, "fay": P},
        {"joined_at": at(2022, 9, 10, 11, 12, 13)},
    ),
    "kit_state.csv": ("Kit", {"ada": A, "bob": U, "cy": P}, {"tags": ("Board", "Editors")}),
    "constant_contact.csv": (
        "Constant Contact",
        {"ada": A, "bob": A, "cy": U, "dee": U, "eve": P},
        {"name": "Ada Lovelace", "tags": ("Board", "Editors"), "joined_at": at(2021, 5, 6, 7, 8, 9)},
    ),
    "mailman3.txt": (
        "one address per line",
        {"anne@example.com": A, "bob": A, "cy": A},
        {"name": "Anne Person"},
    ),
    "mailman2.txt": ("one address per line", {"anne@example.com": A, "bob": A}, {"name": "Anne Person"}),
    "postorius.csv": ("one address per line", {"ada": A, "bob": A}, {"name": ""}),
    "keila.csv": ("Keila", {"ada": A, "bob": U, "cy": B}, {"attributes": {"city": "London"}}),
    "keila_template.csv": ("Keila", {"ada": A}, {"name": "Ada Lovelace"}),
    "curated.csv": ("Curated", {"ada": A}, {"joined_at": at(2021, 2, 4, 7, 55, 20)}),
    "tinynews_v1.csv": (
        "TinyNews",
        {"ada": A, "bob": A, "cy": P, "dee": U},
        {"name": "Ada Lovelace", "tags": ("editors",)},
    ),
    "tinynews_v2.csv": ("TinyNews", {"ada": A, "bob": U}, {"joined_at": at(2022, 3, 4)}),
    "brevo.csv": (
        "Brevo",
        {"ada": A, "bob": U},
        {"name": "Ada Lovelace", "joined_at": at(2022, 4, 12, 9, 30)},
    ),
    "activecampaign.csv": (
        "ActiveCampaign",
        {"ada": A, "bob": U, "cy": P, "dee": B},
        {"tags": ("board", "editors"), "joined_at": at(2021, 7, 8, 9, 10, 11)},
    ),
    "squarespace.csv": ("Squarespace", {"ada": A}, {"joined_at": at(2022, 3, 4, 5, 6, 7)}),
    "mailtrain.csv": ("Mailtrain", {"ada": A, "bob": U, "cy": B, "dee": C, "eve": P}, {"name": "Ada"}),
    "sendportal.csv": ("Sendportal", {"ada": A}, {"name": "Ada Lovelace"}),
    "plunk.csv": ("plain list", {"ada": A}, {"name": "Ada"}),
    "mailcoach.csv": ("Mailcoach", {"ada": A}, {"tags": ("board", "editors")}),
    "plain.csv": (
        "plain list",
        {"ada": A, "bob": U, "cy": P, "dee": B, "eve": P, "fay": P, "gus": C},
        {"tags": ("board", "editors"), "language": "en"},
    ),
    "newsletter.csv": (
        "newsletter",
        {"+bob": U, "ada": A},
        {},
    ),
}


def imported(path: Path) -> tuple[importing.Report, list[Subscriber]]:
    directory = MemoryDirectory()
    options = importing.Options(attest="moved from another tool", write=True)
    report = importing.run(directory, path, options, now=NOW)
    for rejected in EXPORTS.glob("*.rejected.csv"):
        rejected.unlink()
    return report, list(directory.list())


@pytest.mark.parametrize("name", CASES)
def test_a_tool_is_recognised_and_nobody_gains_consent(name: str) -> None:
    form, statuses, first = CASES[name]
    report, people = imported(EXPORTS / name)
    assert report.tables[0].format == form
    assert {person.email.removesuffix("@example.org"): person.status for person in people} == statuses
    assert {key: getattr(people[0], key) for key in first} == first


def test_every_export_here_is_tried() -> None:
    assert {path.name for path in EXPORTS.iterdir()} == set(CASES)


def test_every_format_is_tried() -> None:
    assert {known.name for known in formats.FORMATS} <= {form for form, _, _ in CASES.values()}


def test_our_own_export_comes_back_whole() -> None:
    _, people = imported(EXPORTS / "newsletter.csv")
    bob, ada = people
    assert (bob.email, ada.name, ada.topics) == ("+bob@example.org", "=1+1", ("economy", "security"))
    assert (ada.attributes, ada.timezone) == ({"city": "London"}, "Europe/London")


def test_mailchimp_s_packed_export_is_taken_in_whole(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name in ("subscribed", "unsubscribed", "cleaned"):
            packed.write(EXPORTS / f"{name}_members_export_1a2b.csv", f"{name}_members_export_1a2b.csv")
        packed.writestr("non-subscribed_members_export_1a2b.csv", "Email Address\nzed@example.org\n")
        packed.writestr("__MACOSX/._subscribed.csv", b"\x00\x05\x16\x07")
    report, people = imported(path)
    assert {person.email: person.status for person in people} == {
        "ada@example.org": A,
        "bob@example.org": A,
        "cy@example.org": U,
        "dee@example.org": B,
        "zed@example.org": P,
    }
    assert report.tables[0].name == "export.zip/subscribed_members_export_1a2b.csv"


@pytest.mark.parametrize("word", ["Unsubscribed", " UNSUBSCRIBED ", "cleaned", "inactive", "maybe", ""])
def test_no_word_but_those_for_active_makes_anybody_active(tmp_path: Path, word: str) -> None:
    path = tmp_path / "people.csv"
    path.write_text(f"email,status\nada@example.org,{word}\n")
    _, people = imported(path)
    assert people[0].status is not Status.ACTIVE


@pytest.mark.parametrize(
    ("column", "cell", "status"),
    [
        ("email_disabled", "true", U),
        ("email_disabled", "false", A),
        ("email_blacklisted", "Yes", U),
        ("subscribed_to_emails", "false", U),
        ("subscriber_type", "unsubscribed", U),
        ("subscriber_type", "complained", C),
        ("Email permission status", "Unsubscribed", U),
        ("Subscribed", "false", U),
        ("Subscribed", "2024-01-01", A),
        ("Subscribed", "", A),
        ("Unsubscribed", "true", U),
        ("Unsubscribed", "2024-01-01", U),
        ("Unsubscribed", "0", A),
        ("Unsubscribed", "", A),
    ],
)
def test_an_opt_out_is_heard_also_in_a_file_whose_other_columns_were_taken_away(
    tmp_path: Path, column: str, cell: str, status: Status
) -> None:
    path = tmp_path / "trimmed.csv"
    path.write_text(f"email,name,{column}\nada@example.org,Ada,{cell}\n", encoding="utf-8")
    directory = MemoryDirectory()
    importing.run(directory, path, importing.Options(attest="on paper", write=True), now=NOW)
    ada = directory.find("ada@example.org")
    assert ada is not None
    assert ada.status is status
