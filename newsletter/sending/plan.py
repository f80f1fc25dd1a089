"""Plan a mailing: who would get it, who is left out and why, and whether it may go out at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from newsletter import ports
from newsletter.domain import deliveries, errors
from newsletter.domain.deliveries import Mailing, MailingStatus, State
from newsletter.sending import clearance, owners, proofs


@dataclass(frozen=True, kw_only=True)
class Order:
    """What somebody asks for: which issue, to whom, by which provider, how fast, when."""

    proof: proofs.Proof
    audience: ports.Audience = field(default_factory=ports.Audience)
    provider: str
    rate: float = 0
    due_at: datetime | None = None
    #: Only subscribers that no earlier mailing of the issue reached.
    only_missing: bool = False


def resume(ledger: ports.Ledger, found: Mailing, *, now: datetime) -> Mailing:
    """Let a stopped mailing go on: at its time, where that has not come and nothing was tried yet.

    Raises:
        MailingError: it is over already.
    """
    if found.due_at is not None and found.due_at > now and _is_untried(ledger.tally(found.id)):
        return ledger.set_status(found.id, MailingStatus.SCHEDULED, now=now)
    return ledger.begin(found.id, now=now)


def _is_untried(tally: deliveries.Tally) -> bool:
    """Say whether every delivery waits for its first try: a schedule plans them anew."""
    return tally.states.get(State.PLANNED, 0) == tally.total and tally.next_try is None


@dataclass(frozen=True, kw_only=True)
class Planner:
    """Makes mailings out of orders, or says why not."""

    ledger: ports.Ledger
    clearance: clearance.Clearance
    #: Send what nobody approved.
    skip_approval: bool = False
    #: Refuses an order whose provider cannot carry its messages.
    require_fitness: Callable[[Order], None] = lambda order: None

    def preview(self, order: Order, *, now: datetime) -> deliveries.Plan:
        """Count who would get the issue, and who is left out and why; nothing is written.

        Raises:
            MailingError: the provider cannot carry its messages.
        """
        self.require_fitness(order)
        missing = order.proof.number if order.only_missing else None
        included, left_out = self.ledger.preview(order.audience, now=now, missing=missing)
        return deliveries.Plan(
            number=order.proof.number, audience=order.audience.name, included=included, left_out=left_out
        )

    def plan(self, order: Order, *, now: datetime) -> Mailing:
        """Freeze an order into a mailing.

        Raises:
            ApprovalError: the issue is not approved, or was edited since.
            MailingError: nobody is in the audience, the time is past, there is a mailing already, or the
                provider cannot carry its messages.
        """
        if order.due_at is not None and order.due_at <= now:
            raise errors.MailingError(
                f"{order.due_at:%Y-%m-%d %H:%M %Z} is past",
                hint=f"`newsletter mailing send {order.proof.number}` sends it now",
            )
        self.require_clearance(order.proof)
        self.require_fitness(order)
        return self.ledger.plan(
            ports.MailingDraft(
                templates=order.proof.templates,
                audience=order.audience,
                provider=order.provider,
                now=now,
                rate=order.rate,
                due_at=order.due_at,
                content_hash=order.proof.digest,
                only_missing=order.only_missing,
            )
        )

    def require_clearance(self, proof: proofs.Proof) -> None:
        """Return quietly when an issue may go out.

        Raises:
            ApprovalError: it is not approved, or was edited since.
        """
        if not self.skip_approval:
            self.clearance.require(proof)

    def resumable(self, proof: proofs.Proof, *, only_missing: bool, now: datetime) -> Mailing | None:
        """Return the mailing of an issue to go on with, or None where there is one to plan.

        Raises:
            MailingError: it is finished, or another process is sending it this moment.
        """
        found = self.ledger.mailing(proof.number)
        if found is None or (found.status is MailingStatus.DONE and only_missing):
            return None
        if found.status is MailingStatus.DONE:
            when = f" on {found.finished_at:%Y-%m-%d at %H:%M} UTC" if found.finished_at else ""
            raise errors.MailingError(
                f"issue {proof.number} was sent{when}",
                hint=f"`newsletter mailing send {proof.number} --only-missing` reaches those it did not",
            )
        self._refuse_edited(found, proof)
        self._refuse_running(found, now)
        return found

    def _refuse_edited(self, found: Mailing, proof: proofs.Proof) -> None:
        """Refuse to begin with a content that is not the issue's any more; one that began goes on with it."""
        if found.status is MailingStatus.SCHEDULED and found.content_hash != proof.digest:
            raise errors.ApprovalError(
                f"issue {proof.number} was edited since its mailing was scheduled",
                hint=f"`newsletter mailing cancel {proof.number}`, approve it again, then schedule it again",
            )

    def _refuse_running(self, found: Mailing, now: datetime) -> None:
        for sender in self.ledger.senders(found.id):
            if sender.until > now and not owners.is_dead(sender.owner) and sender.owner != owners.own():
                host, pid, _ = sender.owner.rsplit(":", 2)
                raise errors.MailingError(
                    f"issue {found.number} is being sent already, by process {pid} on {host}",
                    hint=f"`newsletter mailing status {found.number} --watch` shows how far it is",
                )
