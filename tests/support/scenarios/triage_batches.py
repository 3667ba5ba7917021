"""Random registrations and case events for triage, in batches, under a procedure that counts in every way."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from services.triage.domain.compiled_rules import TriageRules
from services.triage.domain.event_assessment import CountChange, person_keys, recounts
from services.triage.domain.rule_scope import TriageContext
from services.triage.domain.state import TriageState
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.from_work_to_closing import Reopened, Withdrawn
from shared.contracts.events.triage import Reclassified, Registered
from shared.contracts.events.up_to_approval import Amended, Refused
from tests.support.messaging.sample_organisation import registered_event, sample_complaint

START = datetime(2026, 9, 24, 8, 0, tzinfo=UTC)
CASES = 12
PROCEDURE: dict[str, Any] = {
    "id": "counting",
    "version": 1,
    "title": {"zh": "计数", "en": "Counting"},
    "register": {"number": "C-{year}-{seq:05}"},
    "roles": ["handler"],
    "facts": {
        "policy": {"type": "text"},
        "fault_kind": {"type": "text"},
        "media": {"type": "bool"},
        "repeated": {"type": "bool"},
        "crowd": {"type": "bool"},
    },
    "classes": [
        {"id": "urgent", "when": "facts.media"},
        {"id": "batch", "when": "false"},
        {"id": "ordinary"},
    ],
    "counts": [
        {"id": "policy", "key": "facts.policy", "threshold": 3, "does": {"reclassify": "batch"}},
        {"id": "burst", "key": "facts.fault_kind", "threshold": 3, "window": "30m", "does": {"as": "same_event", "reclassify": "batch"}},
        {
            "id": "complainants",
            "key": "facts.policy",
            "when": "case.class == 'ordinary'",
            "threshold": 2,
            "distinct": "complainant",
            "window": "2h",
            "does": {"as": "repeat", "set": {"repeated": True}},
        },
        {
            "id": "repeated",
            "key": "facts.repeated ? facts.fault_kind + '/repeated' : facts.policy + '/first'",
            "threshold": 3,
            "reaches_back": False,
            "does": {"reclassify": "urgent", "set": {"media": True}},
        },
        {"id": "people", "key": "facts.policy", "threshold": 3, "distinct": "complainant", "does": {"set": {"crowd": True}}},
        {"id": "person", "key": "facts.fault_kind", "threshold": 2, "same": "complainant", "withdrawn": True, "does": {"as": "repeat"}},
        {"id": "again", "key": "complaint.against", "threshold": 3, "reaches_back": False, "does": {"set": {"crowd": True}}},
    ],
}  # fmt: skip

_facts = st.fixed_dictionaries(
    {},
    optional={
        "policy": st.sampled_from(["", "a", "b"]),
        "fault_kind": st.sampled_from(["", "f", "g"]),
        "media": st.booleans(),
    },
)

_complainants = st.sets(st.sampled_from(["email:a", "email:b", "id_number:1", "phone:x", "phone:y"]), max_size=2).map(sorted)


@st.composite
def case_events(draw: st.DrawFn, max_size: int = 30) -> list[CaseEvent]:
    """Events of up to 12 cases; a case is registered before its other events, registrations have distinct instants in any order."""
    registered: list[str] = []
    events: list[CaseEvent] = []
    minutes = draw(st.permutations(range(0, 15 * CASES, 15)))
    for _ in range(draw(st.integers(1, max_size))):
        case = f"case-{draw(st.integers(0, CASES - 1))}"
        if case not in registered:
            minute = minutes[len(registered)]
            registered.append(case)
            against = draw(st.lists(st.sampled_from(["p", "q"]), max_size=2))
            events.append(registration(case, minute, draw(_facts), draw(_complainants), against))
        else:
            events.append(draw(_later_event(case)))
    return events


def _later_event(case: str) -> st.SearchStrategy[CaseEvent]:
    at = START + timedelta(days=1)
    amended = _facts.map(lambda facts: Amended(case=case, at=at, role="handler", facts=facts))
    classes = st.sampled_from(["urgent", "ordinary"])
    return st.one_of(
        amended,
        amended,
        amended,
        st.just(Refused(case=case, at=at, reason="no complaint")),
        st.just(Withdrawn(case=case, at=at)),
        st.just(Reopened(case=case, at=at)),
        classes.map(lambda class_: Reclassified(case=case, at=at, role="handler", class_=class_)),
    )


def registration(case: str, minute: int, facts: dict[str, Any], complainants: Sequence[str], against: Sequence[str] = ()) -> Registered:
    """A registration under the procedure, as intake publishes it."""
    at = START + timedelta(minutes=minute)
    complainant = {"id": next(iter(complainants), None)}
    complaint = sample_complaint(case, at, facts=facts, complainant=complainant, against=list(against))
    registered = registered_event(complaint, PROCEDURE["id"], PROCEDURE["version"])
    return registered.model_copy(update={"complainant_keys": list(complainants)})


def split_batches(events: list[CaseEvent], sizes: list[int]) -> list[list[CaseEvent]]:
    """Split the events into batches of these sizes, the rest into single events."""
    remaining, batches = list(events), []
    for size in sizes:
        batches.append(remaining[:size])
        remaining = remaining[size:]
    return [batch for batch in [*batches, *([event] for event in remaining)] if batch]


def decide_in_memory(batches: Sequence[Sequence[CaseEvent]], rules: TriageRules) -> tuple[TriageState, list[CaseEvent]]:
    """The final state and the published events when each event is decided with the whole state in memory.

    A batch enters its complainants first, and counts again what they change.
    """
    state = TriageState()
    published: list[CaseEvent] = []
    for batch in batches:
        registrations = {event.case: event for event in batch if isinstance(event, Registered)}
        needed: dict[CountChange, datetime] = {}
        changed = [(name, event.at) for event in registrations.values() for name in state.people.add(person_keys(event)).changed]
        for person, at in changed:
            for change in recounts([person], state.cases, state.counters, state.people):
                needed.setdefault(change, at)
        for change in sorted(needed, key=_counted_case):
            published += state.recount(change, TriageContext(needed[change], ZoneInfo("Asia/Shanghai")))
        for event in batch:
            context = TriageContext(event.at, ZoneInfo("Asia/Shanghai"))
            if isinstance(event, Registered):
                published += state.add_case(event, rules, context)
            else:
                published += state.apply_event(event, context)
    return state, published


def _counted_case(change: CountChange) -> tuple[str, str, str]:
    assert change.joins is not None
    return change.joins.counter.count, change.joins.counter.key, change.case
