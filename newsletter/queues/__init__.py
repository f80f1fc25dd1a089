"""Queues: how due mailings come to whoever sends them."""
