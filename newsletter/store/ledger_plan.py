"""Plan a mailing set by set: who is in its audience, who is left out and why, and one row for each."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from newsletter import ports
from newsletter.domain import deliveries, errors, freezing, numbering
from newsletter.domain.deliveries import MailingStatus, State
from newsletter.store import audience_sql, ledger_sql
from newsletter.store.ledger_rows import get
from newsletter.store.tables import delivery, mailing, mailing_template, subscriber

#: States that say: this subscriber has the issue, or may have it.
_REACHED = (
    State.SENDING,
    State.SENT,
    State.DELIVERED,
    State.BOUNCED,
    State.COMPLAINED,
    State.UNKNOWN,
)

#: Where a mailing stands that may not have begun yet.
_WAITING = frozenset({MailingStatus.SCHEDULED, *deliveries.STOPPED})


def preview(
    connection: sa.Connection,
    audience: ports.Audience,
    *,
    now: datetime,
    missing: numbering.IssueNumber | None = None,
) -> tuple[int, Mapping[str, int]]:
    """Count who would be included, and for each reason who would be left out."""
    counted = audience_sql.tally(connection, audience, now=now, more=_more(missing))
    included = counted.pop("")
    return included, dict(sorted(counted.items()))


def plan(connection: sa.Connection, draft: ports.MailingDraft) -> deliveries.Mailing:
    """Write a mailing, its frozen templates and its deliveries, in the caller's transaction."""
    template = next(iter(draft.templates.values()))
    sequence = _sequence(connection, template.number, draft)
    made = _insert(connection, template.number, draft, sequence)
    for position, (language, body) in enumerate(draft.templates.items()):
        connection.execute(
            sa.insert(mailing_template).values(
                mailing_id=made, language=language, position=position, body=freezing.dumps(body)
            )
        )
    _freeze_audience(connection, made, draft.audience, now=draft.now, missing=_missing(template, draft))
    return get(connection, made)


def begin(connection: sa.Connection, number: int, *, now: datetime) -> deliveries.Mailing:
    """Open a mailing for sending; one that was scheduled freezes its audience anew."""
    row = connection.execute(sa.select(mailing).where(mailing.c.id == number)).one()
    if _waits_to_begin(connection, row):
        connection.execute(sa.delete(delivery).where(delivery.c.mailing_id == number))
        missing = numbering.IssueNumber(row.volume, row.number) if row.sequence else None
        _freeze_audience(connection, number, ports.Audience(**row.audience), now=now, missing=missing)
    connection.execute(
        sa.update(mailing)
        .where(mailing.c.id == number)
        .values(status=MailingStatus.SENDING.value, reason="", finished_at=None)
    )
    return get(connection, number)


def _waits_to_begin(connection: sa.Connection, row: sa.Row[Any]) -> bool:
    """Say whether a mailing was scheduled and has not begun, though somebody may have stopped it since."""
    if row.due_at is None or MailingStatus(row.status) not in _WAITING:
        return False
    mine = delivery.c.mailing_id == row.id
    begun = sa.or_(delivery.c.state != State.PLANNED.value, delivery.c.not_before.is_not(None))
    return connection.execute(sa.select(delivery.c.id).where(mine, begun).limit(1)).first() is None


def _missing(template: Any, draft: ports.MailingDraft) -> numbering.IssueNumber | None:
    return template.number if draft.only_missing else None


def _sequence(connection: sa.Connection, number: numbering.IssueNumber, draft: ports.MailingDraft) -> int:
    """Return the place of a mailing among those of its issue, after a look at the earlier ones."""
    mine = sa.and_(mailing.c.volume == number.volume, mailing.c.number == number.number)
    query = sa.select(mailing.c.sequence, mailing.c.status).where(mine)
    every = connection.execute(query.order_by(mailing.c.sequence)).all()
    earlier = [row for row in every if row.status != MailingStatus.CANCELLED.value]
    if not earlier:
        # Above 0 a mailing is for those missing, whom a cancelled one may have left.
        return int(every[-1].sequence) + 1 if every and draft.only_missing else 0
    if not draft.only_missing:
        raise errors.MailingError(
            f"issue {number} has a mailing already ({earlier[-1].status})",
            hint=f"`newsletter mailing status {number}` shows it; "
            f"`newsletter mailing send {number} --only-missing` reaches those it did not",
        )
    if any(row.status != MailingStatus.DONE.value for row in earlier):
        raise errors.MailingError(
            f"the mailing of issue {number} is not finished ({earlier[-1].status})",
            hint=f"`newsletter mailing send {number}` goes on with it",
        )
    return int(earlier[-1].sequence) + 1


