"""Tell the staff by mail that a mailing paused by itself, and why."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from newsletter.domain import errors
from newsletter.domain.deliveries import Mailing
from newsletter.sending import notes

_log = logging.getLogger(__name__)


class Postman(Protocol):
    """Sends notes: `notes.Messenger`, in the end."""

    def send(self, note: notes.Note) -> None:
        """Send a note.

        Raises:
            ProviderError: it was not taken.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """Mails the staff. That may fail for the very reason it tells of, and is only logged then."""

    staff: Sequence[str]
    postman: Postman

    def ring(self, mailing: Mailing) -> None:
        """Tell everybody on the staff that a mailing paused."""
        for address in self.staff:
            try:
                self.postman.send(_note(mailing, address))
            except (errors.ProviderError, errors.AddressError) as error:
                _log.warning("the alarm to %s was not taken: %s", address, error, extra={"action": "alarm"})


def _note(mailing: Mailing, address: str) -> notes.Note:
    number = mailing.number
    return notes.Note(
        to=address,
        subject=f"The mailing of issue {number} has paused",
        text=(
            f"The mailing of issue {number} has paused by itself:\n\n    {mailing.reason}\n\n"
            f"How far it came:   newsletter mailing status {number}\n"
            f"To go on with it:  newsletter mailing resume {number}\n"
        ),
    )
