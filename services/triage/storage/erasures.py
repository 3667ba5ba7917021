"""Takes a person out of triage's tables: texts of cases, remembered texts, and keyed hashes; what was counted stays counted."""

from collections.abc import Mapping, Sequence
from secrets import token_bytes, token_hex

import orjson

from shared.contracts.erasure.personal_values import erased_complaint
from shared.runtime.database.database import Transaction

_CASES = "SELECT case_id, complaint, complainants, keys, memberships FROM known WHERE case_id = ANY($1::text[]) ORDER BY case_id FOR UPDATE"
_UPDATE_CASE = "UPDATE known SET complaint = $2, complainants = $3, keys = $4, memberships = $5 WHERE case_id = $1"
_FORGET_TEXTS = "DELETE FROM similar_text WHERE case_id = ANY($1::text[])"
# What people of other cases have in common with these stays: it is theirs too, and the next case has to be counted with it.
_OWN_COUNT_KEYS = """
SELECT DISTINCT procedure, count, key FROM mark WHERE case_id = ANY($1::text[]) AND key !~ '^\\[erased' AND NOT EXISTS (
    SELECT FROM mark AS other WHERE other.procedure = mark.procedure AND other.count = mark.count AND other.key = mark.key
       AND other.case_id <> ALL($1::text[]))
"""
_TABLES_WITH_COUNT_KEYS = ("mark", "tally", "counted_group", "recount")
_COLUMNS_WITH_PEOPLE = (
    *(("mark", "person"), ("person_join", "person"), ("person_join", "root"), ("person_owner", "person"), ("person_owner", "id_number")),
    *(("person_change", "person"), ("person_key", "person")),
)
_PRESENT_PEOPLE = " UNION ".join(
    f"SELECT {column} FROM {table} WHERE {column} = ANY($1::text[])"  # noqa: S608 - constants
    for table, column in _COLUMNS_WITH_PEOPLE
)


async def erase_cases(tx: Transaction, cases: Sequence[str], dead_keys: Sequence[str]) -> dict[str, int]:
    """Erase these cases, and the keyed hashes that no other case has; table → how many rows changed.

    A person keeps a random name in place of the hash, the same one everywhere, so that groups count as many people as before.
    """
    rows = await tx.fetch(_CASES, sorted(cases))
    count_keys = await _replace_count_keys(tx, cases)
    people = await _replace_people(tx, dead_keys)
    for row in rows:
        await tx.execute(_UPDATE_CASE, row["case_id"], *_erased_case(row, count_keys, people))
    forgotten = int((await tx.execute(_FORGET_TEXTS, list(cases))).split()[-1])
    return {"known": len(rows), "similar_text": forgotten, "person_key": len(people), "mark": len(count_keys)}


async def count_rows(tx: Transaction, cases: Sequence[str], dead_keys: Sequence[str]) -> dict[str, int]:
    """Table → how many rows hold personal values of these cases, or hashes that no other case has."""
    return {
        "known": int(await tx.fetchval("SELECT count(*) FROM known WHERE case_id = ANY($1::text[])", list(cases))),
        "similar_text": int(await tx.fetchval("SELECT count(*) FROM similar_text WHERE case_id = ANY($1::text[])", list(cases))),
        "person_key": int(await tx.fetchval("SELECT count(*) FROM person_key WHERE key = ANY($1::text[])", list(dead_keys))),
        "mark": len(await tx.fetch(_OWN_COUNT_KEYS, list(cases))),
    }


def _erased_case(row: Mapping[str, str], count_keys: Mapping[str, str], people: Mapping[str, str]) -> tuple[str, str, str, str]:
    complaint = erased_complaint(orjson.loads(row["complaint"]), token_bytes(32))
    complainants = " ".join(people.get(person, person) for person in row["complainants"].split())
    keys = {count: [count_keys.get(key, key) for key in keys] for count, keys in orjson.loads(row["keys"]).items()}
    memberships = [{**member, "key": count_keys.get(member["key"], member["key"])} for member in orjson.loads(row["memberships"])]
    complaint_json, keys_json, memberships_json = (orjson.dumps(part).decode() for part in (complaint, keys, memberships))
    return complaint_json, complainants, keys_json, memberships_json


async def _replace_count_keys(tx: Transaction, cases: Sequence[str]) -> dict[str, str]:
    replaced: dict[str, str] = {}
    for procedure, count, key in await tx.fetch(_OWN_COUNT_KEYS, list(cases)):
        replaced.setdefault(key, f"[erased {token_hex(8)}]")
        for table in _TABLES_WITH_COUNT_KEYS:
            statement = f"UPDATE {table} SET key = $4 WHERE procedure = $1 AND count = $2 AND key = $3"  # noqa: S608 - constants
            await tx.execute(statement, procedure, count, key, replaced[key])
    return replaced


async def _replace_people(tx: Transaction, dead_keys: Sequence[str]) -> dict[str, str]:
    """Delete the keys, and give each person who is named by one a random name; old name → new one."""
    await tx.execute("DELETE FROM person_key WHERE key = ANY($1::text[])", list(dead_keys))
    names = {row[0]: f"erased:{token_hex(16)}" for row in await tx.fetch(_PRESENT_PEOPLE, list(dead_keys))}
    for table, column in _COLUMNS_WITH_PEOPLE:
        for old, new in names.items():
            await tx.execute(f"UPDATE {table} SET {column} = $2 WHERE {column} = $1", old, new)  # noqa: S608 - constants
    return names
