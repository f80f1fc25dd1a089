"""Draft, check, send and account for a newsletter of record."""

__version__ = "0.1.0"
