"""Released revisions are frozen: they import no model and are never edited."""

import ast
import hashlib
from pathlib import Path

import pytest

from tests.support.repository import PROJECT

ALLOWED_IMPORTS = {
    "alembic",
    "sqlalchemy",
    "shared.runtime.database.alembic_environment.script",
    "shared.runtime.database.frozen_tables",
}
REVISIONS = sorted((PROJECT / "services").glob("*/migrations/[0-9]*.py"))
FROZEN = [*REVISIONS, PROJECT / "shared/runtime/database/frozen_tables.py", PROJECT / "tests/integration/baseline_rows.json"]
CHECKSUMS = Path(__file__).with_name("frozen_revisions.sha256")


def checksums() -> dict[str, str]:
    return {name: digest for digest, name in (line.split(maxsplit=1) for line in CHECKSUMS.read_text(encoding="utf-8").splitlines())}


@pytest.mark.parametrize("path", REVISIONS, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_a_revision_imports_no_model(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert names <= ALLOWED_IMPORTS


@pytest.mark.parametrize("service", ["intake", "triage", "sla", "notify", "desk"])
def test_revisions_are_numbered_without_a_gap(service: str) -> None:
    numbers = [path.name[:4] for path in REVISIONS if path.parts[-3] == service]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]


def test_a_released_revision_is_not_edited() -> None:
    """A new revision needs a line here (sha256sum); an existing line never changes."""
    digests = {path.relative_to(PROJECT).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in FROZEN}
    assert digests == checksums()
