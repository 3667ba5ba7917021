"""Reads and writes group counters: their occurrences (table `mark`) and the open groups of counts without a window (table `tally`)."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from services.triage.domain.groups.counters import CounterKey, GroupQuery, Occurrence
from services.triage.domain.groups.people import PersonKeys
from shared.runtime.database.database import Transaction

PeopleOf = Callable[[PersonKeys], Collection[str]]
_LOCK_PROCEDURE = "SELECT pg_advisory_xact_lock(hashtext('jiesu triage'), hashtext($1))"
_SELECT_OPEN_GROUPS = """
SELECT tally.* FROM tally JOIN unnest($1::text[], $2::text[], $3::text[]) AS wanted (procedure, count, key) USING (procedure, count, key)
"""
_SELECT_ALL_OCCURRENCES = """
SELECT mark.* FROM mark JOIN unnest($1::text[], $2::text[], $3::text[]) AS wanted (procedure, count, key) USING (procedure, count, key)
"""
_MAX_OF_ONE_COUNTER = 10_000
"""People of one counter; one sender with ever new addresses must not fill the memory."""
_MAX_OF_ONE_PERSON = 200
_SMALL_COUNTER = 200
"""Occurrences up to which a counter without an open group is loaded whole."""
_SELECT_PEOPLE = f"""
SELECT person.* FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::boolean[])
    AS query (procedure, count, key, threshold, is_open), LATERAL (
    SELECT procedure, count, key, case_id, received_at, person, group_id, total FROM (
        SELECT mark.*, row_number() OVER (PARTITION BY person ORDER BY received_at DESC) AS number, count(*) OVER () AS total FROM mark
        WHERE mark.procedure = query.procedure AND mark.count = query.count AND mark.key = query.key) AS numbered
    WHERE number <= CASE WHEN person = '' THEN query.threshold ELSE 1 END OR NOT query.is_open AND total <= {_SMALL_COUNTER}
    ORDER BY received_at DESC LIMIT {_MAX_OF_ONE_COUNTER}) AS person
"""  # noqa: S608 - constants
# One index scan a person: with all people in one condition PostgreSQL scans the whole counter by time at 300,000 occurrences, 70 ms.
SELECT_OF_PEOPLE = f"""
SELECT DISTINCT occurrence.* FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS query (procedure, count, key, people), LATERAL (
    SELECT of_person.* FROM unnest(string_to_array(query.people, ' ')) AS one (person), LATERAL (
        SELECT mark.* FROM mark WHERE mark.person = one.person AND mark.person <> ''
           AND mark.procedure = query.procedure AND mark.count = query.count AND mark.key = query.key
         ORDER BY mark.received_at DESC LIMIT {_MAX_OF_ONE_PERSON}) AS of_person
     ORDER BY received_at DESC LIMIT {_MAX_OF_ONE_PERSON}) AS occurrence
"""  # noqa: S608 - constants
# Two index scans that end at their limit: a counter can hold far more occurrences than a window needs.
SELECT_NEIGHBOURS = """
SELECT DISTINCT neighbour.* FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::interval[], $6::int[])
    AS query (procedure, count, key, received_at, span, max_neighbours), LATERAL (
    (SELECT * FROM mark WHERE mark.procedure = query.procedure AND mark.count = query.count AND mark.key = query.key
       AND mark.received_at BETWEEN query.received_at - query.span AND query.received_at
     ORDER BY mark.received_at DESC LIMIT query.max_neighbours)
    UNION ALL
    (SELECT * FROM mark WHERE mark.procedure = query.procedure AND mark.count = query.count AND mark.key = query.key
       AND mark.received_at > query.received_at AND mark.received_at <= query.received_at + query.span
     ORDER BY mark.received_at LIMIT query.max_neighbours)) AS neighbour
"""
_SELECT_CASE_OCCURRENCES = "SELECT * FROM mark WHERE case_id = ANY($1::text[])"
_SELECT_GROUP_MEMBERS = """
SELECT mark.* FROM mark JOIN unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS wanted (procedure, count, key, group_id)
USING (procedure, count, key, group_id)
"""
# Not sorted as row locks elsewhere: under the lock of its procedure one transaction at a time writes here.
_UPSERT_OCCURRENCES = """
INSERT INTO mark (procedure, count, key, case_id, received_at, person, group_id)
SELECT procedure, count, key, case_id, received_at, person, group_id
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[])
    AS new (procedure, count, key, case_id, received_at, person, group_id)
ON CONFLICT (procedure, count, key, case_id) DO UPDATE SET received_at = excluded.received_at,
    person = excluded.person, group_id = excluded.group_id
