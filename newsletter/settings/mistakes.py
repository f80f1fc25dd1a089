"""Turn what is wrong with settings into problems with a place and a way out."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from newsletter.domain.errors import Problem
from newsletter.settings import providers, schema
from newsletter.settings.documents import Document
from newsletter.settings.model import NESTED, PREFIX, Settings

if TYPE_CHECKING:
    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

_SECRET = re.compile(r"password|passwd|secret|token|api_?key|signing_?key", re.IGNORECASE)
_EXPECTED = {
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "bool": "true or false",
    "string": "a text in quotes",
    "date": "a date such as 2022-01-14",
    "model": "a table",
    "dict": "a table",
}


class Sources:
    """Where the settings of one reading came from, to name the place of a mistake."""

    def __init__(self, toml: Document, env: Document, environ: Mapping[str, str]) -> None:
        self.toml, self.env = toml, env
        self.environ = {name.upper() for name in environ if name.upper().startswith(PREFIX)}

    def problem(self, path: schema.Path, message: str) -> Problem:
        """Return a problem with a key, placed where its value was set."""
        name = schema.variable(path)
        if name in self.environ:
            return Problem(path="environment", line=0, message=f"{name}: {message}")
        if line := self.env.lines.get((name,)):
            return Problem(path=self.env.path, line=line, message=f"{name}: {message}")
        return Problem(path=self.toml.path, line=self.toml.line(path), message=f"{'.'.join(path)}: {message}")


def secrets(sources: Sources) -> Iterator[Problem]:
    """Yield a problem for every secret that stands in newsletter.toml; the secret is not repeated."""
    for path, value in _leaves(sources.toml.data):
        in_url = path == ("database", "url") and isinstance(value, str) and urlsplit(value).password
        if in_url or schema.is_secret(path) or _SECRET.search(path[-1]):
            yield Problem(
                path=sources.toml.path,
                line=sources.toml.line(path),
                message=f"{'.'.join(path)}: secrets do not belong into a file that git keeps; "
                f"set {schema.variable(path)} in .env or the environment",
            )


def _leaves(table: Mapping[str, Any], path: schema.Path = ()) -> Iterator[tuple[schema.Path, Any]]:
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value


def variables(sources: Sources) -> Iterator[Problem]:
    """Yield a problem for every variable with our prefix that sets nothing."""
    known = {schema.variable(path) for path in schema.every_path(sources.toml.data)}
    for name in sorted(sources.environ | {name for (name,) in sources.env.lines if name.startswith(PREFIX)}):
        if name in known or _sets_new_provider(name):
            continue
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        message = f"{name}: unknown{_meant(near[0] if near else '')}"
        line = sources.env.lines.get((name,), 0)
        in_file = line and name not in sources.environ
        yield Problem(
            path=sources.env.path if in_file else "environment", line=line if in_file else 0, message=message
        )


def _sets_new_provider(name: str) -> bool:
    path = tuple(name.removeprefix(PREFIX).lower().split(NESTED))
    known = {field for kind in providers.KINDS.values() for field in kind.model_fields}
    return len(path) == 3 and path[0] == "providers" and path[2] in known


def values(sources: Sources, error: ValidationError) -> Iterator[Problem]:
    """Yield a problem for every value that does not hold."""
    for detail in error.errors(include_url=False):
        path = _path(detail["loc"])
        if detail["type"] != "extra_forbidden":
            yield sources.problem(path, _message(detail))
        elif path in sources.toml.lines and not _SECRET.search(path[-1]):
            # `variables` speaks of those that the environment sets, `secrets` of those that hide something.
            yield _unknown(sources, path)


def tables(sources: Sources) -> Iterator[Problem]:
    """Yield a problem for every table or key at the top of newsletter.toml that nothing knows."""
    for name in sources.toml.data:
        if name not in Settings.model_fields:
            yield _unknown(sources, (name,))


def _unknown(sources: Sources, path: schema.Path) -> Problem:
    meant = _meant(schema.nearest(path, sources.toml.data))
    return Problem(
        path=sources.toml.path, line=sources.toml.line(path), message=f"{'.'.join(path)}: unknown key{meant}"
    )


def _path(location: Sequence[int | str]) -> schema.Path:
    """Drop what is not a key: the tag of a provider's kind, and the mark of a bad key."""
    parts = [str(part) for part in location if part != "[key]"]
    if len(parts) > 2 and parts[0] == "providers" and parts[2] in providers.KINDS:
        del parts[2]
    return tuple(parts)


def _meant(key: str) -> str:
    return f"; did you mean {key}?" if key else ""


def _message(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return "is needed, and nothing sets it"
    if kind in {"union_tag_not_found", "union_tag_invalid"}:
        tag = f"unknown kind {context['tag']!r}" if "tag" in context else "kind is needed"
        return f"{tag}; known kinds: {', '.join(providers.KINDS)}"
    if kind == "value_error":
        return str(context["error"])
    if kind == "string_pattern_mismatch":
        return "expected a name of small letters, digits and _"
    expected = _EXPECTED.get(kind.split("_")[0])
    if expected and kind.endswith(("_type", "_parsing", "_from_float", "_datetime_parsing")):
        return f"expected {expected}"
    return detail["msg"].replace("Input should be", "expected")


def unknown_provider(
    sources: Sources, name: str, known: Collection[str], *, key: str = "provider"
) -> Iterator[Problem]:
    """Yield a problem when deliveries should go through a provider that is not described."""
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
        message = f"there is no [providers.{name}]{_meant(near[0] if near else '')}"
        yield sources.problem(("delivery", key), message)
