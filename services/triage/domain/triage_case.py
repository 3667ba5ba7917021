"""What triage remembers of a case after its first decision, and which class it is due by rules and groups."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from services.triage.domain.assess import Decision
from shared.contracts.complaint import Complaint, Kind
from shared.procedures.model.bound_procedure import Bound
from shared.procedures.model.facts import fit
from shared.procedures.model.procedure import Procedure

NOT_AMENDABLE = frozenset({"case", "number", "source", "external_id", "registered_at", "facts", "complainant", "contact", "missing"})


@dataclass(frozen=True, slots=True)
class Verdict:
    """A class and the rule that gives it."""

    class_: str = ""
    rule: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A case as triage knows it: the complaint without contact data, what holds now, and where that came from.

    `held` is the class that holds now, `assessed` what the rules give, `grouped` what its group gives; `pinned` says that a person decided.
    `seen` are the kind and subject of triage's own last decision; `kind` and `subject` those that hold.
    `keys` are those that it counts by (count's id → key), `sequence` the number of its last event on triage's topic.
    """

    complaint: Complaint
    bound: Bound
    kind: Kind
    subject: str
    seen: tuple[str, str]
    held: Verdict
    assessed: Verdict
    grouped: Verdict = Verdict()
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
        return self.bound.procedure

    def due(self) -> Verdict:
        """What should hold: the group's class where it stands before the assessed one (classes run from grave to light)."""
        if self.grouped.class_ and rank(self.procedure, self.grouped.class_) < rank(self.procedure, self.assessed.class_):
            return self.grouped
        return self.assessed

    def assessed_anew(self, decision: Decision) -> "Known":
        """The same case after another decision of triage's own."""
        verdict = Verdict(decision.class_.id, decision.rule)
        seen = (decision.kind, decision.subject.id)
        return replace(self, complaint=decision.complaint, assessed=verdict, seen=seen, keys=dict(decision.keys))


def remember(decision: Decision) -> Known:
    """A case after its first decision."""
    verdict = Verdict(decision.class_.id, decision.rule)
    return Known(
        complaint=decision.complaint.model_copy(update={"contact": None}),
        bound=decision.plan.bound,
        kind=decision.kind,
        subject=decision.subject.id,
        seen=(decision.kind, decision.subject.id),
        held=verdict,
        assessed=verdict,
        keys=dict(decision.keys),
    )


def rank(procedure: Procedure, class_: str) -> int:
    """A class's place in the procedure's order; one that it does not know comes last."""
    return next((place for place, entry in enumerate(procedure.classes) if entry.id == class_), len(procedure.classes))


def amended(known: Known, facts: Mapping[str, Any], fields: Mapping[str, Any]) -> Complaint:
    """The complaint after an amendment; facts of a wrong type and fields that cannot be amended stay as they were."""
    good, _ = fit(known.procedure, facts)
    wanted = {name: value for name, value in fields.items() if name in Complaint.model_fields and name not in NOT_AMENDABLE}
    complaint = known.complaint.model_copy(update={"facts": known.complaint.facts | good})
    return _with(complaint, wanted) if wanted else complaint


def _with(complaint: Complaint, wanted: Mapping[str, Any]) -> Complaint:
    try:
        return Complaint.model_validate(complaint.model_dump() | dict(wanted))
    except ValidationError:
        return complaint
