"""Saved views: filters under a name of the person's own."""

from collections.abc import Mapping

import orjson

from shared.runtime.database.database import Transaction

MAX_VIEWS = 30


async def list_views(tx: Transaction, person: str) -> dict[str, dict[str, str]]:
    """Name → parameters of the person's views, by name."""
    rows = await tx.fetch("SELECT name, parameters FROM saved_view WHERE person = $1 ORDER BY name", person)
    return {row["name"]: orjson.loads(row["parameters"]) for row in rows}


async def save_view(tx: Transaction, person: str, name: str, parameters: Mapping[str, str]) -> bool:
    """Save or replace a view; False when the person has as many as he may keep."""
    known = await list_views(tx, person)
    if name not in known and len(known) >= MAX_VIEWS:
        return False
    statement = """
INSERT INTO saved_view (person, name, parameters, created_at) VALUES ($1, $2, $3, now())
ON CONFLICT (person, name) DO UPDATE SET parameters = excluded.parameters
"""
    await tx.execute(statement, person, name, orjson.dumps(dict(parameters)).decode())
    return True


async def delete_view(tx: Transaction, person: str, name: str) -> None:
    """Delete a view."""
    await tx.execute("DELETE FROM saved_view WHERE person = $1 AND name = $2", person, name)
