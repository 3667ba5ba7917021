"""What a batch will need."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.triage.domain.assess import TriageDecision
from services.triage.domain.group_counting import CounterKey, max_neighbours, window_length
from services.triage.storage.group_counters import GroupQuery
from shared.contracts.complaint import Complaint
from shared.procedures.model.procedure import Procedure


@dataclass
class BatchPreview:
    """What a batch will need: decisions on its registrations, where cases are counted, which leave a tally."""

    decisions: dict[str, TriageDecision]
    queries: list[GroupQuery] = field(default_factory=list)
    leaving_cases: set[str] = field(default_factory=set)

    def add_counting(self, old: Mapping[str, str], decision: TriageDecision) -> None:
        """A case is counted, maybe by other keys than before."""
        if decision.count_keys == old:
            return
        changed = {count: key for count, key in decision.count_keys.items() if key != old.get(count)}
        self.queries += group_queries(decision.complaint, decision.procedure, changed)
        if any(decision.count_keys.get(count) != key for count, key in old.items()):
            self.leaving_cases.add(decision.complaint.case)


def group_queries(complaint: Complaint, procedure: Procedure, count_keys: Mapping[str, str]) -> list[GroupQuery]:
    """Where a case with these keys is counted."""
    entries = [entry for entry in procedure.counts if count_keys.get(entry.id)] if count_keys else []
    at = complaint.received_at
    return [
        GroupQuery(CounterKey(procedure.id, entry.id, count_keys[entry.id]), at, window_length(entry), max_neighbours(entry))
        for entry in entries
    ]
