"""A directory in memory: the same promises without a database, for tests and trials."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from newsletter.domain import addresses, audiences, errors, intake, membership, rolls, subscribers
from newsletter.domain.letters import Addressee, Kind, Letter
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber
from newsletter.store.memory_letters import MemoryLetters


class MemoryDirectory:
    """`ports.Directory` that lives as long as the process."""

    def __init__(self) -> None:
        self._people: dict[int, Subscriber] = {}
        self._ids: dict[str, int] = {}
        self._history: dict[int, list[ConsentRecord]] = {}
        self._suppressed: dict[str, rolls.Suppression] = {}
        self._last = 0
        self._runs = 0
        self.letters = MemoryLetters(self._addressee)

    def add(self, subscriber: Subscriber, record: ConsentRecord, *, letter: Kind | None = None) -> Subscriber:
        """Write a new subscriber with the record that explains it."""
        key = addresses.key(subscriber.email)
        if key in self._ids:
            raise _known(subscriber.email)
        self._last = number = self._last + 1
        self._ids[key] = number
        self._people[number] = _sorted(dataclasses.replace(subscriber, id=number))
        self._history[number] = [record]
        self._put(number, record, letter)
        return self._people[number]

    def find(self, email: str) -> Subscriber | None:
        """Return the subscriber with this address, whatever its case, or None."""
        return self._people.get(self._ids.get(addresses.key(email), 0))

    def get(self, subscriber: int) -> Subscriber | None:
        """Return the subscriber with this id, or None."""
        return self._people.get(subscriber)

    def apply(self, move: subscribers.Move, *, letter: Kind | None = None) -> bool:
        """Set a status, append record and letter; False when the status changed since it was read."""
        found = self._people.get(move.subscriber.id)
        if found is None or found.status is not move.was:
            return False
        self._people[found.id] = dataclasses.replace(found, status=move.subscriber.status)
        self._history[found.id].append(move.record)
        self._put(found.id, move.record, letter)
        return True

    def _addressee(self, letter: Letter) -> Addressee | None:
        person = self.get(letter.subscriber)
        return Addressee(person, self.is_suppressed(letter.address or person.email)) if person else None

    def _put(self, subscriber: int, record: ConsentRecord, letter: Kind | None) -> None:
        if letter is not None:
            self.letters.put(Letter(kind=letter, subscriber=subscriber, asked_at=record.at))

    def save(self, subscriber: Subscriber, *, now: datetime) -> None:
        """Write everything of a known subscriber but status, address and history."""
        old = self._people[subscriber.id]
        kept = dataclasses.replace(subscriber, email=old.email, status=old.status, joined_at=old.joined_at)
        self._people[old.id] = _sorted(kept)

    def history(self, subscriber: int) -> Sequence[ConsentRecord]:
        """Return the consent records of a subscriber, oldest first."""
        return tuple(self._history.get(subscriber, ()))

    def readdress(self, subscriber: int, email: str, *, now: datetime) -> None:
        """Give a subscriber another address."""
        holder = self._ids.get(addresses.key(email), subscriber)
        if holder != subscriber:
            raise _known(email)
        old = self._people[subscriber]
        del self._ids[addresses.key(old.email)]
        self._ids[addresses.key(email)] = subscriber
        self._people[subscriber] = dataclasses.replace(old, email=email)

    def forget(self, subscriber: int, *, now: datetime) -> None:
        """Erase a person."""
        found = self._people.pop(subscriber, None)
        if found is None:
            return
        key = addresses.key(found.email)
        del self._ids[key], self._history[subscriber]
        self.letters.erase(subscriber)
        self._suppressed[key] = rolls.Suppression(value="", reason=subscribers.ERASED, at=now)

    def list(
        self,
        *,
        status: Status | None = None,
        tag: str = "",
        text: str = "",
        rule: audiences.Rule | None = None,
    ) -> Iterator[Subscriber]:
        """Yield subscribers by address."""
        wanted = text.casefold()
        for key in sorted(self._ids):
            found = self._people[self._ids[key]]
            fits = status in (None, found.status) and (not tag or tag in found.tags)
            fits = fits and (rule is None or membership.includes(rule, found))
            if fits and (wanted in key or wanted in found.name.casefold()):
                yield found

    def counts(self) -> Mapping[Status, int]:
        """Count subscribers by status."""
        found = [person.status for person in self._people.values()]
        return {status: found.count(status) for status in Status}

    def take_in(
        self,
        rows: Iterable[intake.Row],
        source: intake.Source,
        *,
        write: bool,
        tell: intake.Tell | None = None,
    ) -> intake.Counts:
        """Take in the rows of an import; or only count."""
        rows = list(rows)
        run = self._runs + 1 if write else 0
        self._runs += bool(write)
        chosen, labels, staged = _chosen(rows)
        if tell:
            self._tell(rows, chosen, tell)
        tally = {"new": 0, "known": 0, "changed": 0, "held": 0, "suppressed": 0}
        for key, row in chosen.items():
            record = ConsentRecord(
                status=row.status,
                at=source.now,
                how=How.IMPORT,
                source=source.place(row.line, run),
                wording=source.wording,
            )
            for word in self._take(row, labels[key], record, write=write):
                tally[word] += 1
        return intake.Counts(**tally, duplicate=staged - len(chosen), run=run)

    def _tell(self, rows: Sequence[intake.Row], chosen: Mapping[str, intake.Row], tell: intake.Tell) -> None:
        for row in rows:
            old, reason = self.find(row.email), self.is_suppressed(row.email)
            if chosen[addresses.key(row.email)] is not row:
                tell(intake.LeftOut(row.line, row.email, "duplicate", intake.DUPLICATE))
            elif old is None and reason:
                tell(intake.LeftOut(row.line, row.email, "suppressed", reason))
            elif old is not None and subscribers.raises_consent(old.status, row.status):
                why = intake.held(old.status.value, row.status.value)
                tell(intake.LeftOut(row.line, row.email, "held", why))

    def _take(self, row: intake.Row, labels: _Labels, record: ConsentRecord, *, write: bool) -> Iterator[str]:
        old = self.find(row.email)
        if old is None:
            if self.is_suppressed(row.email):
                yield "suppressed"
                return
            yield "new"
            if write:
                self.add(_arrived(row, labels, record.at), record)
            return
        yield "known"
        if subscribers.raises_consent(old.status, row.status):
            yield "held"
        after = _merged(old, row, labels)
        if after != old:
            yield "changed"
        if write and after != old:
            self._people[old.id] = after
            if after.status is not old.status:
                self._history[old.id].append(record)

    def suppress(self, email: str, *, reason: str, now: datetime) -> None:
        """Never mail this address, or this domain, again. The first reason stays."""
        value = addresses.key(email)
        self._suppressed.setdefault(value, rolls.Suppression(value=value, reason=reason, at=now))

    def is_suppressed(self, email: str) -> str:
        """Return the reason for which an address must not be mailed, or an empty text."""
        both = (addresses.key(email), addresses.domain(email))
        return next((self._suppressed[value].reason for value in both if value in self._suppressed), "")

    def suppressions(self) -> Iterator[rolls.Suppression]:
        """Yield every suppression, newest first."""
        latest_first = [*self._suppressed.values()][::-1]
        yield from sorted(latest_first, key=lambda each: each.at, reverse=True)

    def lift(self, value: str) -> bool:
        """Take back the suppression of an address or domain; False when there is none."""
        return self._suppressed.pop(addresses.key(value), None) is not None


def _known(email: str) -> errors.AddressError:
    return errors.AddressError(
        f"{email} is on the list already", hint=f"look at it with `newsletter subscriber show {email}`"
    )


def _sorted(subscriber: Subscriber) -> Subscriber:
    attributes = json.loads(json.dumps(dict(subscriber.attributes)))
    topics, tags = tuple(sorted(set(subscriber.topics))), tuple(sorted(set(subscriber.tags)))
    return dataclasses.replace(subscriber, topics=topics, tags=tags, attributes=attributes)


class _Labels(NamedTuple):
    topics: set[str]
    tags: set[str]


def _chosen(
    rows: Iterable[intake.Row],
) -> tuple[dict[str, intake.Row], dict[str, _Labels], int]:
    """Return for each address the row firmest against mail, the labels of all its rows, and the row count."""
    chosen: dict[str, intake.Row] = {}
    labels: dict[str, _Labels] = {}
    staged = 0
    for row in rows:
        staged += 1
        key = addresses.key(row.email)
        mine = labels.setdefault(key, _Labels(set(), set()))
        mine.topics.update(row.topics)
        mine.tags.update(row.tags)
        firmness = subscribers.FIRMNESS
        if key not in chosen or firmness[row.status] > firmness[chosen[key].status]:
            chosen[key] = row
    return chosen, labels, staged


def _arrived(row: intake.Row, labels: _Labels, now: datetime) -> Subscriber:
    return Subscriber(
        email=row.email,
        status=row.status,
        joined_at=row.joined_at or now,
        name=row.name,
        language=row.language,
        timezone=row.timezone,
        topics=tuple(labels.topics),
        tags=tuple(labels.tags),
        attributes=row.attributes or {},
    )


def _merged(old: Subscriber, row: intake.Row, labels: _Labels) -> Subscriber:
    return _sorted(
        dataclasses.replace(
            old,
            status=row.status if subscribers.may_import(old.status, row.status) else old.status,
            name=old.name or row.name,
            language=old.language or row.language,
            timezone=old.timezone or row.timezone,
            topics=(*old.topics, *labels.topics),
            tags=(*old.tags, *labels.tags),
            attributes=old.attributes or row.attributes or {},
        )
    )
