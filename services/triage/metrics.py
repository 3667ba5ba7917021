"""Triage's metrics; label values come from procedures and the organisation, never from complaints."""

import collections
from collections.abc import Collection, Iterable

from prometheus_client import Counter

from shared.contracts.events.base import CaseEvent
from shared.contracts.events.triage import Classified, GroupDissolved, GroupFound, Reclassified, Routed, RouteProposed
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation
from shared.runtime.process.measured_gauge import MeasuredGauge, bounded

CLASSIFIED = Counter("jiesu_triage_classified", "Complaints classified for the first time", ["procedure", "class"])
RECLASSIFIED = Counter("jiesu_triage_reclassified", "Classes changed by triage: by a group or an amendment", ["procedure", "class"])
ROUTED = Counter("jiesu_triage_routed", "Complaints routed to a department", ["procedure", "department"])
PROPOSED = Counter("jiesu_triage_route_proposed", "Routes that triage only proposed", ["procedure", "department"])
GROUPS = Counter("jiesu_triage_groups_found", "Groups found across cases", ["procedure", "count"])
DISSOLVED = Counter("jiesu_triage_groups_dissolved", "Groups that no longer hold", ["procedure"])
RECOUNTS = MeasuredGauge(
    "jiesu_triage_recounts_waiting", "Counts that wait to be taken again because complainants turned out to be one person", ["procedure"]
)
FAILED_CONDITIONS = Counter(
    "jiesu_triage_failed_conditions", "Complaints decided without a rule that could not be evaluated on them", ["procedure"]
)


def count_failed_conditions(procedures: Iterable[str]) -> None:
    """Count decisions in which a rule of these procedures could not be evaluated."""
    for procedure, number in collections.Counter(procedures).items():
        FAILED_CONDITIONS.labels(procedure).inc(number)


def department_labels(organisation: Organisation) -> frozenset[str]:
    """The departments of the organisation; any other counts as `other`."""
    return frozenset({organisation.catch_all, *(department.id for department in organisation.departments)})


def initialise(procedures: Iterable[Procedure], organisation: Organisation) -> None:
    """Create the time series of the counters: an increase from nothing would not be seen."""
    for procedure in procedures:
        DISSOLVED.labels(procedure.id)
        FAILED_CONDITIONS.labels(procedure.id)
        for counter in (CLASSIFIED, RECLASSIFIED):
            for entry in procedure.classes:
                counter.labels(procedure.id, entry.id)
        for counter in (ROUTED, PROPOSED):
            for department in department_labels(organisation):
                counter.labels(procedure.id, department)
        for count in procedure.counts:
            GROUPS.labels(procedure.id, count.id)


def count_events(events: Iterable[CaseEvent], organisation: Organisation) -> None:
    """Count published events; each time series is incremented once."""
    departments = department_labels(organisation)
    for (counter, *labels), number in collections.Counter(_time_series(event, departments) for event in events).items():
        if counter is not None:
            counter.labels(*labels).inc(number)


def _time_series(event: CaseEvent, departments: Collection[str]) -> tuple[Counter | None, *tuple[str, ...]]:
    match event:
        case Reclassified():
            return RECLASSIFIED, event.procedure, event.class_
        case Classified():
            return CLASSIFIED, event.procedure, event.class_
        case Routed():
            counter = PROPOSED if isinstance(event, RouteProposed) else ROUTED
            return counter, event.procedure, bounded(event.department, departments)
        case GroupFound():
            return GROUPS, event.procedure, event.rule
        case GroupDissolved():
            return DISSOLVED, event.procedure
    return (None,)
