"""Bring people onto the list, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from newsletter import ports
from newsletter.domain import errors
from newsletter.domain.subscribers import ConsentRecord, How, Status, Subscriber
from newsletter.subscribing import cleaning


def add(
    directory: ports.Directory,
    email: str,
    *,
    name: str = "",
    tags: Sequence[str] = (),
    record: ConsentRecord,
) -> Subscriber:
    """Put somebody on the list with the status of the record that explains it.

    Raises:
        AddressError: it is no address, is on the list already, or must not be mailed.
    """
    address = cleaning.clean(email)
    if reason := directory.is_suppressed(address):
        raise errors.AddressError(
            f"{address} must not be mailed: {reason}",
            hint="only the person can lift that, by subscribing again",
        )
    person = Subscriber(
        email=address,
        status=record.status,
        joined_at=record.at,
        name=" ".join(name.split()),
        tags=tuple(tags),
    )
    return directory.add(person, record)


def added_by_staff(*, confirmed: bool, attest: str, now: datetime) -> ConsentRecord:
    """Return the record of somebody whom staff put on the list."""
    status = Status.ACTIVE if confirmed else Status.PENDING
    return ConsentRecord(status=status, at=now, how=How.STAFF, source="command line", wording=attest)


def known(directory: ports.Directory, email: str) -> Subscriber:
    """Return the subscriber with an address.

    Raises:
        AddressError: nobody on the list has it.
    """
    found = directory.find(cleaning.clean(email))
    if found is None:
        raise errors.AddressError(
            f"{email} is not on the list",
            hint=f"look around with `newsletter subscriber list --text {email[:3]}`",
        )
    return found
