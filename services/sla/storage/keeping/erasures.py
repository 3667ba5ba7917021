"""Records erasures (table `erasure`), finds a person's cases, and takes personal values out of sla's tables."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.sla.domain.evidence.erased_state import erased_rows, erased_state
from services.sla.domain.evidence.hash_chain import LedgerEntry, erased_chain
from services.sla.storage.cases import StoredCase, new_personal_key
from shared.contracts.erasure.personal_values import ERASED, erased_body
from shared.runtime.database.database import Transaction

_COLUMNS = "id, cases, ground, requested_by, requested_at, steps, finished_at, submission_keys"
_INSERT = "INSERT INTO erasure (id, cases, ground, requested_by, requested_at, submission_keys) VALUES ($1, $2, $3, $4, $5, $6)"
_UNFINISHED = f"SELECT {_COLUMNS} FROM erasure WHERE finished_at IS NULL ORDER BY requested_at, id"  # noqa: S608 - constants
_OF_CASES = f"SELECT {_COLUMNS} FROM erasure WHERE finished_at IS NULL AND cases && $1::text[] ORDER BY id LIMIT 1"  # noqa: S608
_STEP = "UPDATE erasure SET steps = array_append(steps, $2) WHERE id = $1 AND NOT steps @> ARRAY[$2]"
_FINISH = "UPDATE erasure SET finished_at = $2, submission_keys = '{}' WHERE id = $1 AND finished_at IS NULL"
_FIGURES = """
SELECT ground, sum(cardinality(cases)) AS cases,
    min(requested_at) FILTER (WHERE finished_at IS NULL AND NOT steps @> '{tables}') AS oldest_interrupted,
    min(requested_at) FILTER (WHERE finished_at IS NULL AND steps @> '{tables}') AS oldest_waiting
FROM erasure GROUP BY ground
"""
_CASES_OF_KEYS = "SELECT DISTINCT case_id FROM case_person WHERE key = ANY($1::text[]) ORDER BY case_id"
_KEYS_OF_CASES = r"""
SELECT case_id, key FROM case_person WHERE case_id = ANY($1::text[]) AND key ~ '^(phone|email|id_number):' ORDER BY case_id, key
"""
_KEYS_OF_OTHERS = "SELECT DISTINCT key FROM case_person WHERE key = ANY($1::text[]) AND case_id <> ALL($2::text[])"
_BODIES = "SELECT sequence, body, hash FROM ledger WHERE case_id = $1 ORDER BY sequence"
_REPLACE_BODIES = """
UPDATE ledger SET body = erased.body, hash = erased.hash
FROM unnest($2::int[], $3::bytea[], $4::bytea[]) AS erased (sequence, body, hash)
WHERE case_id = $1 AND ledger.sequence = erased.sequence
"""
_REPLACE_STATE = "UPDATE cases SET state = $2, personal_key = $3, head = $4 WHERE id = $1"
_FROZEN = """
SELECT l.procedure, l.duty, l.period, l.list, l.part, l.content, d.report FROM report_list l JOIN duty d USING (procedure, duty, period)
WHERE position(convert_to($1, 'UTF8') IN l.content) > 0
"""
_REPLACE_PART = """
UPDATE report_list SET content = $6, erased = true WHERE procedure = $1 AND duty = $2 AND period = $3 AND list = $4 AND part = $5
"""
# Attachments are stored by content: two people may have sent the same file, which the other one still needs.
_OTHERS_WITH_DIGEST = "SELECT EXISTS (SELECT FROM ledger WHERE case_id <> ALL($1::text[]) AND position($2 IN body) > 0)"


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure as it is recorded: of which cases, for what reason and by whom, and how far it is; it names no complainant.

    `submission_keys` are the sources' references of the cases, until nothing is left in the topics.
    """

    id: UUID
    cases: tuple[str, ...]
    ground: str
    requested_by: str
    requested_at: datetime
    steps: frozenset[str] = frozenset()
    finished_at: datetime | None = None
    submission_keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErasureFigures:
    """How many cases were erased, and since when the oldest erasure is interrupted, or waits for topics alone."""

    cases: int = 0
    oldest_interrupted: datetime | None = None
    oldest_waiting: datetime | None = None


async def insert_erasure(tx: Transaction, erasure: Erasure) -> None:
    """Record a new erasure."""
    one = erasure
    await tx.execute(_INSERT, one.id, list(one.cases), one.ground, one.requested_by, one.requested_at, list(one.submission_keys))


async def find_unfinished(tx: Transaction, cases: Sequence[str] = ()) -> list[Erasure]:
    """The erasures that were interrupted or wait for topics, oldest first; with `cases` the first that concerns one of them."""
    rows = await tx.fetch(_OF_CASES, list(cases)) if cases else await tx.fetch(_UNFINISHED)
    return [_erasure(dict(row)) for row in rows]


def _erasure(row: dict[str, Any]) -> Erasure:
    lists = {"cases": tuple(row["cases"]), "steps": frozenset(row["steps"]), "submission_keys": tuple(row["submission_keys"])}
    return Erasure(**{**row, **lists})


