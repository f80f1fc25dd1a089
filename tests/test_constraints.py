"""Everything that is installed is pinned, with hashes, and from wherever the machine's index is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REPOSITORY = Path(__file__).parent.parent
FILES = sorted((REPOSITORY / "constraints").glob("*.txt"))
PYTHONS = ("3.11", "3.12", "3.13")


def pins(path: Path) -> dict[str, Requirement]:
    found: dict[str, Requirement] = {}
    for text in re.findall(r"^([a-z0-9][^\\\n]*==[^\\\n]*)", path.read_text(), flags=re.MULTILINE):
        requirement = Requirement(text.strip())
        found[canonicalize_name(requirement.name)] = requirement
    return found


def wanted(path: Path) -> list[str]:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    texts = [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]
    if path.stem == "dev":
        texts += [
            *project["dependency-groups"]["dev"],
            *project["project"]["optional-dependencies"]["postgres"],
        ]
    return texts


def test_both_files_are_there() -> None:
    assert [path.stem for path in FILES] == ["dev", "runtime"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_requirement_is_pinned_to_a_version_that_satisfies_it(path: Path) -> None:
    pinned = pins(path)
    for requirement in map(Requirement, wanted(path)):
        pin = pinned[canonicalize_name(requirement.name)]
        (version,) = (specifier.version for specifier in pin.specifier)
        assert requirement.specifier.contains(version), f"{requirement} against {pin}: run `make constraints`"
        for python in PYTHONS:
            environment = {"python_version": python, "python_full_version": f"{python}.0"}
            assert pin.marker is None or pin.marker.evaluate(environment), f"{pin} leaves out {python}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_pin_has_hashes_and_no_file_names_an_index(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*-", text.replace("    --hash=", ""), flags=re.MULTILINE)
    for name, pin in pins(path).items():
        block = text.split(f"\n{pin.name}=", 1)[-1] if f"\n{pin.name}=" in text else text
        assert "--hash=sha256:" in block.split("\n    #")[0], name


def test_the_two_files_agree() -> None:
    dev, runtime = (pins(path) for path in FILES)
    assert {name: str(pin.specifier) for name, pin in runtime.items()}.items() <= {
        name: str(pin.specifier) for name, pin in dev.items()
    }.items()
