"""Triage's tables and procedures without the service: tests decide batches in transactions of their own."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.config import TriageSettings
from shared.procedures.organisation import Organisation
from shared.runtime.database.database import Database
from tests.support.messaging.sample_organisation import write_yaml

# Examples of hypothesis share the database of their test: each begins with empty tables.
TABLES = (
    "known, concerned, mark, tally, person_key, person_join, person_owner, person_change, recount, recount_position, similar_text, outbox"
)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    database = Database(TriageSettings(environment="test", database_url=database_url), "triage")
    yield database
    await database.close()


async def truncate(database: Database) -> None:
    """Empty the tables that decisions fill."""
    async with database.transaction() as tx:
        await tx.execute(f"TRUNCATE {TABLES}")


def registry_of(folder: Path, *procedures: Mapping[str, Any], **fields: Any) -> ProcedureRegistry:
    """The procedures in an organisation that has a source for each, and these fields."""
    for procedure in procedures:
        write_yaml(folder / f"{procedure['id']}.yaml", dict(procedure))
    sources = [{"id": procedure["id"], "procedure": f"{procedure['id']}.yaml"} for procedure in procedures]
    organisation = {"id": "test", "departments": [{"id": "unassigned"}], "sources": sources, **fields}
    return ProcedureRegistry(Organisation.model_validate(organisation), folder)
