"""What triage remembers of a case after its first decision, and which class it is due by rules and groups."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from services.triage.domain.assess import TriageDecision
from shared.contracts.complaint import Complaint, Kind
from shared.procedures.model.bound_procedure import Bound
from shared.procedures.model.facts import fit
from shared.procedures.model.procedure import Procedure

NOT_AMENDABLE = frozenset({"case", "number", "source", "external_id", "registered_at", "facts", "complainant", "contact", "missing"})


@dataclass(frozen=True, slots=True)
class Classification:
    """A class and the rule that gives it."""

    class_: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class TriageCase:
    """A case as triage knows it: the complaint without contact data, what holds now, and where that came from.

    `held` is the class that holds now, `assessed` what the rules give, `grouped` what its group gives; `pinned` says that a person decided.
    `seen` are the kind and subject of triage's own last decision; `kind` and `subject` those that hold.
    `keys` are those that it counts by (count's id → key), `sequence` the number of its last event on triage's topic.
    """

    complaint: Complaint
    bound_procedure: Bound
    kind: Kind
    subject: str
    seen: tuple[str, str]
    held: Classification
    assessed: Classification
    grouped: Classification = Classification()
    pinned: bool = False
    ended: bool = False
    keys: Mapping[str, str] = field(default_factory=dict)
    sequence: int = 0

    @property
    def case(self) -> str:
        """The case's id."""
        return self.complaint.case

    @property
    def procedure(self) -> Procedure:
        """The regulation that the case is pinned to."""
        return self.bound_procedure.procedure

    def target(self) -> Classification:
        """What should hold: the group's class where it stands before the assessed one (classes run from grave to light)."""
        if self.grouped.class_ and class_rank(self.procedure, self.grouped.class_) < class_rank(self.procedure, self.assessed.class_):
            return self.grouped
        return self.assessed

    def with_decision(self, decision: TriageDecision) -> "TriageCase":
        """The same case after another decision of triage's own."""
        verdict = Classification(decision.class_choice.id, decision.rule)
        seen = (decision.kind, decision.subject_choice.id)
        return replace(self, complaint=decision.complaint, assessed=verdict, seen=seen, keys=dict(decision.count_keys))


def case_from_decision(decision: TriageDecision) -> TriageCase:
    """A case after its first decision."""
    verdict = Classification(decision.class_choice.id, decision.rule)
    return TriageCase(
        complaint=decision.complaint.model_copy(update={"contact": None}),
        bound_procedure=decision.rules.bound_procedure,
        kind=decision.kind,
        subject=decision.subject_choice.id,
        seen=(decision.kind, decision.subject_choice.id),
        held=verdict,
        assessed=verdict,
        keys=dict(decision.count_keys),
    )


def class_rank(procedure: Procedure, class_: str) -> int:
    """A class's place in the procedure's order; one that it does not know comes last."""
    return next((place for place, entry in enumerate(procedure.classes) if entry.id == class_), len(procedure.classes))


def amended_complaint(triage_case: TriageCase, facts: Mapping[str, Any], fields: Mapping[str, Any]) -> Complaint:
    """The complaint after an amendment; facts of a wrong type and fields that cannot be amended stay as they were."""
    good, _ = fit(triage_case.procedure, facts)
    wanted = {name: value for name, value in fields.items() if name in Complaint.model_fields and name not in NOT_AMENDABLE}
    complaint = triage_case.complaint.model_copy(update={"facts": triage_case.complaint.facts | good})
    return _with(complaint, wanted) if wanted else complaint


def _with(complaint: Complaint, wanted: Mapping[str, Any]) -> Complaint:
    try:
        return Complaint.model_validate(complaint.model_dump() | dict(wanted))
    except ValidationError:
        return complaint
