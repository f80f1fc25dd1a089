"""Style as a strict policy wants it: no attributes, only style sheets that it knows by their hash."""

from __future__ import annotations

import base64
import hashlib
import html
import re

_SHEET = re.compile(r"<style[^>]*>(.*?)</style>", re.DOTALL | re.IGNORECASE)
#: Comments, for old Outlook among others, and style sheets are left alone.
_TAG = re.compile(
    r"<!--.*?-->|<style.*?</style>|<[a-z][a-z0-9]*\b(?:\s+[\w:-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'))?)*\s*/?>",
    re.DOTALL | re.IGNORECASE,
)
_STYLE = re.compile(r"\sstyle=(?:\"([^\"]*)\"|'([^']*)')", re.IGNORECASE)
_CLASS = re.compile(r"(\sclass=)([\"'])", re.IGNORECASE)


def outlined(page: str) -> str:
    """Move the style attributes of a mail into a style sheet at the end of its head."""
    rules: dict[str, str] = {}

    def named(match: re.Match[str]) -> str:
        tag = match[0]
        style = None if tag.startswith(("<!", "<style", "<STYLE")) else _STYLE.search(tag)
        if style is None:
            return tag
        declarations = html.unescape(style[1] if style[1] is not None else style[2]).strip()
        name = rules.setdefault(declarations, f"own{len(rules)}")
        tag = tag[: style.start()] + tag[style.end() :]
        if _CLASS.search(tag):
            return _CLASS.sub(rf"\1\2{name} ", tag, count=1)
        return re.sub(r"^<[a-zA-Z0-9]+", lambda start: f'{start[0]} class="{name}"', tag)

    written = _TAG.sub(named, page)
    # Named thrice: what stood in an attribute goes before the mail's own rules for classes.
    sheet = "\n".join(f".{name}.{name}.{name} {{ {_held(rule)} }}" for rule, name in rules.items())
    return into_head(written, f"<style>\n{sheet}\n</style>\n") if rules else written


def policy(page: str) -> str:
    """Return the Content-Security-Policy of a page: its own style sheets, and nothing that runs."""
    hashes = sorted({f"'sha256-{_hash(sheet)}'" for sheet in _SHEET.findall(page)})
    return (
        f"default-src 'none'; style-src 'self' {' '.join(hashes)}; img-src 'self' https:; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )


def into_head(page: str, markup: str) -> str:
    """Put markup at the end of a page's head."""
    before, mark, after = page.partition("</head>")
    return f"{before}{markup}{mark}{after}" if mark else f"{markup}{page}"


def _held(rule: str) -> str:
    """Return declarations that cannot end their rule, nor the style sheet."""
    return rule.replace("<", "").replace("{", "").replace("}", "")


def _hash(sheet: str) -> str:
    return base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