"""
_DELETE_OCCURRENCES = """
DELETE FROM mark USING unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS removed (procedure, count, key, case_id)
WHERE mark.procedure = removed.procedure AND mark.count = removed.count AND mark.key = removed.key AND mark.case_id = removed.case_id
"""
_UPSERT_OPEN_GROUPS = """
INSERT INTO tally (procedure, count, key, group_id) SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[])
ON CONFLICT (procedure, count, key) DO UPDATE SET group_id = excluded.group_id
"""


async def lock_counting(tx: Transaction, procedures: Collection[str]) -> None:
    """Lock these procedures until the transaction ends, so that one transaction at a time counts under each of them."""
    # Row locks are not enough: a case may change members of its group that another process handles.
    for procedure in sorted(procedures):
        await tx.execute(_LOCK_PROCEDURE, procedure)


async def find_open_groups(tx: Transaction, counters: Collection[CounterKey]) -> dict[CounterKey, str]:
    """The open group of each counter without a window that has or had one; empty if it was dissolved."""
    rows = await tx.fetch(_SELECT_OPEN_GROUPS, *_key_columns(counters)) if counters else []
    return {_counter_key(row): row["group_id"] for row in rows}


async def find_occurrences(
    tx: Transaction,
    queries: Sequence[GroupQuery],
    whole_counters: Collection[CounterKey],
    open_counters: Collection[CounterKey],
    people_of: PeopleOf,
) -> tuple[list[tuple[CounterKey, Occurrence]], set[CounterKey]]:
    """The occurrences that the queries select, and counters of people all of whose occurrences are among them.

    An occurrence that several queries select may come more than once.

    Of a counter of people without a window one occurrence of each person, of `whole_counters` all; all too of a small one that is not
    among `open_counters`: the batch may complete its group, which needs every member. `people_of` gives for the keys of a query all
    people whose cases may be of the same person.
    """
    connected = [query for query in queries if query.complainants]
    near = [query for query in queries if not query.complainants and query.window is not None]
    without_window = [query for query in queries if not query.complainants and query.window is None]
    people = {query.counter: query for query in without_window if query.counts_people and query.counter not in whole_counters}
    whole = {query.counter for query in without_window if query.counter not in people}
    complete: set[CounterKey] = set()
    rows = list(await tx.fetch(_SELECT_ALL_OCCURRENCES, *_key_columns(whole))) if whole else []
    if people:
        thresholds, are_open = [query.max_neighbours for query in people.values()], [counter in open_counters for counter in people]
        of_people = await tx.fetch(_SELECT_PEOPLE, *_key_columns(people), thresholds, are_open)
        totals = {_counter_key(row): row["total"] for row in of_people}
        complete = {key for key, number in Counter(map(_counter_key, of_people)).items() if number == totals[key]}
        rows += of_people
    if connected:
        columns = _key_columns([query.counter for query in connected])
        rows += await tx.fetch(SELECT_OF_PEOPLE, *columns, [" ".join(sorted(people_of(query.complainants))) for query in connected])
    if near:
        rows += await tx.fetch(
            SELECT_NEIGHBOURS,
            *_key_columns([query.counter for query in near]),
            [query.received_at for query in near],
            [query.window for query in near],
            [query.max_neighbours for query in near],
        )
    return [(_counter_key(row), _occurrence(row)) for row in rows], complete


async def find_case_occurrences(tx: Transaction, case_ids: Collection[str]) -> list[tuple[CounterKey, Occurrence]]:
    """The occurrences of these cases in all counters."""
    rows = await tx.fetch(_SELECT_CASE_OCCURRENCES, sorted(case_ids)) if case_ids else []
    return [(_counter_key(row), _occurrence(row)) for row in rows]


async def find_group_members(tx: Transaction, groups: Collection[tuple[CounterKey, str]]) -> list[tuple[CounterKey, Occurrence]]:
    """The occurrences that belong to these groups (counter, group id)."""
    columns = (*_key_columns([counter for counter, _ in groups]), [group for _, group in groups])
    rows = await tx.fetch(_SELECT_GROUP_MEMBERS, *columns) if groups else []
    return [(_counter_key(row), _occurrence(row)) for row in rows]


async def save_occurrences(
    tx: Transaction, changed: Sequence[tuple[CounterKey, Occurrence]], removed: Sequence[tuple[CounterKey, str]]
) -> None:
    """Insert or update the changed occurrences and delete the removed ones (counter, case)."""
    if removed:
        await tx.execute(_DELETE_OCCURRENCES, *_key_columns([counter for counter, _ in removed]), [case for _, case in removed])
    if changed:
        occurrences = [occurrence for _, occurrence in changed]
        await tx.execute(
            _UPSERT_OCCURRENCES,
            *_key_columns([counter for counter, _ in changed]),
            [o.case for o in occurrences],
            [o.received_at for o in occurrences],
            [o.person for o in occurrences],
            [o.group for o in occurrences],
        )


async def save_open_groups(tx: Transaction, groups: Mapping[CounterKey, str]) -> None:
    """Write the open group of each counter; an empty text means that it was dissolved."""
    if groups:
        await tx.execute(_UPSERT_OPEN_GROUPS, *_key_columns(groups), list(groups.values()))


def _key_columns(counters: Iterable[CounterKey]) -> tuple[list[str], list[str], list[str]]:
    keys = list(counters)
    return [key.procedure for key in keys], [key.count for key in keys], [key.key for key in keys]


def _counter_key(row: Any) -> CounterKey:
    return CounterKey(row["procedure"], row["count"], row["key"])


def _occurrence(row: Any) -> Occurrence:
    return Occurrence(row["received_at"], row["case_id"], row["person"], row["group_id"])
