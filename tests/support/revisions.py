"""Tells revisions that only expand a schema from those that take away what the previous release reads or writes."""

import re
from collections.abc import Collection, Iterator
from io import StringIO
from pathlib import Path
from runpy import run_path
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

CONTRACTING_RELEASE = "contracts_after"
"""The constant of a revision that contracts: the last release that may still run beside it, such as `contracts_after = "0.3"`."""
_NAME = r'"?\w+"?'
_ADD_COLUMN = re.compile(rf"ADD (?:COLUMN )?(?:IF NOT EXISTS )?{_NAME} (?P<definition>.*)")
_BOUND = re.compile(r"\b(CHECK|UNIQUE|REFERENCES|PRIMARY KEY|CONSTRAINT|GENERATED)\b")
_HARMLESS = (
    # No statement of the previous release depends on these.
    re.compile(rf"ALTER TABLE {_NAME} ALTER (COLUMN )?{_NAME} (SET DEFAULT .+|DROP NOT NULL|SET STORAGE \w+)"),
    re.compile(rf"ALTER TABLE {_NAME} SET \(.*\)"),
    re.compile(r"CREATE FUNCTION .*"),
    re.compile(r"COMMENT ON .*"),
)
_CREATE_TABLE = re.compile(rf"CREATE TABLE (IF NOT EXISTS )?(?P<table>{_NAME}) .*")
_ALTER_TABLE = re.compile(rf"ALTER TABLE (IF EXISTS )?(?P<table>{_NAME}) (?P<change>.*)")
_CREATE_INDEX = re.compile(rf"CREATE (?P<unique>UNIQUE )?INDEX (IF NOT EXISTS )?(?P<index>{_NAME}) ON (?P<table>{_NAME}) .*")
_DROP_INDEX = re.compile(rf"DROP INDEX (IF EXISTS )?(?P<index>{_NAME})")
_UPDATE = re.compile(rf"UPDATE (?P<table>{_NAME}) SET (?P<sets>.*?)(?: FROM .*| WHERE .*|)")


def statements_of(revision: Path) -> list[str]:
    """The statements that `upgrade` of a revision executes, each on one line, without running them."""
    output = StringIO()
    options: dict[str, Any] = {"as_sql": True, "output_buffer": output}
    with Operations.context(MigrationContext.configure(dialect_name="postgresql", opts=options)):
        run_path(str(revision))["upgrade"]()
    return [" ".join(part.split()) for part in output.getvalue().split(";\n") if part.strip()]


def contracting_statements(statements: Collection[str]) -> list[str]:
    """The statements that are not known to leave every statement of the previous release as it is."""
    tables = {match["table"] for statement in statements if (match := _CREATE_TABLE.fullmatch(statement))}
    indexes = {match["index"] for statement in statements if (match := _CREATE_INDEX.fullmatch(statement))}
    columns = set(_added_columns(statements))
    return [statement for statement in statements if not _expands(statement, tables, indexes, columns)]


def names_a_release(revision: Path) -> bool:
    """Whether the revision says which release may contract."""
    return bool(re.fullmatch(r"\d+(\.\d+)+", str(run_path(str(revision)).get(CONTRACTING_RELEASE, ""))))


def _added_columns(statements: Collection[str]) -> Iterator[tuple[str, str]]:
    for statement in statements:
        if (match := _ALTER_TABLE.fullmatch(statement)) and (added := _ADD_COLUMN.fullmatch(match["change"])):
            yield match["table"], added[0].removesuffix(added["definition"]).split()[-1]


def _expands(statement: str, tables: set[str], indexes: set[str], columns: set[tuple[str, str]]) -> bool:
    if _CREATE_TABLE.fullmatch(statement) or any(pattern.fullmatch(statement) for pattern in _HARMLESS):
        return True
    if index := _CREATE_INDEX.fullmatch(statement):
        # A unique index on a table with rows refuses what the previous release may write.
        return index["unique"] is None or index["table"] in tables
    if dropped := _DROP_INDEX.fullmatch(statement):
        return dropped["index"] in indexes
    if update := _UPDATE.fullmatch(statement):
        return all((update["table"], name) in columns for name in re.findall(r"(\w+) = ", update["sets"]))
    if altered := _ALTER_TABLE.fullmatch(statement):
        return altered["table"] in tables or _adds_column(altered["change"])
    return False


def _adds_column(change: str) -> bool:
    added = _ADD_COLUMN.fullmatch(change)
    if added is None or _BOUND.search(added["definition"]) or re.search(r", (ADD|DROP|ALTER|RENAME) ", added["definition"]):
        return False
    # The previous release does not name the column in what it inserts.
    return "NOT NULL" not in added["definition"] or "DEFAULT" in added["definition"]
