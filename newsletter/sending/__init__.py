"""Mailings: composed, planned, paced, dispatched, accounted for."""
