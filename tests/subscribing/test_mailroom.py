"""The mailroom: every letter goes out once, comes again when it could not, and is given up in the end."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from newsletter.domain import deliveries, errors, letters, tokens, verdicts
from newsletter.domain.deliveries import Receipt, State
from newsletter.domain.diagnoses import Verdict as Finding
from newsletter.domain.letters import Kind, Letter
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber
from newsletter.domain.verdicts import Scope, Verdict
from newsletter.rendering import theme
from newsletter.store.memory import MemoryDirectory
from newsletter.subscribing import mailroom
from newsletter.subscribing.letters import Writer, Written
from tests.subscribing.test_letters import PUBLICATION

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
TAKEN = verdicts.ACCEPTED
GREY = Verdict(kind=verdicts.Kind.RETRY)
DOWN = Verdict(kind=verdicts.Kind.RETRY, scope=Scope.MAILING)


@dataclass
class Scene:
    """A mailroom over a list in memory, and a provider that answers as it is told."""

    directory: MemoryDirectory = field(default_factory=MemoryDirectory)
    now: datetime = NOW
    carried: list[Written] = field(default_factory=list)
    answer: Callable[[Written], Verdict] = lambda written: TAKEN
    owner: str = "here:1:1"
    dead: tuple[str, ...] = ()

    def add(self, local: str = "ada", status: Status = Status.ACTIVE) -> Subscriber:
        person = Subscriber(email=f"{local}@example.org", status=status, joined_at=NOW)
        return self.directory.add(person, ConsentRecord(status=status, at=NOW, how=How.FORM))

    def put(self, person: Subscriber, kind: Kind = Kind.MANAGE) -> None:
        self.directory.letters.put(Letter(kind=kind, subscriber=person.id, asked_at=self.now))

    def room(self) -> mailroom.Mailroom:
        around = mailroom.Surroundings(
            now=lambda: self.now,
            rng=random.Random(1),
            owner=self.owner,
            dead=lambda owner: owner in self.dead,
        )
        writer = Writer(PUBLICATION, theme.packaged(), tokens.Signer(b"k" * 32))
        return mailroom.Mailroom(self.directory.letters, writer, self.carry, around=around)

    def carry(self, written: Mapping[int, Written]) -> Sequence[Receipt]:
        self.carried += written.values()
        return [Receipt(number, self.answer(each), "as told") for number, each in written.items()]

    def work_off(self, *, later: timedelta = timedelta()) -> timedelta:
        self.now += later
        return self.room().work_off()

    def states(self, person: Subscriber) -> list[State]:
        return [letter.state for letter in self.directory.letters.of(person.id)]


def test_every_letter_that_waits_goes_out_once() -> None:
    scene = Scene()
    people = [scene.add(f"r{number}") for number in range(120)]
    for person in people:
        scene.put(person)
    assert scene.work_off() == mailroom.LOOK
    scene.work_off()
    assert sorted(each.to for each in scene.carried) == sorted(person.email for person in people)
    assert {state for person in people for state in scene.states(person)} == {State.SENT}


def test_a_letter_that_is_put_off_comes_again_and_then_is_over() -> None:
    scene = Scene(answer=lambda written: GREY)
    ada = scene.add()
    scene.put(ada)
    assert scene.work_off() <= mailroom.LOOK
    assert scene.states(ada) == [State.PLANNED]
    scene.work_off(later=timedelta(seconds=40))
    assert len(scene.carried) == 1
    scene.answer = lambda written: TAKEN
    scene.work_off(later=timedelta(seconds=40))
    assert scene.carried[0] == scene.carried[1]._replace(letter=scene.carried[0].letter)
    assert scene.states(ada) == [State.SENT]


def test_after_a_day_of_refusals_a_letter_is_given_up() -> None:
    scene = Scene(answer=lambda written: GREY)
    ada = scene.add()
    scene.put(ada)
    for _ in range(26 * 60):
        scene.work_off(later=timedelta(minutes=1))
    assert scene.states(ada) == [State.FAILED]
    assert 8 <= len(scene.carried) <= 14
    (letter,) = scene.directory.letters.of(ada.id)
    assert letter.settled_at is not None
    assert letter.settled_at - NOW <= timedelta(hours=24)


@pytest.mark.parametrize(
    ("kind", "state"),
    [
        (verdicts.Kind.SUPPRESS, State.REJECTED),
        (verdicts.Kind.REJECT, State.REJECTED),
        (verdicts.Kind.STOP, State.PLANNED),
        (verdicts.Kind.UNKNOWN, State.PLANNED),
    ],
)
def test_each_verdict_means_for_a_letter_what_it_says(kind: verdicts.Kind, state: State) -> None:
    scene = Scene(answer=lambda written: Verdict(kind=kind))
    ada = scene.add()
    scene.put(ada)
    scene.work_off()
    assert scene.states(ada) == [state]
    # A letter is no proof that an address is dead for good: whoever mistyped it may get it right yet.
    assert scene.directory.is_suppressed(ada.email) == ""


def test_one_refused_letter_never_costs_the_next_one() -> None:
    refused = Verdict(kind=verdicts.Kind.REJECT)
    scene = Scene(answer=lambda written: refused if written.to.startswith("bad") else TAKEN)
    bad, good = scene.add("bad"), scene.add("good")
    scene.put(bad)
    scene.put(good)
    scene.work_off()
    assert (scene.states(bad), scene.states(good)) == ([State.REJECTED], [State.SENT])


def test_while_a_provider_takes_nothing_the_rest_of_the_letters_are_left_alone() -> None:
    scene = Scene(answer=lambda written: DOWN)
    people = [scene.add(f"r{number}") for number in range(120)]
    for person in people:
        scene.put(person)
    assert scene.work_off() == mailroom.REST
    assert len(scene.carried) == mailroom.BATCH


def test_a_provider_that_cannot_be_set_up_loses_no_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene()
    ada = scene.add()
    scene.put(ada)

    def broken(written: Mapping[int, Written]) -> Sequence[Receipt]:
        raise errors.ProviderError("the key file is gone")

    room = mailroom.Mailroom(scene.directory.letters, _writer(), broken, around=_around(scene))
    assert room.work_off() == mailroom.REST
    (letter,) = scene.directory.letters.of(ada.id)
    assert (letter.state, letter.reply) == (State.PLANNED, "the key file is gone")


def test_a_letter_that_cannot_be_written_comes_again_and_holds_up_no_other() -> None:
    class Broken(Writer):
        def write(self, letter: Letter, person: Subscriber) -> Written:
            if letter.kind is Kind.WELCOME:
                raise errors.RenderError("welcome.en.txt.j2:3: unexpected end")
            return super().write(letter, person)

    scene = Scene()
    ada = scene.add()
    scene.put(ada, Kind.WELCOME)
    scene.put(ada, Kind.MANAGE)
    writer = Broken(PUBLICATION, theme.packaged(), tokens.Signer(b"k" * 32))
    mailroom.Mailroom(scene.directory.letters, writer, scene.carry, around=_around(scene)).work_off()
    assert scene.states(ada) == [State.PLANNED, State.SENT]


@pytest.mark.parametrize(
    ("kind", "status", "goes"),
    [
        (Kind.CONFIRM, Status.PENDING, True),
        (Kind.CONFIRM, Status.UNSUBSCRIBED, True),
        (Kind.CONFIRM, Status.ACTIVE, False),
        (Kind.REMIND, Status.ACTIVE, False),
        (Kind.WELCOME, Status.UNSUBSCRIBED, False),
        (Kind.GOODBYE, Status.UNSUBSCRIBED, True),
        (Kind.GOODBYE, Status.ACTIVE, False),
        (Kind.GOODBYE, Status.COMPLAINED, False),
        (Kind.MANAGE, Status.UNSUBSCRIBED, True),
    ],
)
def test_a_letter_whose_reason_is_gone_is_left_out(kind: Kind, status: Status, goes: bool) -> None:
    scene = Scene()
    person = scene.add(status=status)
    scene.put(person, kind)
    scene.work_off()
    assert scene.states(person) == [State.SENT if goes else State.SKIPPED]
    assert bool(scene.carried) == goes


def test_who_was_suppressed_meanwhile_gets_no_letter_and_who_was_erased_may_ask_anew() -> None:
    scene = Scene()
    gone, back = scene.add("gone", Status.UNSUBSCRIBED), scene.add("back")
    scene.directory.suppress("gone@example.org", reason="complained", now=NOW)
    scene.directory.forget(back.id, now=NOW)
    again = scene.add("back", Status.PENDING)
    scene.put(gone, Kind.GOODBYE)
    scene.put(again, Kind.CONFIRM)
    scene.work_off()
    assert (scene.states(gone), scene.states(again)) == ([State.SKIPPED], [State.SENT])


def test_what_a_killed_process_had_claimed_is_handed_over_by_the_next_one() -> None:
    scene = Scene()
    ada = scene.add()
    scene.put(ada)

    class KilledError(BaseException):
        pass

    def killed(written: Mapping[int, Written]) -> Sequence[Receipt]:
        raise KilledError

    with pytest.raises(KilledError):
        mailroom.Mailroom(scene.directory.letters, _writer(), killed, around=_around(scene)).work_off()
    scene.owner, scene.dead = "here:2:2", ("here:1:1",)
    scene.work_off(later=timedelta(seconds=1))
    assert len(scene.carried) == 1
    assert scene.states(ada) == [State.SENT]


@pytest.mark.parametrize(
    ("answer", "later", "finding", "said"),
    [
        (TAKEN, timedelta(hours=1), Finding.PASS, "none waits"),
        (GREY, timedelta(seconds=1), Finding.PASS, "1 wait"),
        (GREY, timedelta(hours=1), Finding.WARN, "as told"),
        (Verdict(kind=verdicts.Kind.REJECT), timedelta(hours=1), Finding.WARN, "did not come through"),
        (Verdict(kind=verdicts.Kind.REJECT), timedelta(days=8), Finding.PASS, "none waits"),
    ],
)
def test_the_doctor_is_told_of_letters_that_do_not_come_through(
    answer: Verdict, later: timedelta, finding: Finding, said: str
) -> None:
    scene = Scene(answer=lambda written: answer)
    ada = scene.add()
    scene.put(ada)
    scene.work_off()
    found = mailroom.examine(scene.directory.letters, now=NOW + later)
    assert found.verdict is finding
    assert said in found.message
    assert ada.email not in found.message


def test_the_doctor_says_when_nobody_sends_letters() -> None:
    scene = Scene()
    scene.put(scene.add())
    found = mailroom.examine(scene.directory.letters, now=NOW + timedelta(hours=1))
    assert "newsletter serve" in found.fix


def test_a_letter_is_tried_for_a_day_whatever_is_set_for_mailings() -> None:
    assert letters.POLICY.give_up == timedelta(hours=24)
    assert letters.POLICY.after_crash is deliveries.AfterCrash.RESEND


def _writer() -> Writer:
    return Writer(PUBLICATION, theme.packaged(), tokens.Signer(b"k" * 32))


def _around(scene: Scene) -> mailroom.Surroundings:
    return mailroom.Surroundings(
        now=lambda: scene.now,
        rng=random.Random(1),
        owner=scene.owner,
        dead=lambda owner: owner in scene.dead,
    )
