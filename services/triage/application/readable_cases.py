"""Finds cases for an actor: only those that concern him, each with the fields that stay hidden from him."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from services.triage.application.case_rows import case_from_row
from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.domain.triage_case import TriageCase
from services.triage.storage import concerned, triage_cases
from shared.procedures.access import AccessPolicy, Actor, CaseParties
from shared.runtime.database.database import Transaction


@dataclass(frozen=True, slots=True)
class ReadableCase:
    """A case that the actor may read, without the fields named in `hidden`."""

    case: TriageCase
    parties: CaseParties
    hidden: tuple[str, ...]

    def shows(self, field: str) -> bool:
        """Whether the actor sees a field of the complaint."""
        return field not in self.hidden and f"complaint.{field}" not in self.hidden

    def complaint_fields(self, *fields: str) -> dict[str, Any]:
        """These fields of the complaint, those that he may not see as None."""
        document = self.case.complaint.model_dump(mode="json", include=set(fields))
        return {field: document.get(field) if self.shows(field) else None for field in fields}


class ReadableCases:
    """Asks the policy that every service asks."""

    def __init__(self, registry: ProcedureRegistry) -> None:
        self._registry = registry
        self._policy = AccessPolicy(registry.organisation)

    async def find(self, tx: Transaction, case_ids: Collection[str], actor: Actor, at: datetime) -> dict[str, ReadableCase]:
        """Those of the cases that the actor may read at that instant."""
        rows = await triage_cases.find_cases(tx, case_ids, for_update=False)
        parties_of = await concerned.find_parties(tx, [row["case_id"] for row in rows])
        readable = {}
        for row in rows:
            triage_case = case_from_row(row, self._registry)
            complaint = triage_case.complaint
            stored = parties_of.get(triage_case.case, CaseParties())
            parties = replace(stored, source=complaint.source, against=frozenset(complaint.against))
            if self._policy.may_read(actor, parties, at):
                hidden = self._policy.hidden_fields(actor, triage_case.procedure, parties, at)
                readable[triage_case.case] = ReadableCase(triage_case, parties, hidden)
        return readable
