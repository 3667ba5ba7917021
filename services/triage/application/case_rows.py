"""Converts cases to rows of table `known` and back."""

from collections.abc import Mapping
from typing import Any

import orjson

from services.triage.application.procedure_registry import ProcedureRegistry
from services.triage.domain.compiled_rules import TriageRules
from services.triage.domain.triage_case import Classification, Membership, TriageCase
from services.triage.storage.triage_cases import TriageCaseRow
from shared.contracts.complaint import Complaint
from shared.procedures.model.facts import coerce_facts


def case_from_row(row: Mapping[str, Any], registry: ProcedureRegistry) -> TriageCase:
    """The case of a row; raises Rejected if its procedure is not installed."""
    rules = registry.rules(row["procedure"], row["version"], orjson.loads(row["parameters"]))
    return TriageCase(
        complaint=Complaint.model_validate_json(row["complaint"]),
        rules=rules,
        kind=row["kind"],
        subject=row["subject"],
        last_decided=(row["seen_kind"], row["seen_subject"]),
        effective=Classification(row["held_class"], row["held_rule"]),
        by_rules=Classification(row["assessed_class"], row["assessed_rule"]),
        memberships=tuple(_membership(stored, rules) for stored in orjson.loads(row["memberships"])),
        set_by_person=row["pinned"],
        ended=row["ended"],
        lead=row["lead"],
        proposed=tuple(orjson.loads(row["proposed"])),
        complainants=tuple(row["complainants"].split()),
        count_keys={count: tuple(keys) for count, keys in orjson.loads(row["keys"]).items()},
        sequence=row["sequence"],
    )


def _membership(stored: dict[str, Any], rules: TriageRules) -> Membership:
    # JSON has no instants: facts of this type are read back as text.
    facts, _ = coerce_facts(rules.procedure, stored["facts"])
    return Membership(**{**stored, "facts": facts})


def row_from_case(triage_case: TriageCase, sequence: int) -> TriageCaseRow:
    """The row of a case; `sequence` is the number of its last event on triage's topic."""
    return TriageCaseRow(
        case_id=triage_case.case,
        procedure=triage_case.procedure.id,
        parameters=orjson.dumps(triage_case.rules.bound_procedure.parameters).decode(),
        complaint=triage_case.complaint.model_dump_json(exclude_none=True),
        kind=triage_case.kind,
        subject=triage_case.subject,
        seen_kind=triage_case.last_decided[0],
        seen_subject=triage_case.last_decided[1],
        held_class=triage_case.effective.class_,
        held_rule=triage_case.effective.rule,
        assessed_class=triage_case.by_rules.class_,
        assessed_rule=triage_case.by_rules.rule,
        memberships=orjson.dumps(triage_case.memberships).decode(),
        complainants=" ".join(triage_case.complainants),
        keys=orjson.dumps(triage_case.count_keys).decode(),
        version=triage_case.procedure.version,
        sequence=sequence,
        pinned=triage_case.set_by_person,
        ended=triage_case.ended,
        lead=triage_case.lead,
        proposed=orjson.dumps(triage_case.proposed).decode(),
    )
