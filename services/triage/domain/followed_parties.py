"""Follows which departments and which handler a case concerns, so that triage's answers obey the same policy as sla's."""

from dataclasses import replace

from services.triage.domain.assess import TRIAGE
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.triage import Routed, RouteProposed
from shared.contracts.events.up_to_approval import Assigned, Reassigned, Returned
from shared.procedures.access import CaseParties

PARTY_EVENTS = frozenset({"routed", "reassigned", "route_proposed", "returned", "assigned"})
"""Types of the events that change whom a case concerns."""
OWN_ROUTES = frozenset({("routed", TRIAGE), ("route_proposed", TRIAGE)})
"""Event type and `by` of triage's own routes on case-events: it stores them when it decides, which spares a record a case."""


def parties_after(parties: CaseParties, event: CaseEvent) -> CaseParties:
    """Whom the case concerns after an event; other events change nothing."""
    match event:
        case RouteProposed():
            return replace(parties, proposed=event.department)
        case Routed() | Reassigned():
            return replace(parties, department=event.department, cooperating=tuple(event.cooperating))
        case Returned():
            return replace(parties, department="", cooperating=(), handler="")
        case Assigned():
            return replace(parties, handler=event.person or event.to_role)
    return parties
