"""Read the settings of a workspace: newsletter.toml, over it .env, the environment, and options."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from newsletter.domain import errors
from newsletter.settings import documents, mistakes, providers, schema
from newsletter.settings.model import Settings
from newsletter.settings.workspace import Workspace


def read(workspace: Workspace, options: Mapping[str, Any] | None = None) -> Settings:
    """Return the settings of a workspace, `options` (nested as the tables are) above everything else.

    Raises:
        SettingsError: something in them cannot hold; it lists everything wrong, with its place.
    """
    toml = documents.read_toml(workspace.settings_file)
    env = documents.read_env(workspace.env_file)
    sources = mistakes.Sources(toml, env, os.environ)
    problems = [*mistakes.secrets(sources), *mistakes.variables(sources), *mistakes.tables(sources)]
    try:
        settings = _layered(workspace, dict(options or {}))(**toml.data)
        problems += mistakes.unknown_provider(sources, settings.delivery.provider, settings.providers)
        for name in settings.delivery.fallback:
            problems += mistakes.unknown_provider(sources, name, settings.providers, key="fallback")
    except ValidationError as error:
        problems += mistakes.values(sources, error)
        problems += _provider_as_written(sources)
        problems = problems or list(_unplaced(error))
    except SourceError as error:
        problems.append(errors.Problem(path="environment", line=0, message=str(error)))
    if problems:
        problems.sort(key=lambda problem: (problem.path, problem.line))
        raise errors.SettingsError(problems, hint="mend these, then `newsletter doctor` looks at the rest")
    return settings


def _unplaced(error: ValidationError) -> Iterator[errors.Problem]:
    """Yield what only all sources together make a mistake, as an option of another kind of provider."""
    for detail in error.errors(include_input=False, include_url=False):
        name = schema.variable(tuple(str(part) for part in detail["loc"] if part not in providers.KINDS))
        yield errors.Problem(path="environment", line=0, message=f"{name}: {detail['msg']}")


def _provider_as_written(sources: mistakes.Sources) -> Iterator[errors.Problem]:
    """Check the name of the provider although other settings do not hold, to say everything at once."""
    delivery, known = sources.toml.data.get("delivery"), sources.toml.data.get("providers")
    if isinstance(delivery, dict) and isinstance(known, dict) and isinstance(delivery.get("provider"), str):
        yield from mistakes.unknown_provider(sources, delivery["provider"], known)


def _layered(workspace: Workspace, options: dict[str, Any]) -> type[Settings]:
    """Return the settings with their order of sources; what was passed in is newsletter.toml, the lowest."""

    class Layered(Settings):
        model_config = SettingsConfigDict(env_file=workspace.env_file)

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            over = InitSettingsSource(settings_cls, options)
            return over, env_settings, dotenv_settings, init_settings

    return Layered
