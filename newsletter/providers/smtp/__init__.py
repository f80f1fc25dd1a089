"""An SMTP client made for mailings: a machine without sockets, and the connections that drive it."""
