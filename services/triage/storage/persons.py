"""Reads and writes the directory of people: tables `person_key`, `person_join` and `person_owner`, and the log `person_change`."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from shared.runtime.database.database import Transaction

_MAX_CONNECTED = 1_000
"""People who are connected through phones of several; more than that share a desk, which belongs into `shared_contacts`."""
_SELECT_KEYS = """
SELECT key, COALESCE(root, person_key.person) AS person FROM person_key LEFT JOIN person_join USING (person) WHERE key = ANY($1::text[])
"""
_SELECT_ROOTS = "SELECT person, root FROM person_join WHERE person = ANY($1::text[])"
_SELECT_OWNERS = """
SELECT person, id_number FROM person_owner WHERE person = ANY($1::text[])
UNION
SELECT root, id_number FROM person_join JOIN person_owner USING (person) WHERE root = ANY($1::text[])
"""
# Sorted and in one statement: two transactions that bring the same new keys wait for each other in one direction only.
_INSERT_KEYS = """
INSERT INTO person_key (key, person) SELECT key, person FROM unnest($1::text[], $2::text[]) AS new (key, person) ORDER BY key
ON CONFLICT (key) DO NOTHING RETURNING key
"""
_LOCK_JOINS = "SELECT pg_advisory_xact_lock(hashtext('jiesu triage people'))"
_JOIN = "UPDATE person_join SET root = $2 WHERE root = $1"
_INSERT_JOIN = "INSERT INTO person_join (person, root) VALUES ($1, $2)"
_INSERT_OWNERS = """
INSERT INTO person_owner (person, id_number) SELECT * FROM unnest($1::text[], $2::text[]) AS new (person, id_number) ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""
_INSERT_CHANGES = """
INSERT INTO person_change (person, at) SELECT person, at
FROM unnest($1::text[], $2::timestamptz[]) WITH ORDINALITY AS new (person, at, number) ORDER BY number
"""
# From names to the people whose cases may have such a name, and from these to their other names: LIMIT ends the recursion.
_SELECT_CONNECTED = f"""
SELECT DISTINCT start.person AS start, reached.person FROM unnest($1::text[]) AS start (person), LATERAL (
    WITH RECURSIVE names (name) AS (
        SELECT COALESCE((SELECT root FROM person_join WHERE person = start.person), start.person)
        UNION
        SELECT next.name FROM names, LATERAL (
            SELECT id_number AS name FROM person_owner WHERE person = names.name
            UNION ALL
            SELECT id_number FROM person_join JOIN person_owner USING (person) WHERE root = names.name
            UNION ALL
            SELECT COALESCE(root, person_owner.person) FROM person_owner LEFT JOIN person_join USING (person)
             WHERE id_number = names.name) AS next)
    SELECT name FROM names LIMIT {_MAX_CONNECTED}) AS connected, LATERAL (
    SELECT connected.name AS person UNION ALL SELECT person FROM person_join WHERE root = connected.name) AS reached
"""  # noqa: S608 - constants


async def find_persons_of_keys(tx: Transaction, keys: Collection[str]) -> dict[str, str]:
    """The person to whom each of these keys belongs now; without unknown keys."""
    rows = await tx.fetch(_SELECT_KEYS, sorted(keys)) if keys else []
    return {row["key"]: row["person"] for row in rows}


async def find_roots(tx: Transaction, persons: Collection[str]) -> dict[str, str]:
    """Those of these people who became others, with the one that each became."""
    rows = await tx.fetch(_SELECT_ROOTS, sorted(persons)) if persons else []
    return {row["person"]: row["root"] for row in rows}


async def find_owners(tx: Transaction, roots: Collection[str]) -> list[tuple[str, str]]:
    """The id_numbers that own these people, whom no one has joined to another one."""
    rows = await tx.fetch(_SELECT_OWNERS, sorted(roots)) if roots else []
    return [(row["person"], row["id_number"]) for row in rows]


async def find_connected(tx: Transaction, persons: Collection[str]) -> dict[str, set[str]]:
    """Each of these people with all whose cases may be his, or of whom else his cases may be."""
    connected: dict[str, set[str]] = defaultdict(set)
    for row in await tx.fetch(_SELECT_CONNECTED, sorted(persons)) if persons else []:
        connected[row["start"]].add(row["person"])
    return connected


async def insert_keys(tx: Transaction, keys: Mapping[str, str]) -> set[str]:
    """Insert those keys that are unknown; waits for transactions that insert the same ones. Gives the inserted ones."""
    rows = await tx.fetch(_INSERT_KEYS, list(keys), list(keys.values())) if keys else []
    return {row["key"] for row in rows}


async def lock_joins(tx: Transaction) -> None:
    """Until the transaction ends only this one joins people, so that the log's ids rise in the order of commits.

    Insert keys before: who waits here holds inserted keys, for which the holder of this lock must no longer wait.
    """
    await tx.execute(_LOCK_JOINS)


async def save_joins(tx: Transaction, joins: Sequence[tuple[str, str]]) -> None:
    """Join people, as (person, the one it becomes), in order."""
    for person, root in joins:
        await tx.execute(_JOIN, person, root)
        await tx.execute(_INSERT_JOIN, person, root)


async def save_owners(tx: Transaction, owners: Sequence[tuple[str, str]]) -> None:
    """Insert owners, as (person, id_number)."""
    if owners:
        await tx.execute(_INSERT_OWNERS, [person for person, _ in owners], [number for _, number in owners])


async def log_changes(tx: Transaction, changes: Sequence[tuple[str, datetime]]) -> None:
    """Log whose earlier submissions have other names now, and since when."""
    if changes:
        await tx.execute(_INSERT_CHANGES, [person for person, _ in changes], [at for _, at in changes])
