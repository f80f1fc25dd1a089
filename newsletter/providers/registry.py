"""The kinds of providers by name; each adapter is imported when it is first asked for."""

from __future__ import annotations

import dataclasses
import difflib
import importlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from newsletter import ports
from newsletter.domain import errors

#: Kinds that are email APIs: two pure functions each, carried by `http_api.HttpProvider`.
APIS = ("brevo", "mailgun", "postmark", "resend", "sendgrid", "ses")

#: Kind, as it stands in the settings → where its adapter lives.
KINDS: Mapping[str, str] = {
    "smtp": "newsletter.providers.smtp.provider:Smtp",
    "outbox": "newsletter.providers.outbox:Outbox",
    **{name: f"newsletter.providers.{name}:Api" for name in APIS},
}


def _no_clock() -> datetime:
    raise AssertionError("an email API is built with a clock")


def adapter(kind: str) -> Any:
    """Return the class behind a kind.

    Raises:
        ProviderError: there is no such kind, or a package it needs is not installed.
    """
    try:
        module, _, name = KINDS[kind].partition(":")
    except KeyError:
        raise errors.ProviderError(
            f"there is no provider of the kind “{kind}”", hint=_nearest(kind, KINDS)
        ) from None
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        raise errors.ProviderError(
            f"the provider kind “{kind}” needs the package {error.name}",
            hint=f"pip install 'newsletter[{kind}]'",
        ) from error


def build(kind: str, values: Mapping[str, Any], *, clock: ports.Clock = _no_clock) -> ports.Provider:
    """Make a provider of a kind from its options; secrets are plain text by now.

    The email APIs sign and date their calls by ``clock``.

    Raises:
        ProviderError: the kind or one of the options is unknown, missing or out of range.
    """
    made = adapter(kind)
    known = {field.name: field for field in dataclasses.fields(made.Options)}
    for name in values:
        if name not in known:
            raise errors.ProviderError(
                f"a provider of the kind {kind} has no option “{name}”", hint=_nearest(name, known)
            )
    try:
        ready = made(made.Options(**values))
    except (TypeError, ValueError) as error:
        raise errors.ProviderError(f"a provider of the kind {kind} cannot be set up: {error}") from error
    if kind not in APIS:
        return cast("ports.Provider", ready)
    from newsletter.providers import http_api

    return http_api.HttpProvider(ready, clock=clock)


def _nearest(name: str, known: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
