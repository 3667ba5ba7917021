"""Every metric that triage owns; label values come from procedures and the organisation, never from complaints."""

from collections.abc import Iterable

from prometheus_client import Counter

from services.triage.domain.desk import Desk
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.triage import Classified, GroupDissolved, GroupFound, Reclassified, Routed, RouteProposed

CLASSIFIED = Counter("jiesu_triage_classified", "Complaints classified for the first time", ["procedure", "class"])
RECLASSIFIED = Counter("jiesu_triage_reclassified", "Classes changed by triage: by a group or an amendment", ["procedure", "class"])
ROUTED = Counter("jiesu_triage_routed", "Complaints routed to a department", ["procedure", "department"])
PROPOSED = Counter("jiesu_triage_route_proposed", "Routes that triage only proposed", ["procedure", "department"])
GROUPS = Counter("jiesu_triage_groups_found", "Groups found across cases", ["procedure", "count"])
DISSOLVED = Counter("jiesu_triage_groups_dissolved", "Groups that no longer hold", ["procedure"])


def count(events: Iterable[CaseEvent], desk: Desk) -> None:
    """Count what was decided."""
    departments = {department.id for department in desk.organisation.departments} | {desk.organisation.catch_all}
    for event in events:
        match event:
            case Reclassified():
                RECLASSIFIED.labels(event.procedure, event.class_).inc()
            case Classified():
                CLASSIFIED.labels(event.procedure, event.class_).inc()
            case Routed():
                counter = PROPOSED if isinstance(event, RouteProposed) else ROUTED
                counter.labels(event.procedure, event.department if event.department in departments else "other").inc()
            case GroupFound():
                GROUPS.labels(event.procedure, event.rule).inc()
            case GroupDissolved():
                DISSOLVED.labels(event.procedure).inc()
