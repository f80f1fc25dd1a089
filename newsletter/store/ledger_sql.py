"""The statements of the ledger's hot path, in each database's own words."""

from __future__ import annotations

from dataclasses import dataclass, replace

#: Bytes that a planned delivery keeps free on SQLite for what its settling writes, and those that are left of
#: them once it is claimed: a row that grows splits its page, which costs more than the writing.
ROOM, CLAIMED_ROOM = 100, "zeroblob(80)"

_PERSON = "FROM delivery d LEFT JOIN subscriber s ON s.id = d.subscriber_id\n"
# NULL for somebody who may still be mailed.
_OBSTACLE = """
CASE WHEN s.status = 'active' AND (s.paused_until IS NULL OR s.paused_until <= ?)
          AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.value = s.email_key)
          AND NOT EXISTS (SELECT 1 FROM suppression x WHERE x.value = s.domain)
     THEN NULL ELSE 1 END
"""
_ROW = "SELECT d.id, d.subscriber_id, d.email, d.name, d.language, d.attempts, "


@dataclass(frozen=True, kw_only=True)
class Statements:
    """What one turn says to the database, by its purpose."""

    #: Starts a writing transaction; empty where the driver does it by itself.
    begin: str
    #: (mailing, owner, until) → id
    hold: str
    #: (mailing) → status, whether nothing of it was sent yet, first and last id of its deliveries
    status: str
    #: (at, mailing)
    note_first: str
    #: (state, attempts, first_tried_at, reply, provider_id, settled_at, not_before, merged_at, digest,
    #: id, lease)
    settle: str
    #: (attempts, first_tried_at, reply, provider_id, settled_at, merged_at, digest, id, lease), of what was
    #: sent, where nobody took the sender for dead meanwhile; empty where `settle` is as quick.
    sent: str
    #: (state, not_before, id, lease)
    release: str
    #: (now, mailing, now, limit) → rows whose time came again, with what stands in the way of each
    again: str
    #: (now, first id, last id, mailing, limit) → rows never tried, with that in the place of the first try
    fresh: str
    #: (id) → status and suppression of its subscriber
    person: str
    #: (mailing) → the earliest time at which one comes due again
    next_due: str
    #: (lease, id)
    claim: str
    #: (lease, first id, last id, mailing): every row between them that was never tried; empty where other
    #: senders hold some.
    claim_fresh: str
    #: (reason, settled_at, id)
    skip: str
    #: Whether settle, release, claim and skip take many rows at once, as one array for each column.
    by_columns: bool = False


# The plus keeps the planner from the index of mailings, which would have to be sorted.
_NEVER_TRIED = "BETWEEN ? AND ? AND +{0}mailing_id = ? AND {0}state = 'planned' AND {0}not_before IS NULL"

# A receipt that comes after its sender was taken for dead still counts while nobody else
# claimed the delivery: then the lease in the row is still the old one.
# CASE rather than IN, for which SQLite builds a table in memory every time.
_MINE = (
    "WHERE id = ? AND lease_id = ?"
    " AND CASE state WHEN 'sending' THEN 1 WHEN 'unknown' THEN 1 WHEN 'planned' THEN 1 ELSE 0 END = 1"
)

