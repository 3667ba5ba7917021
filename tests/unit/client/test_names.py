"""Class names of the client: none of them is the name of a class of the platform."""

import re
from pathlib import Path

from tests.support.repository import PROJECT

_CLASS = re.compile(r"^class ([A-Z]\w*)", re.MULTILINE)


def classes_in(folder: Path) -> list[str]:
    return [name for file in folder.rglob("*.py") for name in _CLASS.findall(file.read_text(encoding="utf-8"))]


def test_class_names_of_the_client_are_its_own() -> None:
    names = classes_in(PROJECT / "client" / "jiesu_client") + classes_in(PROJECT / "client" / "examples")
    assert len(names) > 20
    assert len(set(names)) == len(names)
    assert set(names).isdisjoint(
        name for room in ("services", "shared", "cli", "deploy", "simulator") for name in classes_in(PROJECT / room)
    )
