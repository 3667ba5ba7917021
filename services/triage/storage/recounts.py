"""Counts that have to be taken again because people turned out to be one: tables `recount` and `recount_position`.

Each procedure follows the log `person_change` by a position of its own, under its counting lock: only then are all of its cases seen.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from services.triage.domain.groups.counters import CounterKey
from shared.runtime.database.database import Transaction

_MAX_LOG_ROWS = 100
# A procedure that has counted nothing yet starts behind the last change: what it counts later, it counts with the people of then.
_INSERT_POSITIONS = """
INSERT INTO recount_position (procedure, position)
SELECT procedure, (SELECT COALESCE(max(id), 0) FROM person_change) FROM unnest($1::text[]) AS new (procedure) ORDER BY procedure
ON CONFLICT DO NOTHING
"""
# One case reaches all of its person in a counter, but for windows of different people, where each case has windows of its own.
_EXPAND = f"""
WITH change AS (
    SELECT person_change.id, COALESCE(root, person_change.person) AS person, at FROM person_change LEFT JOIN person_join USING (person)
     WHERE id > (SELECT position FROM recount_position WHERE procedure = $1) ORDER BY id LIMIT {_MAX_LOG_ROWS}
), inserted AS (
    INSERT INTO recount (procedure, count, key, case_id, at)
    SELECT DISTINCT ON (mark.count, mark.key, CASE WHEN mark.count = ANY($2::text[]) THEN mark.case_id ELSE change.id::text END)
           $1, mark.count, mark.key, mark.case_id, change.at
      FROM change, LATERAL (SELECT change.person UNION ALL SELECT person FROM person_join WHERE root = change.person) AS one (person),
           mark
     WHERE mark.person = one.person AND mark.person <> '' AND mark.procedure = $1
     ORDER BY mark.count, mark.key, CASE WHEN mark.count = ANY($2::text[]) THEN mark.case_id ELSE change.id::text END,
              change.id, mark.case_id
    ON CONFLICT DO NOTHING
)
UPDATE recount_position SET position = last.id FROM (SELECT max(id) AS id FROM change) AS last WHERE procedure = $1 AND last.id IS NOT NULL
"""  # noqa: S608 - constants
_TAKE = """
DELETE FROM recount USING (
    SELECT procedure, count, key, case_id FROM recount WHERE procedure = $1 ORDER BY count, key, case_id LIMIT $2) AS taken
WHERE (recount.procedure, recount.count, recount.key, recount.case_id) = (taken.procedure, taken.count, taken.key, taken.case_id)
RETURNING recount.count, recount.key, recount.case_id, recount.at
"""
_SELECT_WAITING = """
SELECT procedure, COALESCE(tasks, 0) + (SELECT count(*) FROM person_change WHERE id > position) AS waiting FROM recount_position
LEFT JOIN (SELECT procedure, count(*) AS tasks FROM recount GROUP BY procedure) AS task USING (procedure)
"""
_SELECT_BEHIND = """
SELECT procedure FROM recount_position
 WHERE procedure = ANY($1::text[]) AND (position < (SELECT max(id) FROM person_change)
    OR EXISTS (SELECT FROM recount WHERE recount.procedure = recount_position.procedure))
"""
HAS_WAITING = """
EXISTS (SELECT FROM recount) OR (SELECT min(position) FROM recount_position) < (SELECT max(id) FROM person_change)
"""
"""SQL condition of a look."""
_SELECT_PROCEDURES = "SELECT procedure FROM recount_position"
_PRUNE = "DELETE FROM person_change WHERE id <= (SELECT min(position) FROM recount_position)"


async def follow_changes(tx: Transaction, procedures: Collection[str]) -> None:
    """Make sure that these procedures follow the log; under their counting locks, before anything is counted."""
    await tx.execute(_INSERT_POSITIONS, sorted(procedures))


async def find_procedures_behind(tx: Transaction, procedures: Collection[str] | None = None) -> list[str]:
    """Those of these procedures, or of all, that have counts to take again."""
    if procedures is None:
        procedures = [row["procedure"] for row in await tx.fetch(_SELECT_PROCEDURES)]
    return sorted(row["procedure"] for row in await tx.fetch(_SELECT_BEHIND, sorted(procedures)))


async def take_recounts(
    tx: Transaction, procedure: str, counted_around: Collection[str], limit: int
) -> list[tuple[CounterKey, str, datetime]]:
    """Take at most `limit` counts that have to be taken again, as (counter, case, instant since when), under the procedure's lock.

    `counted_around` are the count entries under which each case of a person has to be counted again.
    """
    await tx.execute(_EXPAND, procedure, sorted(counted_around))
    rows = await tx.fetch(_TAKE, procedure, limit)
    tasks = [(CounterKey(procedure, row["count"], row["key"]), row["case_id"], row["at"]) for row in rows]
    return sorted(tasks, key=lambda task: (task[0].count, task[0].key, task[1]))


async def count_waiting(tx: Transaction) -> Mapping[str, int]:
    """Return the number of waiting changes and counts by procedure."""
    return {row["procedure"]: row["waiting"] for row in await tx.fetch(_SELECT_WAITING)}


async def prune_changes(tx: Transaction) -> None:
    """Delete the changes that every procedure has followed."""
    await tx.execute(_PRUNE)
