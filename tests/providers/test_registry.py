"""Kinds of providers by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from newsletter.domain import errors
from newsletter.providers import registry
from newsletter.providers.outbox import Outbox


@pytest.mark.parametrize("kind", registry.KINDS)
def test_every_kind_leads_to_a_class_with_options(kind: str) -> None:
    assert registry.adapter(kind).Options


def test_a_provider_is_built_from_its_options(tmp_path: Path) -> None:
    assert isinstance(registry.build("outbox", {"path": tmp_path}), Outbox)


def test_an_unknown_kind_names_the_nearest() -> None:
    with pytest.raises(errors.ProviderError, match="“smpt”") as caught:
        registry.build("smpt", {})
    assert caught.value.hint == "did you mean smtp?"


def test_an_unknown_kind_that_resembles_none_names_all() -> None:
    with pytest.raises(errors.ProviderError) as caught:
        registry.build("pigeon", {})
    assert caught.value.hint == f"known are {', '.join(sorted(registry.KINDS))}"


def test_an_unknown_option_names_the_nearest() -> None:
    with pytest.raises(errors.ProviderError, match="no option “pasword”") as caught:
        registry.build("smtp", {"host": "127.0.0.1", "pasword": "x"})
    assert caught.value.hint == "did you mean password?"


def test_a_missing_option_is_an_error() -> None:
    with pytest.raises(errors.ProviderError, match="host"):
        registry.build("smtp", {})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"port": 0}, "port is 0"),
        ({"connections": 0}, "connections is 0"),
        ({"security": "ssl"}, "'ssl' is not a valid Security"),
        ({"username": "anna"}, "needs a password too"),
    ],
)
def test_an_option_out_of_range_is_an_error(values: dict[str, object], message: str) -> None:
    with pytest.raises(errors.ProviderError, match=message):
        registry.build("smtp", {"host": "127.0.0.1", **values})


def test_a_password_is_never_shown() -> None:
    made = registry.adapter("smtp").Options(host="x.example.org", username="anna", password="s3cret")
    assert "s3cret" not in repr(made)


def test_naming_the_kinds_imports_no_adapter() -> None:
    code = "import sys, newsletter.providers.registry; print([m for m in sys.modules if 'smtp' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
