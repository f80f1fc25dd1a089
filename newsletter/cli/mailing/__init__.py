"""`newsletter mailing`: plan, send and account for mailings."""

from newsletter.cli.mailing import accounts, deciding, ordering, sending
from newsletter.cli.mailing.group import app

__all__ = ["accounts", "app", "deciding", "ordering", "sending"]
