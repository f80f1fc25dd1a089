"""MJML to HTML by the Rust renderer, wrapped so that nothing it meets can take the process down.

Content never comes here: templates put slots in its place. What is left to guard against is the
template itself, which an editor may have written.
"""

from __future__ import annotations

import functools
import re

from newsletter.domain import errors

#: The largest packaged theme makes 20 KB of source.
_MAX_BYTES = 2_000_000
#: The renderer's stack gives way somewhere between 5,000 and 20,000 nested elements.
_MAX_DEPTH = 200
_TAG = re.compile(r"<!--.*?-->|<(/?)([A-Za-z][\w:-]*)(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?(/?)>", re.DOTALL)
_POSITION = re.compile(r"\s*at position (\d+):\d+")
_VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})


#: Results kept, and the longest source of one: issues that have as much of everything share their skeleton.
_KEPT, _MAX_KEPT = 16, 100_000


def to_html(source: str) -> str:
    """Render MJML source, without web fonts and without includes; the same source is rendered once.

    Raises:
        RenderError: the source is too large, too deep, or not what the renderer takes.
    """
    return _kept(source) if len(source) <= _MAX_KEPT else _rendered(source)


@functools.lru_cache(maxsize=_KEPT)
def _kept(source: str) -> str:
    return _rendered(source)


def forget() -> None:
    """Let go of every result."""
    _kept.cache_clear()


def _rendered(source: str) -> str:
    import mjml

    if not hasattr(mjml, "mjml2html"):
        raise errors.RenderError(
            f"{mjml.__file__} is another package of the name mjml",
            hint="pip uninstall mjml, then pip install --force-reinstall mjml-python",
        )
    _guard(source)
    try:
        # fonts={}: the default options make every mail fetch Google Fonts when a stack names one.
        return str(mjml.mjml2html(source, fonts={}))
    except ValueError as error:
        raise errors.RenderError(
            f"the MJML renderer refuses the template: {_placed(error, source)}"
        ) from error
    except BaseException as error:
        # pyo3's PanicException derives from BaseException alone and cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        raise errors.RenderError(
            f"the MJML renderer broke down on the template: {error}",
            hint="look for a malformed conditional comment: write <!--[if mso]>…<![endif]-->",
        ) from None


def _placed(error: ValueError, source: str) -> str:
    """Return what the renderer said, with the line that its byte offset stands in."""
    said = str(error)
    match = _POSITION.search(said)
    if match is None:
        return said
    before = source.encode()[: int(match[1])].decode("utf-8", "ignore")
    line = (source.splitlines() or [""])[before.count("\n")].strip()
    return f"{said[: match.start()].rstrip()}, at “{line[:200]}”"


def _guard(source: str) -> None:
    if len(source.encode()) > _MAX_BYTES:
        raise errors.RenderError(f"the template makes more than {_MAX_BYTES:,} bytes of MJML")
    if "\0" in source:
        raise errors.RenderError("the template holds a NUL character")
    if source.count("<") - source.count("</") <= _MAX_DEPTH:
        return
    depth = 0
    for closing, name, empty in _TAG.findall(source):
        if not name or empty or name.lower() in _VOID:
            continue
        depth += -1 if closing else 1
        if depth > _MAX_DEPTH:
            raise errors.RenderError(f"the template nests more than {_MAX_DEPTH} elements")
