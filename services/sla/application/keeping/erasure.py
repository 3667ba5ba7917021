"""Erases the personal values of ended cases from sla, and records that they were erased."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from services.sla.application.cases import UpdateCases
from services.sla.application.identity import case_parties
from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.due_items import next_due
from services.sla.domain.lifecycle.inputs import ERASURE_CAUSE, ApplyDecision
from services.sla.storage import cases as case_rows
from services.sla.storage import deferred_inputs
from services.sla.storage.keeping import erasures, legal_holds
from shared.contracts.events.from_work_to_closing import PersonErased
from shared.runtime.database.database import Database, Transaction

MAX_CASES = 1000
"""Cases of one person; a number that more share is that of a desk, and belongs into `shared_contacts`."""
_ID_NUMBER = "id_number:"
_REPEAT = "repeat the command when they are done"


class ErasureRefusedError(ValueError):
    """An erasure that may not be carried out; the text names the case that forbids it, and the remedy."""


async def find_cases(tx: Transaction, keys: Collection[str]) -> list[str]:
    """The cases of the person with one of these keys, through all numbers and addresses that lead from one case to the next.

    Different id_numbers are different people whatever else agrees: a number that several people share finds only the cases that have
    the id_number itself. Raises `ErasureRefusedError` where such a number leaves open whose cases are meant.
    """
    found = await _connected_cases(tx, keys)
    numbers = {key for owned in found.values() for key in owned if key.startswith(_ID_NUMBER)}
    named = numbers & set(keys)
    if len(numbers) <= 1:
        return sorted(found)
    if not named:
        raise ErasureRefusedError("--person: several people with different id numbers share it; give an id number, or each case by --case")
    return sorted(case for case, owned in found.items() if owned & named)


async def _connected_cases(tx: Transaction, keys: Collection[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    known, new = set[str](), set(keys)
    while new:
        known |= new
        cases = [case for case in await erasures.find_cases_of_keys(tx, new) if case not in found]
        if len(found) + len(cases) > MAX_CASES:
            raise ErasureRefusedError(f"--person: leads to more than {MAX_CASES} cases; is it a desk's number? Give each case by --case")
        found |= {case: set() for case in cases} | await erasures.find_keys_of_cases(tx, cases)
        new = {key for case in cases for key in found[case]} - known
    return found


class EraseCases:
    """Erases cases in sla; `erasing_roles` are the roles of the organisation whose holders may have it done."""

    def __init__(self, update: UpdateCases, erasing_roles: Collection[str]) -> None:
        self._update = update
        self._erasing_roles = frozenset(erasing_roles)

    async def require_erasable(self, tx: Transaction, case_ids: Sequence[str], person_id: str) -> None:
        """Raise `ErasureRefusedError` unless the person may erase every case, and every case may be erased now."""
        stored = await case_rows.read_cases(tx, case_ids)
        if unknown := [case_id for case_id in case_ids if case_id not in stored]:
            raise ErasureRefusedError(f"--case {unknown[0]}: there is no such case")
        self._require_right(stored.values(), person_id, self._update.clock.now())
        if obstacles := await self.find_obstacles(tx, case_ids):
            raise ErasureRefusedError(next(iter(obstacles.values())))

    async def find_obstacles(self, tx: Transaction, case_ids: Sequence[str]) -> dict[str, str]:
        """The cases that may not be erased now, each with the reason and what to do."""
        stored, held = await case_rows.read_cases(tx, case_ids), await legal_holds.find_held(tx, case_ids)
        leads = await case_rows.read_cases(tx, sorted({case.lead for case in stored.values() if case.lead}))
        deferred = await deferred_inputs.load_deferred(tx, list(case_ids))
        now = to_micros(self._update.clock.now())
        obstacles = {case.id: _obstacle(case, leads.get(case.lead), now, held=case.id in held) for case in stored.values()}
        for case_id in deferred:
            obstacles[case_id] = obstacles.get(case_id) or f"{case_id}: inputs wait for earlier deadlines of the case; {_REPEAT}"
        return {case_id: reason for case_id, reason in obstacles.items() if reason}

    async def erase(self, database: Database, case_id: str, ground: str) -> int:
        """Record and carry out the erasure of one case in a transaction; returns how many events lost values.

        A case that is erased already, and has nothing personal since, stays as it is.
        """
        async with database.transaction() as tx:
            batch = self._update.new_batch()
            await batch.load(tx, [case_id])
            case = batch.case(case_id)
            if case is None:
                return 0
            if not await self._has_personal_values(tx, case):
                return 0
            batch.decide(case_id, ApplyDecision(PersonErased.name, to_micros(batch.now), {"ground": ground}, ERASURE_CAUSE))
            await batch.record(tx)
            return await erasures.erase_case(tx, case_id, batch.stored_cases[case_id])

    async def _has_personal_values(self, tx: Transaction, case: Case) -> bool:
        return (await erasures.count_rows(tx, [case.id]))["ledger"] > 0

    def _require_right(self, stored: Collection[Case], person_id: str, now: datetime) -> None:
        if not self._erasing_roles:
            raise ErasureRefusedError("may_erase in the organisation file is empty: name the roles whose holders may erase people")
        actor = self._update.identities.actor_by_id(person_id)
        for case in stored:
            held = set(self._update.identities.policy.roles(actor, case_parties(case), now))
            if not held & self._erasing_roles:
                raise ErasureRefusedError(
                    f"--by {person_id}: holds none of the roles {', '.join(sorted(self._erasing_roles))} on the case {case.id}"
                )


def _obstacle(case: Case, lead: Case | None, now: int, *, held: bool) -> str:
    """Why the case may not be erased; empty if it may be."""
    if held:
        return f"{case.id}: is under legal hold; `jiesu hold {case.id} --release` once the dispute is over"
    # GDPR 17 (3) b and e, PIPL 47: what a duty or a claim still needs is not erased.
    if case.open:
        return f"{case.id}: is still open; end it first (withdraw, refuse or close)"
    if lead is not None and lead.open:
        return f"{case.id}: is a duplicate of {lead.id}, which is still open; end that first, or unlink it"
    if (due := next_due(case)) is not None and due <= now:
        return f"{case.id}: deadlines of the case are being worked on; {_REPEAT}"
    return ""
