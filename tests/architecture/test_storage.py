"""A service's SQL is in its `storage/` and `migrations/` only."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.repository import PROJECT, relative_name

SERVICES = sorted(path.name for path in (PROJECT / "services").iterdir() if (path / "__init__.py").exists())
STATEMENT = re.compile(
    r"\s*(SELECT|INSERT INTO|UPDATE\s+\S+\s+SET|DELETE FROM|WITH\s+\S+\s+AS|TRUNCATE|LOCK TABLE|COPY|CREATE|ALTER|DROP)\b", re.MULTILINE
)
TRANSACTION_METHODS = {"fetch", "fetchrow", "fetchval", "execute", "executemany", "copy_rows"}


def is_statement(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and STATEMENT.match(node.value) is not None


def is_query(node: ast.AST) -> bool:
    """Whether a method of `Transaction` is awaited: awaited, since a CEL program has a method `execute` too."""
    call = node.value if isinstance(node, ast.Await) else None
    return isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in TRANSACTION_METHODS


def sql_in(tree: ast.AST) -> list[int]:
    """The line numbers of SQL texts and queries."""
    return sorted({getattr(node, "lineno", 0) for node in ast.walk(tree) if is_statement(node) or is_query(node)})


def modules_with_sql(folder: Path) -> dict[str, list[int]]:
    lines = {path: sql_in(ast.parse(path.read_text(encoding="utf-8"))) for path in sorted(folder.rglob("*.py"))}
    return {relative_name(path): numbers for path, numbers in lines.items() if numbers}


@pytest.mark.parametrize("service", SERVICES)
def test_sql_of_a_service_is_in_its_storage(service: str) -> None:
    allowed = tuple(f"services/{service}/{folder}/" for folder in ("storage", "migrations"))
    found = modules_with_sql(PROJECT / "services" / service)
    assert {name: lines for name, lines in found.items() if not name.startswith(allowed)} == {}


@pytest.mark.parametrize("service", SERVICES)
def test_sql_is_recognised(service: str) -> None:
    assert modules_with_sql(PROJECT / "services" / service / "storage"), "every service stores something: the patterns are wrong"


@pytest.mark.parametrize(
    "source",
    [
        'X = "SELECT 1"',
        'X = f"DELETE FROM {table}"',
        'X = """\nUPDATE cases SET head = $1\n"""',
        'X = "WITH due AS (SELECT 1)"',
        "async def f(tx): await tx.fetchval(STATEMENT)",
    ],
)
def test_statements_and_calls_are_found(source: str) -> None:
    assert sql_in(ast.parse(source))


def test_prose_is_not_sql() -> None:
    assert not sql_in(ast.parse('X = "select a department"\nY = "Update the case"\nprogram.execute(context)'))