def _insert(
    connection: sa.Connection, number: numbering.IssueNumber, draft: ports.MailingDraft, sequence: int
) -> int:
    status = MailingStatus.SCHEDULED if draft.due_at else MailingStatus.SENDING
    audience = draft.audience
    values = sa.insert(mailing).values(
        volume=number.volume,
        number=number.number,
        sequence=sequence,
        status=status.value,
        provider=draft.provider,
        rate=draft.rate,
        created_at=draft.now,
        due_at=draft.due_at,
        template_hash=freezing.digest(draft.templates),
        content_hash=draft.content_hash,
        audience={"name": audience.name, "rule": audience.rule, "exclude": audience.exclude},
        planned=0,
        first_delivery_id=0,
        last_delivery_id=0,
    )
    return int(connection.execute(values.returning(mailing.c.id)).scalar_one())


def _freeze_audience(
    connection: sa.Connection,
    number: int,
    audience: ports.Audience,
    *,
    now: datetime,
    missing: numbering.IssueNumber | None,
) -> None:
    """Write one planned delivery for each subscriber of an audience.

    Raises:
        MailingError: there is nobody in it.
    """
    person = subscriber.c
    reason = audience_sql.reason(audience, connection.dialect.name, now=now, more=_more(missing))
    chosen = (
        sa.select(
            sa.literal(number),
            person.id,
            person.email,
            person.domain,
            person.name,
            person.language,
            sa.literal(State.PLANNED.value),
        )
        .where(reason.is_(None))
        .order_by(person.id)
    )
    columns = ["mailing_id", "subscriber_id", "email", "domain", "name", "language", "state"]
    if connection.dialect.name == "sqlite":
        chosen = chosen.add_columns(sa.func.zeroblob(ledger_sql.ROOM))
        columns.append("room")
    connection.execute(sa.insert(delivery).from_select(columns, chosen, include_defaults=False))
    _note_bounds(connection, number, audience)


def _note_bounds(connection: sa.Connection, number: int, audience: ports.Audience) -> None:
    """Note on a mailing how many deliveries it has, and from which to which."""
    row = delivery.c
    bounds = sa.select(sa.func.count(), sa.func.min(row.id), sa.func.max(row.id))
    written, first, last = connection.execute(bounds.where(row.mailing_id == number)).one()
    if not written:
        raise errors.MailingError(
            f"nobody is in the audience “{audience.name}”",
            hint="`newsletter mailing plan` shows who is left out and why",
        )
    connection.execute(
        sa.update(mailing)
        .where(mailing.c.id == number)
        .values(planned=written, first_delivery_id=first, last_delivery_id=last)
    )


def _more(missing: numbering.IssueNumber | None) -> list[tuple[sa.ColumnElement[bool], str]]:
    return [(_has_issue(missing), "has the issue")] if missing else []


def _has_issue(number: numbering.IssueNumber) -> sa.ColumnElement[bool]:
    of_issue = sa.select(mailing.c.id).where(
        mailing.c.volume == number.volume, mailing.c.number == number.number
    )
    # What a cancelled mailing still had planned nobody will get; what it sent stays sent.
    going = of_issue.where(mailing.c.status != MailingStatus.CANCELLED.value)
    will_have = sa.and_(delivery.c.state == State.PLANNED.value, delivery.c.mailing_id.in_(going))
    return sa.exists().where(
        delivery.c.subscriber_id == subscriber.c.id,
        delivery.c.mailing_id.in_(of_issue),
        sa.or_(delivery.c.state.in_([state.value for state in _REACHED]), will_have),
    )
