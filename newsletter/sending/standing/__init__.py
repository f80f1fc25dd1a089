"""How a sender stands with the world: what DNS, certificates and receivers' rules make of its mail."""
