"""Audit a mailing: does its ledger add up, and what exactly was each person sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from newsletter import ports
from newsletter.domain import deliveries, errors, freezing, messages, publications, tokens
from newsletter.sending.merging import Merging


@dataclass(frozen=True, kw_only=True)
class Audit:
    """Looks at mailings with the eyes of somebody who believes nothing."""

    ledger: ports.Ledger
    publication: publications.Publication
    signer: tokens.Signer

    def problems(self, mailing: deliveries.Mailing) -> Iterator[str]:
        """Yield everything that does not add up in the ledger of a mailing."""
        tally = self.ledger.tally(mailing.id)
        if tally.total != mailing.planned:
            yield f"{mailing.planned:,} deliveries were planned, the states add up to {tally.total:,}"
        people = self.ledger.subscribers(mailing.id)
        if people != tally.total:
            yield f"{tally.total:,} deliveries are for {people:,} different subscribers"
        if freezing.digest(self.ledger.template(mailing.id)) != mailing.template_hash:
            yield "the frozen template is not the one that was planned: its hash differs"
        if tally.open and mailing.status is deliveries.MailingStatus.DONE:
            yield f"the mailing is done, and {tally.open:,} deliveries are open"

    def message(self, mailing: deliveries.Mailing, email: str, *, raw: bool = True) -> messages.Message:
        """Return the message that an address was sent, written again and checked against its hash.

        Raises:
            MailingError: the address is not in the mailing, was sent nothing, or the bytes differ.
        """
        found = next(self.ledger.deliveries(mailing.id, email=email), None)
        if found is None:
            raise errors.MailingError(
                f"{email} is not in the mailing of issue {mailing.number}",
                hint=f"`newsletter mailing who {mailing.number}` lists who is",
            )
        if found.merged_at is None or found.digest is None:
            raise errors.MailingError(
                f"{email} was sent nothing by issue {mailing.number}: the delivery is {found.state}"
            )
        merging = Merging(
            self.ledger.template(mailing.id), self.publication, self.signer, mailing=mailing.id, raw=raw
        )
        claimed = deliveries.Claimed(
            found.id, found.subscriber, found.email, found.name, found.language, found.attempts
        )
        message, digest = merging.merge(claimed, found.merged_at)
        if digest == found.digest:
            return message
        if raw:
            return self.message(mailing, email, raw=False)
        raise errors.MailingError(
            f"the message to {email} cannot be written again as it was sent: its hash differs",
            hint="was the publication's address, or the signing key, changed since?",
        )