async def load_figures(tx: Transaction) -> dict[str, ErasureFigures]:
    """The figures by ground."""
    return {
        row["ground"]: ErasureFigures(int(row["cases"]), row["oldest_interrupted"], row["oldest_waiting"])
        for row in await tx.fetch(_FIGURES)
    }


async def record_step(tx: Transaction, erasure_id: UUID, step: str) -> None:
    """Record that a step is done."""
    await tx.execute(_STEP, erasure_id, step)


async def finish(tx: Transaction, erasure_id: UUID, at: datetime) -> None:
    """Record that nothing of the personal values is left."""
    await tx.execute(_FINISH, erasure_id, at)


async def find_cases_of_keys(tx: Transaction, keys: Collection[str]) -> list[str]:
    """The cases whose complainant has one of these keys."""
    return [row["case_id"] for row in await tx.fetch(_CASES_OF_KEYS, sorted(keys))]


async def find_keys_of_cases(tx: Transaction, cases: Collection[str]) -> dict[str, set[str]]:
    """Case → the keyed hashes of its complainant's contact data, where it has any."""
    keys: dict[str, set[str]] = {}
    for row in await tx.fetch(_KEYS_OF_CASES, sorted(cases)):
        keys.setdefault(row["case_id"], set()).add(row["key"])
    return keys


async def find_keys_of_others(tx: Transaction, keys: Collection[str], cases: Collection[str]) -> set[str]:
    """Those of the keys that cases other than these have too."""
    return {row["key"] for row in await tx.fetch(_KEYS_OF_OTHERS, sorted(keys), sorted(cases))}


async def is_named_by_others(tx: Transaction, cases: Collection[str], digest: str) -> bool:
    """Whether another case names an attachment; reads the whole ledger."""
    return bool(await tx.fetchval(_OTHERS_WITH_DIGEST, sorted(cases), digest.encode()))


async def erase_case(tx: Transaction, case_id: str, stored: StoredCase) -> int:
    """Take the personal values out of a locked case's events and state, and replace its personal key; returns how many events changed."""
    key = stored.personal_key
    entries = [LedgerEntry(*row) for row in await tx.fetch(_BODIES, case_id)]
    erased = erased_chain(entries, key)
    changed = [new for old, new in zip(entries, erased, strict=True) if new != old]
    if changed:
        columns = ([entry.sequence for entry in changed], [entry.body for entry in changed], [entry.hash for entry in changed])
        await tx.execute(_REPLACE_BODIES, case_id, *columns)
    state = await tx.fetchval("SELECT state FROM cases WHERE id = $1", case_id)
    # With another key, which later events will use: with the old one a guess could be checked against the hashes that remain.
    await tx.execute(_REPLACE_STATE, case_id, orjson.dumps(erased_state(orjson.loads(state), key)), new_personal_key(), erased[-1].hash)
    await tx.execute("DELETE FROM case_person WHERE case_id = $1", case_id)
    # Whom a copy of a form was given to: often the complainant.
    await tx.execute("UPDATE form_issue SET issued_to = $2 WHERE case_id = $1 AND issued_to <> ''", case_id, ERASED)
    await _erase_frozen_rows(tx, case_id)
    return sum(new.body != old.body for old, new in zip(entries, erased, strict=True))


async def _erase_frozen_rows(tx: Transaction, case_id: str) -> None:
    for *part_key, content, report in await tx.fetch(_FROZEN, case_id):
        frozen = next((entry for entry in orjson.loads(report).get("lists", []) if entry["id"] == part_key[3]), None)
        rows = orjson.loads(content)
        if frozen is not None and (erased := erased_rows(rows, frozenset({case_id}), frozen["reads"])) != rows:
            await tx.execute(_REPLACE_PART, *part_key, orjson.dumps(erased))


async def count_rows(tx: Transaction, cases: Sequence[str]) -> dict[str, int]:
    """Table → how many rows hold personal values of these cases."""
    counts = {
        "ledger": sum([1 async for _ in _personal_bodies(tx, cases)]),
        "cases": int(await tx.fetchval("SELECT count(*) FROM cases WHERE id = ANY($1::text[])", list(cases))),
        "case_person": int(await tx.fetchval("SELECT count(*) FROM case_person WHERE case_id = ANY($1::text[])", list(cases))),
    }
    issues = "SELECT count(*) FROM form_issue WHERE case_id = ANY($1::text[]) AND issued_to <> ''"
    counts["form_issue"] = int(await tx.fetchval(issues, list(cases)))
    counts["report_list"] = sum([len(await tx.fetch(_FROZEN, case_id)) for case_id in cases])
    return counts


async def _personal_bodies(tx: Transaction, cases: Sequence[str]) -> AsyncIterator[int]:
    for case_id in cases:
        for row in await tx.fetch(_BODIES, case_id):
            if erased_body(row["body"], b"") != row["body"]:
                yield row["sequence"]


async def load_bodies(tx: Transaction, cases: Sequence[str]) -> list[dict[str, Any]]:
    """The events of these cases, for what they name."""
    return [orjson.loads(row["body"]) for case_id in cases for row in await tx.fetch(_BODIES, case_id)]