SQLITE = Statements(
    begin="BEGIN IMMEDIATE",
    hold="INSERT INTO lease (mailing_id, owner, until) VALUES (?, ?, ?)"
    " ON CONFLICT (mailing_id, owner) DO UPDATE SET until = excluded.until RETURNING id",
    status="SELECT status, first_sent_at IS NULL, first_delivery_id, last_delivery_id"
    " FROM mailing WHERE id = ?",
    note_first="UPDATE mailing SET first_sent_at = ? WHERE id = ? AND first_sent_at IS NULL",
    settle="UPDATE delivery SET state = ?, attempts = ?, first_tried_at = ?, reply = ?, provider_id = ?,"
    f" settled_at = ?, not_before = ?, merged_at = ?, digest = ?, room = NULL {_MINE}",
    sent="UPDATE delivery SET state = 'sent', attempts = ?, first_tried_at = ?, reply = ?, provider_id = ?,"
    " settled_at = ?, not_before = NULL, merged_at = ?, digest = ?, room = NULL"
    " WHERE id = ? AND lease_id = ? AND state = 'sending'",
    release=f"UPDATE delivery SET state = ?, not_before = ? {_MINE}",
    again=f"{_ROW} d.first_tried_at, {_OBSTACLE} {_PERSON}"
    " WHERE d.mailing_id = ? AND d.state = 'planned' AND d.not_before IS NOT NULL"
    " AND d.not_before <= ? ORDER BY d.not_before, d.id LIMIT ?",
    fresh=f"{_ROW} {_OBSTACLE} {_PERSON} WHERE d.id {_NEVER_TRIED.format('d.')} ORDER BY d.id LIMIT ?",
    person="SELECT s.status,"
    " COALESCE((SELECT x.reason FROM suppression x WHERE x.value = s.email_key LIMIT 1),"
    f" (SELECT x.reason FROM suppression x WHERE x.value = s.domain LIMIT 1)) {_PERSON} WHERE d.id = ?",
    next_due="SELECT min(not_before) FROM delivery"
    " WHERE mailing_id = ? AND state = 'planned' AND not_before IS NOT NULL",
    claim="UPDATE delivery SET state = 'sending', lease_id = ? WHERE id = ?",
    claim_fresh=f"UPDATE delivery SET state = 'sending', lease_id = ?, room = {CLAIMED_ROOM}"
    f" WHERE id {_NEVER_TRIED.format('')}",
    skip="UPDATE delivery SET state = 'skipped', reply = ?, settled_at = ? WHERE id = ?",
)


def _percent(statement: str) -> str:
    return statement.replace("?", "%s")


def _by_columns(setting: str, columns: str, where: str = "") -> str:
    """Write an update of many rows in one statement: asked one by one, they would cost twice the time.

    ``columns`` are the names and types of its values, as ``unnest`` wants them.
    """
    pairs = [column.split() for column in columns.split(", ")]
    arrays = ", ".join(f"%s::{kind}[]" for _, kind in pairs)
    names = ", ".join(name for name, _ in pairs)
    return f"UPDATE delivery d SET {setting} FROM unnest({arrays}) AS v ({names}) WHERE d.id = v.id{where}"


_MINE_BY_COLUMNS = " AND d.lease_id = v.lease_id AND d.state IN ('sending', 'unknown', 'planned')"
_LOCK = " FOR UPDATE OF d SKIP LOCKED"
_AS_INDEXED = " BY d.mailing_id, d.not_before, d.id"

POSTGRESQL = replace(
    SQLITE,
    begin="",
    hold=_percent(SQLITE.hold),
    status=_percent(SQLITE.status),
    note_first=_percent(SQLITE.note_first),
    settle=_by_columns(
        "state = v.state, attempts = v.attempts, first_tried_at = v.first_tried_at, reply = v.reply,"
        " provider_id = v.provider_id, settled_at = v.settled_at, not_before = v.not_before,"
        " merged_at = v.merged_at, digest = v.digest",
        "state text, attempts int, first_tried_at bigint, reply text, provider_id text, settled_at bigint,"
        " not_before bigint, merged_at bigint, digest bytea, id bigint, lease_id bigint",
        _MINE_BY_COLUMNS,
    ),
    release=_by_columns(
        "state = v.state, not_before = v.not_before",
        "state text, not_before bigint, id bigint, lease_id bigint",
        _MINE_BY_COLUMNS,
    ),
    sent="",
    again=_percent(SQLITE.again) + _LOCK,
    # In the order of ix_delivery_again: by id alone, all that are left would be joined and sorted each time.
    fresh=_percent(SQLITE.fresh).replace("+d.", "d.").replace(" BY d.id", _AS_INDEXED) + _LOCK,
    person=_percent(SQLITE.person),
    next_due=_percent(SQLITE.next_due),
    claim_fresh="",
    claim=_by_columns("state = 'sending', lease_id = v.lease_id", "lease_id bigint, id bigint"),
    skip=_by_columns(
        "state = 'skipped', reply = v.reply, settled_at = v.settled_at",
        "reply text, settled_at bigint, id bigint",
    ),
    by_columns=True,
)
