"""Runs an SQL script inside a revision."""

from alembic import op


def execute_script(script: str) -> None:
    """Execute statements that end with a semicolon at the end of a line; the connection's search path names the schema."""
    # asyncpg prepares each statement and refuses several in one.
    for statement in script.split(";\n"):
        if statement.strip():
            op.execute(statement)
