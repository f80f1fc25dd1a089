"""`newsletter subscriber`: keep the subscribers and their consent."""

from newsletter.cli.subscriber import changing, giving, keeping, taking_in
from newsletter.cli.subscriber.group import app

__all__ = ["app", "changing", "giving", "keeping", "taking_in"]
