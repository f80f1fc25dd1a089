"""What every directory promises, whatever it keeps its people in."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from newsletter import ports
from newsletter.domain import audiences, errors, intake, subscribers, tokens
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber
from newsletter.store.directory import StoredDirectory
from newsletter.store.memory import MemoryDirectory

NOW = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)


@pytest.fixture(params=["memory", "sqlite_database", "postgres_database"])
def directory(request: pytest.FixtureRequest) -> ports.Directory:
    if request.param == "memory":
        return MemoryDirectory()
    hashed = tokens.Signer(b"a key of thirty-two bytes or so.").keyed_hash
    return StoredDirectory(request.getfixturevalue(request.param), hashed)


def record(status: Status, how: How = How.STAFF, **fields: Any) -> ConsentRecord:
    return ConsentRecord(status=status, at=fields.pop("at", NOW), how=how, **fields)


Add = Callable[..., Subscriber]


@pytest.fixture
def add(directory: ports.Directory) -> Add:
    def call(email: str, status: Status = Status.ACTIVE, **fields: Any) -> Subscriber:
        person = Subscriber(email=email, status=status, joined_at=NOW, **fields)
        return directory.add(person, record(status, source="the desk", wording="I want it"))

    return call


# -- people ------------------------------------------------------------------------------------


def test_a_subscriber_comes_back_as_it_was_written(directory: ports.Directory, add: Add) -> None:
    written = add(
        "Ada.Lovelace@example.org",
        name="Ada Lovelace",
        language="en",
        timezone="Europe/London",
        topics=("security", "economy"),
        tags=("press",),
        attributes={"country": "GB", "seats": 3, "名": "エイダ"},
        paused_until=LATER,
    )
    found = directory.get(written.id)
    assert found == dataclasses.replace(written, topics=("economy", "security"))
    assert found.id > 0


def test_an_address_is_found_whatever_its_case(directory: ports.Directory, add: Add) -> None:
    written = add("Ada@Example.org")
    assert directory.find("aDA@exampLE.ORG ") == written
    assert directory.find("bob@example.org") is None
    assert directory.get(written.id + 1) is None


def test_an_address_is_on_the_list_once_whatever_its_case(directory: ports.Directory, add: Add) -> None:
    add("ada@example.org")
    with pytest.raises(errors.AddressError, match=r"ADA@example\.org is on the list already") as caught:
        add("ADA@example.org")
    assert "subscriber show" in caught.value.hint
    assert sum(directory.counts().values()) == 1


def test_every_subscriber_starts_with_the_record_that_explains_it(
    directory: ports.Directory, add: Add
) -> None:
    written = add("ada@example.org")
    kept = record(Status.ACTIVE, source="the desk", wording="I want it")
    assert list(directory.history(written.id)) == [kept]


def test_a_move_changes_the_status_and_appends_its_record(directory: ports.Directory, add: Add) -> None:
    written = add("ada@example.org")
    left = record(Status.UNSUBSCRIBED, How.ONE_CLICK, at=LATER, source="vol-2-23", ip="192.0.2.0")
    assert directory.apply(subscribers.move(written, left))
    found = directory.get(written.id)
    assert found is not None
    assert found.status is Status.UNSUBSCRIBED
    assert list(directory.history(written.id))[1:] == [left]


def test_a_move_decided_on_an_old_status_writes_nothing(directory: ports.Directory, add: Add) -> None:
    written = add("ada@example.org")
    undo = subscribers.move(
        dataclasses.replace(written, status=Status.UNSUBSCRIBED), record(Status.ACTIVE, How.PAGE)
    )
    directory.apply(subscribers.move(written, record(Status.COMPLAINED, How.FEEDBACK)))
    assert not directory.apply(undo)
    found = directory.get(written.id)
    assert found is not None
    assert found.status is Status.COMPLAINED
    assert len(directory.history(written.id)) == 2


def test_saving_changes_everything_but_status_and_address(directory: ports.Directory, add: Add) -> None:
    written = add("ada@example.org", name="Ada", tags=("press", "old"), topics=("economy",))
    changed = dataclasses.replace(
        written,
        email="eve@example.org",
        status=Status.PENDING,
        name="Ada King",
        tags=("press", "new"),
        topics=(),
        attributes={"country": "GB"},
    )
    directory.save(changed, now=LATER)
    assert directory.get(written.id) == dataclasses.replace(
        changed, email="ada@example.org", status=Status.ACTIVE, tags=("new", "press")
    )


def test_the_list_is_in_order_of_address_and_narrowed_by_what_is_asked(
    directory: ports.Directory, add: Add
) -> None:
    add("cy@example.org", name="Cy Twombly", tags=("press",))
    add("ada@example.org", tags=("press",))
    add("Bob@example.com", Status.UNSUBSCRIBED, name="Bob 100% Ross")

    def emails(**asked: Any) -> list[str]:
        return [found.email for found in directory.list(**asked)]

    assert emails() == ["ada@example.org", "Bob@example.com", "cy@example.org"]
    assert emails(status=Status.ACTIVE) == ["ada@example.org", "cy@example.org"]
    assert emails(tag="press") == ["ada@example.org", "cy@example.org"]
    assert emails(tag="nobody") == []
    assert emails(text="EXAMPLE.COM") == ["Bob@example.com"]
    assert emails(text="twombly") == ["cy@example.org"]
    assert emails(text="0% r") == ["Bob@example.com"]
    assert emails(text="_") == []


def test_the_list_carries_each_ones_own_labels_over_many_pages(directory: ports.Directory) -> None:
    rows = [intake.Row(n, f"p{n:05}@example.org", Status.ACTIVE, tags=(f"t{n % 7}",)) for n in range(1, 2501)]
    directory.take_in(rows, FAIR, write=True)
    assert [found.tags for found in directory.list()] == [(f"t{n % 7}",) for n in range(1, 2501)]


def test_counts_know_every_status(directory: ports.Directory, add: Add) -> None:
    add("a@example.org")
    add("b@example.org", Status.PENDING)
    assert directory.counts() == {
        Status.PENDING: 1,
        Status.ACTIVE: 1,
        Status.UNSUBSCRIBED: 0,
        Status.BOUNCED: 0,
        Status.COMPLAINED: 0,
    }


# -- suppressions ------------------------------------------------------------------------------


def test_a_suppressed_address_says_why_whatever_its_case(directory: ports.Directory) -> None:
    directory.suppress("Ada@example.org", reason="complained", now=NOW)
    directory.suppress("ada@example.org", reason="something later", now=LATER)
    assert directory.is_suppressed("ADA@example.org") == "complained"
    assert directory.is_suppressed("bob@example.org") == ""


def test_a_suppressed_domain_takes_all_its_addresses(directory: ports.Directory) -> None:
    directory.suppress("Example.com", reason="asked us to stop", now=NOW)
    assert directory.is_suppressed("anybody@example.COM") == "asked us to stop"
    assert directory.is_suppressed("anybody@sub.example.com") == ""


# -- imports -----------------------------------------------------------------------------------


FAIR = intake.Source(name="fair.csv", wording="signed up at the fair", now=LATER)


def take_in(directory: ports.Directory, *rows: intake.Row, write: bool = True) -> intake.Counts:
    return directory.take_in(rows, FAIR, write=write)


def row(line: int, email: str, status: Status = Status.ACTIVE, **fields: Any) -> intake.Row:
    return intake.Row(line, email, status, **fields)


def test_an_import_brings_people_with_the_words_they_agreed_to(directory: ports.Directory) -> None:
    joined = datetime(2020, 5, 1, tzinfo=UTC)
    counts = take_in(
        directory,
        row(2, "Ada@example.org", name="Ada", language="en", joined_at=joined),
        row(4, "bob@example.org", Status.UNSUBSCRIBED, tags=("press", "fair"), attributes={"a": [1, "é"]}),
    )
    assert counts == intake.Counts(new=2, run=1)
    ada, bob = directory.list()
    assert (ada.email, ada.status, ada.name, ada.language) == ("Ada@example.org", Status.ACTIVE, "Ada", "en")
    assert (ada.joined_at, bob.joined_at) == (joined, LATER)
    assert (bob.status, bob.tags, bob.attributes) == (
        Status.UNSUBSCRIBED,
        ("fair", "press"),
        {"a": [1, "é"]},
    )
    assert list(directory.history(bob.id)) == [
        record(
            Status.UNSUBSCRIBED,
            How.IMPORT,
            at=LATER,
            source="fair.csv, line 4 (import 1)",
            wording="signed up at the fair",
        )
    ]


def test_a_trial_counts_the_same_and_writes_nothing(directory: ports.Directory, add: Add) -> None:
    add("known@example.org")
    rows = (
        row(2, "new@example.org", tags=("press",)),
        row(3, "known@example.org", name="Filled"),
        row(4, "NEW@example.org"),
    )
    trial = take_in(directory, *rows, write=False)
    assert trial == intake.Counts(new=1, known=1, changed=1, duplicate=1)
    assert [found.email for found in directory.list()] == ["known@example.org"]
    assert list(directory.list(tag="press")) == []
    assert take_in(directory, *rows) == dataclasses.replace(trial, run=1)


@pytest.mark.parametrize("old", [Status.UNSUBSCRIBED, Status.BOUNCED, Status.COMPLAINED])
@pytest.mark.parametrize("new", [Status.ACTIVE, Status.PENDING])
def test_an_import_never_raises_consent(
    directory: ports.Directory, add: Add, old: Status, new: Status
) -> None:
    gone = add("gone@example.org", old)
    counts = take_in(directory, row(2, "GONE@example.org", new))
    assert counts == intake.Counts(known=1, held=1, run=1)
    found = directory.get(gone.id)
    assert found is not None
    assert found.status is old
    assert len(directory.history(gone.id)) == 1


@pytest.mark.parametrize(
    ("old", "new", "after"),
    [
        (Status.ACTIVE, Status.UNSUBSCRIBED, Status.UNSUBSCRIBED),
        (Status.ACTIVE, Status.BOUNCED, Status.BOUNCED),
        (Status.PENDING, Status.COMPLAINED, Status.COMPLAINED),
        (Status.BOUNCED, Status.UNSUBSCRIBED, Status.UNSUBSCRIBED),
        (Status.UNSUBSCRIBED, Status.BOUNCED, Status.UNSUBSCRIBED),
        (Status.PENDING, Status.ACTIVE, Status.PENDING),
        (Status.ACTIVE, Status.PENDING, Status.ACTIVE),
        (Status.ACTIVE, Status.ACTIVE, Status.ACTIVE),
    ],
)
def test_an_import_only_makes_a_status_firmer(
    directory: ports.Directory, add: Add, old: Status, new: Status, after: Status
) -> None:
    person = add("ada@example.org", old)
    counts = take_in(directory, row(2, "ada@example.org", new))
    found = directory.get(person.id)
    assert found is not None
    assert found.status is after
    assert [kept.status for kept in directory.history(person.id)] == [old, *([after] if after != old else [])]
    assert counts.changed == (after != old)
    assert counts.held == subscribers.raises_consent(old, new)


def test_an_import_fills_what_is_empty_and_overwrites_nothing(directory: ports.Directory, add: Add) -> None:
    full = add("full@example.org", name="Full", language="en", attributes={"a": 1}, tags=("old",))
    empty = add("empty@example.org")
    values: dict[str, Any] = {"name": "New", "language": "ja", "attributes": {"b": 2}, "tags": ("new",)}
    counts = take_in(directory, row(2, "full@example.org", **values), row(3, "empty@example.org", **values))
    assert counts == intake.Counts(known=2, changed=2, run=1)
    assert directory.get(full.id) == dataclasses.replace(full, tags=("new", "old"))
    assert directory.get(empty.id) == dataclasses.replace(empty, **values)
    again = take_in(directory, row(2, "full@example.org", **values), row(3, "empty@example.org", **values))
    assert again == intake.Counts(known=2, run=2)


def test_of_several_rows_for_one_address_the_firmest_counts_and_all_tags(directory: ports.Directory) -> None:
    counts = take_in(
        directory,
        row(2, "ada@example.org", name="First", tags=("a",)),
        row(3, "Ada@example.org", Status.UNSUBSCRIBED, name="Second", tags=("b",)),
        row(4, "ADA@example.org", name="Third", tags=("a", "c")),
        row(5, "bob@example.org", name="First"),
        row(6, "bob@example.org", name="Second"),
    )
    assert counts == intake.Counts(new=2, duplicate=3, run=1)
    ada, bob = directory.list()
    assert (ada.status, ada.name, ada.tags) == (Status.UNSUBSCRIBED, "Second", ("a", "b", "c"))
    assert bob.name == "First"


def test_suppressed_addresses_are_left_out_of_an_import(directory: ports.Directory, add: Add) -> None:
    add("known@example.com", Status.BOUNCED)
    directory.suppress("ada@example.org", reason="asked", now=NOW)
    directory.suppress("example.com", reason="asked", now=NOW)
    counts = take_in(
        directory,
        row(2, "Ada@example.org"),
        row(3, "bob@Example.com"),
        row(4, "cy@example.org"),
        row(5, "known@example.com"),
    )
    assert counts == intake.Counts(new=1, known=1, held=1, suppressed=2, run=1)
    assert [found.email for found in directory.list()] == ["cy@example.org", "known@example.com"]


@pytest.mark.parametrize("write", [False, True])
def test_every_row_that_is_left_out_is_told_with_its_line_and_why(
    directory: ports.Directory, add: Add, write: bool
) -> None:
    add("left@example.org", Status.UNSUBSCRIBED)
    add("waits@example.org", Status.PENDING)
    forgotten = add("forgotten@example.org")
    directory.forget(forgotten.id, now=NOW)
    directory.suppress("never.example", reason="asked us", now=NOW)
    rows = [
        intake.Row(2, "Left@example.org", Status.ACTIVE),
        intake.Row(3, "new@example.org", Status.ACTIVE),
        intake.Row(4, "a@never.example", Status.ACTIVE),
        intake.Row(5, "NEW@example.org", Status.UNSUBSCRIBED),
        intake.Row(6, "waits@example.org", Status.ACTIVE),
        intake.Row(7, "forgotten@example.org", Status.ACTIVE),
    ]
    told: list[intake.LeftOut] = []
    counts = directory.take_in(rows, FAIR, write=write, tell=told.append)
    assert sorted((each.line, each.email, each.kind, each.why) for each in told) == [
        (2, "Left@example.org", "held", "is unsubscribed, and an import raises nobody to active"),
        (3, "new@example.org", "duplicate", intake.DUPLICATE),
        (4, "a@never.example", "suppressed", "asked us"),
        (6, "waits@example.org", "held", "is pending, and an import raises nobody to active"),
        (7, "forgotten@example.org", "suppressed", subscribers.ERASED),
    ]
    assert (counts.held, counts.suppressed, counts.duplicate) == (2, 2, 1)


def test_an_import_that_breaks_off_leaves_nothing(directory: ports.Directory) -> None:
    def rows() -> Any:
        yield row(2, "ada@example.org")
        raise OSError("the disk went away")

    with pytest.raises(OSError, match="disk went away"):
        directory.take_in(rows(), FAIR, write=True)
    assert list(directory.list()) == []
    assert take_in(directory, row(2, "ada@example.org")).new == 1


def test_an_empty_import_is_no_error(directory: ports.Directory) -> None:
    assert take_in(directory) == intake.Counts(run=1)


def test_a_record_names_the_table_and_line_within_a_packed_file(directory: ports.Directory) -> None:
    source = dataclasses.replace(FAIR, name="all.zip", parts=((0, "all.zip/a.csv"), (100, "all.zip/b.csv")))
    directory.take_in(
        [row(2, "a@example.org"), row(102, "b@example.org"), row(100, "c@example.org")], source, write=True
    )
    places = [directory.history(person.id)[0].source for person in directory.list()]
    assert places == [
        "all.zip/a.csv, line 2 (import 1)",
        "all.zip/b.csv, line 2 (import 1)",
        "all.zip/a.csv, line 100 (import 1)",
    ]


# -- addresses, erasure, suppressions ----------------------------------------------------------


def test_the_list_is_narrowed_by_a_rule(directory: ports.Directory, add: Add) -> None:
    add("ada@example.org", tags=("press",))
    add("bob@example.org")
    rule = audiences.parse("not tag:press")
    assert [person.email for person in directory.list(rule=rule)] == ["bob@example.org"]


def test_a_subscriber_moves_to_another_address(directory: ports.Directory, add: Add) -> None:
    ada = add("ada@example.org", name="Ada")
    add("bob@example.org")
    directory.readdress(ada.id, "Ada@New.example.org", now=LATER)
    assert directory.find("ada@example.org") is None
    assert directory.find("ada@new.example.org") == dataclasses.replace(ada, email="Ada@New.example.org")
    directory.readdress(ada.id, "ada@new.example.org", now=LATER)
    with pytest.raises(errors.AddressError, match="is on the list already"):
        directory.readdress(ada.id, "BOB@example.org", now=LATER)
    assert directory.find("ada@new.example.org") is not None


def test_whoever_is_forgotten_is_gone_and_stays_off_the_list(directory: ports.Directory, add: Add) -> None:
    ada = add("Ada@example.org", name="Ada Lovelace", tags=("press",), attributes={"a": 1})
    directory.suppress("ada@example.org", reason="asked", now=NOW)
    directory.forget(ada.id, now=LATER)
    directory.forget(ada.id, now=LATER)
    assert directory.get(ada.id) is None
    assert directory.find("ada@example.org") is None
    assert list(directory.history(ada.id)) == []
    assert directory.is_suppressed("ADA@example.org") == "erased at their own wish"
    assert [found.value for found in directory.suppressions()] == [""]
    counts = take_in(directory, row(2, "ada@EXAMPLE.org"), row(3, "bob@example.org"))
    assert (counts.new, counts.suppressed) == (1, 1)
    assert directory.find("ada@example.org") is None


def test_the_next_one_does_not_inherit_the_id_of_whoever_was_forgotten(
    directory: ports.Directory, add: Add
) -> None:
    ada = add("ada@example.org")
    directory.forget(ada.id, now=LATER)
    assert add("bob@example.org").id != ada.id


def test_suppressions_are_listed_and_lifted(directory: ports.Directory) -> None:
    directory.suppress("ada@example.org", reason="asked", now=NOW)
    directory.suppress("Example.com", reason="a competitor", now=LATER)
    assert [(found.value, found.reason, found.at) for found in directory.suppressions()] == [
        ("example.com", "a competitor", LATER),
        ("ada@example.org", "asked", NOW),
    ]
    assert directory.lift("ADA@example.org")
    assert not directory.lift("ada@example.org")
    assert directory.is_suppressed("ada@example.org") == ""


def test_topics_and_time_zones_come_with_an_import(directory: ports.Directory) -> None:
    take_in(
        directory,
        row(2, "ada@example.org", topics=("security",), tags=("security",), timezone="Europe/London"),
    )
    (ada,) = directory.list()
    assert (ada.topics, ada.tags, ada.timezone) == (("security",), ("security",), "Europe/London")
