"""`newsletter mailing`: plan, send and account for mailings."""

from newsletter.cli import nouns
from newsletter.cli.issue import approving
from newsletter.cli.mailing import accounts, deciding, ordering, sending
from newsletter.cli.mailing.group import app

# An approval is the issue's and is looked for here, too: it is what a mailing waits for.
app.command("approve", epilog=nouns.example("newsletter mailing approve next --as 'Mina Ode'"))(
    approving.approve
)

__all__ = ["accounts", "app", "deciding", "ordering", "sending"]
