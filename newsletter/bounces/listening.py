"""Hear of mail when it comes: a thread that waits at the mailbox and says when it is worth looking.

Where the mailbox cannot tell, as POP3 or a server without IDLE, the thread ends, and whoever looks every so
often has to do.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable

from newsletter.bounces.bell import Bell
from newsletter.bounces.mailbox import Mailbox
from newsletter.domain import errors

_log = logging.getLogger(__name__)
#: Seconds of one wait. RFC 2177 asks for a new IDLE before 29 minutes; home routers and firewalls forget a
#: silent connection sooner, and without an answer to DONE the loss shows.
_ROUND = 9 * 60.0
#: Seconds after news: bounces come in flocks, and a flock is read in one go.
_LULL = 1.0
#: Seconds before a mailbox that failed is tried again: doubled each time, up to the longest.
_REST, _LONGEST_REST = 30.0, 15 * 60.0
#: Seconds that the end waits for a look under way, which leaves what is undone in the mailbox, and for a
#: server that does not answer.
_DRAIN, _SILENCE = 10.0, 0.5


class Listener:
    """Waits for mail in a thread of its own, and calls when some has come."""

    def __init__(
        self,
        open_mailbox: Callable[[Bell], Mailbox],
        call: Callable[[], object],
        *,
        seconds: float = _ROUND,
        lull: float = _LULL,
    ) -> None:
        """``open_mailbox`` is called anew after each failure; what ``call`` raises is logged.

        ``seconds`` is how long one wait lasts, ``lull`` how long more mail is waited for after the first.
        """
        self._open = open_mailbox
        self._call = call
        self._bell = Bell()
        self._seconds, self._lull = seconds, lull
        self._failures = 0
        self._looking = False
        self._thread = threading.Thread(target=self._run, name="returned mail", daemon=True)

    def start(self) -> None:
        """Begin to listen; what came before is told first."""
        self._thread.start()

    def stop(self) -> None:
        """End the wait, let a look under way finish, and leave the mailbox."""
        if self._thread.is_alive():
            self._bell.ring()
            self._thread.join(_SILENCE)
            if self._looking:
                self._thread.join(_DRAIN)
        if not self._thread.is_alive():
            self._bell.close()

    def _run(self) -> None:
        while not self._bell.rung:
            try:
                self._listen()
            except errors.MailboxError as error:
                self._bell.wait(self._rest_after(error))
            else:
                return

    def _rest_after(self, error: errors.MailboxError) -> float:
        rest = min(_REST * (1 << min(self._failures, 10)), _LONGEST_REST)
        self._failures += 1
        _log.warning(
            "mails that come back are not told of, again in %.1f min: %s",
            rest / 60,
            error,
            extra={"action": "bounces"},
        )
        return rest

    def _listen(self) -> None:
        """Listen until the bell rings; return at once where the mailbox tells nothing."""
        box = self._open(self._bell)
        try:
            if not box.tells() or self._bell.rung:
                return
            # A mailbox tells of what comes from now on; the rest came while nobody listened.
            self._look()
            while not self._bell.rung:
                news = box.wait(self._seconds)
                # It kept the connection for a whole wait, or told something: the trouble is over.
                self._failures = 0
                if news and not self._bell.wait(self._lull):
                    self._look()
        finally:
            with contextlib.suppress(errors.MailboxError):
                box.close()

    def _look(self) -> None:
        self._looking = True
        try:
            self._call()
        except Exception as error:
            # One bad day of the database must not end the thread for as long as the service runs.
            _log.error("mails that came back: %s", error, extra={"action": "bounces"})
        finally:
            self._looking = False
