"""The keys that settings may have, read off the models; for suggestions, and for the environment."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, SecretStr

from newsletter.settings import editorial, providers
from newsletter.settings.model import NESTED, PREFIX, Settings

Path = tuple[str, ...]


def model_at(path: Path, document: Mapping[str, Any]) -> Sequence[type[BaseModel]]:
    """Return the models whose keys may follow after `path`; several where a provider's kind is not known."""
    if not path:
        return [Settings]
    if path[0] == "providers":
        if len(path) != 2:
            return []
        options = document.get("providers", {}).get(path[1], {})
        kind = options.get("kind") if isinstance(options, Mapping) else None
        return [providers.KINDS[kind]] if kind in providers.KINDS else list(providers.KINDS.values())
    if path[0] == "feeds":
        return [editorial.Feed] if len(path) == 2 else []
    field = Settings.model_fields.get(path[0]) if len(path) == 1 else None
    kind = field.annotation if field else None
    return [kind] if isinstance(kind, type) and issubclass(kind, BaseModel) else []


def keys_at(path: Path, document: Mapping[str, Any]) -> list[str]:
    """Return the keys that may follow after `path`."""
    return list(dict.fromkeys(name for model in model_at(path, document) for name in model.model_fields))


def nearest(path: Path, document: Mapping[str, Any]) -> str:
    """Return the known key that somebody who wrote `path` may have meant, dotted, or an empty text."""
    near = difflib.get_close_matches(path[-1], keys_at(path[:-1], document), n=1, cutoff=0.6)
    if near:
        return ".".join((*path[:-1], near[0]))
    elsewhere = [known for known in every_path(document) if known[-1] == path[-1]]
    return ".".join(elsewhere[0]) if elsewhere else ""


def every_path(document: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the path of every key that may be set, with the providers that `document` names."""
    for table in Settings.model_fields:
        yield (table,)
        for name in keys_at((table,), document):
            yield (table, name)
    for table in ("providers", "feeds"):
        for named in document.get(table, {}):
            for name in keys_at((table, named), document):
                yield (table, named, name)


def is_secret(path: Path) -> bool:
    """Say whether the key at `path` must not stand in newsletter.toml."""
    if path[0] == "database":
        return False
    models = model_at(path[:-1], {})
    return any(
        path[-1] in model.model_fields and model.model_fields[path[-1]].annotation is SecretStr
        for model in models
    )


def variable(path: Path) -> str:
    """Return the environment variable that sets the key at `path`."""
    return PREFIX + NESTED.join(path).upper()
