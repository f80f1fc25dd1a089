"""Rendering: from an issue and a theme to HTML, plain text and the bytes of each message."""
