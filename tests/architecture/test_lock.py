"""requirements.lock pins exactly the requirements of pyproject.toml, with hashes; checked without a registry."""

import re
import tomllib
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.repository import PROJECT

REMEDY = "run `make lock`"


def direct_requirements() -> list[Requirement]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    return [requirement for requirement in map(Requirement, lines) if requirement.name != project["name"]]


def entries(name: str) -> Iterator[tuple[str, str, str]]:
    """Name, version and the rest (hashes, origin) of every pinned package."""
    text = (PROJECT / name).read_text(encoding="utf-8")
    for block in re.split(r"^(?=[a-z0-9])", text, flags=re.MULTILINE):
        if match := re.match(r"([\w.-]+)==([^\s;]+)", block):
            yield canonicalize_name(match[1]), match[2], block


def test_every_requirement_is_pinned_within_its_bounds() -> None:
    pinned = {name: version for name, version, _ in entries("requirements.lock")}
    missing = [str(wanted) for wanted in direct_requirements() if pinned.get(canonicalize_name(wanted.name), "") not in wanted.specifier]
    assert missing == [], REMEDY


def test_every_pin_belongs_to_a_requirement() -> None:
    claimed = {
        name for name, _, block in entries("requirements.lock") if re.search(r"^\s+#\s+(via )?jiesu \(pyproject", block, re.MULTILINE)
    }
    assert claimed == {canonicalize_name(wanted.name) for wanted in direct_requirements()}, REMEDY


@pytest.mark.parametrize("name", ["requirements.lock", "deploy/uv.txt"])
def test_every_pinned_package_has_hashes(name: str) -> None:
    assert [package for package, _, block in entries(name) if "--hash=sha256:" not in block] == []


def test_the_pinned_uv_satisfies_its_requirement() -> None:
    [(name, version, _)] = entries("deploy/uv.txt")
    assert (PROJECT / "deploy/uv.in").read_text(encoding="utf-8").strip() == f"{name}=={version}"
