"""Released revisions are frozen: they import no model and are never edited."""

import ast
import hashlib
from pathlib import Path

import pytest

from tests.support.repository import PROJECT
from tests.support.revisions import contracting_statements, names_a_release, statements_of

ALLOWED_IMPORTS = {
    "alembic",
    "sqlalchemy",
    "shared.runtime.database.alembic_environment.script",
    "shared.runtime.database.frozen_tables",
}
REVISIONS = sorted((PROJECT / "services").glob("*/migrations/[0-9]*.py"))
FROZEN = [*REVISIONS, PROJECT / "shared/runtime/database/frozen_tables.py", PROJECT / "tests/integration/baseline_rows.json"]
LATER = [path for path in REVISIONS if not path.name.startswith("0001")]
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


@pytest.mark.parametrize("path", LATER, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_a_revision_only_expands_unless_it_names_the_release_that_may_contract(path: Path) -> None:
    assert contracting_statements(statements_of(path)) == [] or names_a_release(path)


@pytest.mark.parametrize(
    "operation",
    [
        "op.execute('DROP TABLE notes')",
        "op.drop_table('notes')",
        "op.drop_column('notes', 'text')",
        "op.execute('ALTER TABLE notes DROP COLUMN text, ADD author text')",
        "op.execute('ALTER TABLE notes ADD author text, DROP COLUMN text')",
        "op.rename_table('notes', 'remarks')",
        "op.execute('ALTER TABLE notes RENAME COLUMN text TO words')",
        "op.execute('ALTER TABLE notes ALTER COLUMN text TYPE varchar(10)')",
        "op.alter_column('notes', 'text', nullable=False)",
        "op.execute('ALTER TABLE notes ALTER text DROP DEFAULT')",
        "op.execute('ALTER TABLE notes ADD author text NOT NULL')",
        "op.execute('ALTER TABLE notes ADD author text REFERENCES people')",
        "op.execute('ALTER TABLE notes ADD CONSTRAINT filled CHECK (text <> $$$$)')",
        "op.execute('CREATE UNIQUE INDEX notes_text ON notes (text)')",
        "op.execute('DROP INDEX notes_case')",
        "op.execute('DELETE FROM notes')",
        "op.execute('TRUNCATE notes')",
        "op.execute('UPDATE notes SET text = upper(text)')",
        "op.execute('REVOKE SELECT ON notes FROM jiesu_sla')",
        "op.execute('CREATE TRIGGER t BEFORE INSERT ON notes FOR EACH ROW EXECUTE FUNCTION refuse()')",
    ],
)
def test_a_contracting_revision_is_refused_until_it_names_the_release(operation: str, tmp_path: Path) -> None:
    revision = _written_revision(tmp_path, "", operation)
    assert contracting_statements(statements_of(revision))
    assert not names_a_release(revision)
    assert names_a_release(_written_revision(tmp_path, 'contracts_after = "0.3"', operation))
    assert not names_a_release(_written_revision(tmp_path, 'contracts_after = "soon"', operation))


@pytest.mark.parametrize(
    "operations",
    [
        "op.execute('CREATE TABLE remarks (id text)')\n    op.execute('CREATE UNIQUE INDEX remarks_id ON remarks (id)')",
        "op.execute('ALTER TABLE notes ADD author text')",
        "op.execute('ALTER TABLE notes ADD IF NOT EXISTS author text DEFAULT $$$$ NOT NULL')",
        "op.execute('ALTER TABLE notes ADD author text')\n    op.execute('UPDATE notes SET author = text WHERE author IS NULL')",
        "op.execute('CREATE INDEX notes_text ON notes (text)')",
        "op.execute('DROP INDEX notes_case')\n    op.execute('CREATE INDEX notes_case ON notes (case_id, text)')",
        "op.alter_column('notes', 'text', nullable=True)",
    ],
)
def test_an_expanding_revision_passes(operations: str, tmp_path: Path) -> None:
    assert contracting_statements(statements_of(_written_revision(tmp_path, "", operations))) == []


def _written_revision(folder: Path, constant: str, operations: str) -> Path:
    path = folder / "0002_probe.py"
    path.write_text(f"from alembic import op\n\n{constant}\n\n\ndef upgrade():\n    {operations}\n", encoding="utf-8")
    return path
