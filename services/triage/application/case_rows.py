"""Cases as rows of their table."""

from collections.abc import Mapping
from typing import Any

import orjson

from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.domain.triage_case import Classification, TriageCase
from services.triage.storage.triage_cases import TriageCaseRow
from shared.contracts.complaint import Complaint


def case_from_row(row: Mapping[str, Any], registry: ProcedureRegistry) -> TriageCase:
    """A case from its row."""
    return TriageCase(
        complaint=Complaint.model_validate_json(row["complaint"]),
        bound_procedure=registry.bound_procedure(row["procedure"], row["version"], orjson.loads(row["parameters"])),
        kind=row["kind"],
        subject=row["subject"],
        seen=(row["seen_kind"], row["seen_subject"]),
        held=Classification(row["held_class"], row["held_rule"]),
        assessed=Classification(row["assessed_class"], row["assessed_rule"]),
        grouped=Classification(row["grouped_class"], row["grouped_rule"]),
        pinned=row["pinned"],
        ended=row["ended"],
        keys=orjson.loads(row["keys"]),
        sequence=row["sequence"],
    )


def row_from_case(triage_case: TriageCase, sequence: int) -> TriageCaseRow:
    """A case as its row."""
    return TriageCaseRow(
        case_id=triage_case.case,
        procedure=triage_case.procedure.id,
        parameters=orjson.dumps(triage_case.bound_procedure.parameters).decode(),
        complaint=triage_case.complaint.model_dump_json(exclude_none=True),
        kind=triage_case.kind,
        subject=triage_case.subject,
        seen_kind=triage_case.seen[0],
        seen_subject=triage_case.seen[1],
        held_class=triage_case.held.class_,
        held_rule=triage_case.held.rule,
        assessed_class=triage_case.assessed.class_,
        assessed_rule=triage_case.assessed.rule,
        grouped_class=triage_case.grouped.class_,
        grouped_rule=triage_case.grouped.rule,
        keys=orjson.dumps(triage_case.keys).decode(),
        version=triage_case.procedure.version,
        sequence=sequence,
        pinned=triage_case.pinned,
        ended=triage_case.ended,
    )
