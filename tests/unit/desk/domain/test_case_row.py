"""The row of a case names the department, the cooperating ones and the handler that triage follows too."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.desk.domain.case_row import CaseRow, apply_event
from services.triage.domain.followed_parties import PARTY_EVENTS, parties_after
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.triage import Routed, RouteProposed
from shared.contracts.events.up_to_approval import Assigned, Reassigned, Returned, Signed
from shared.procedures.access import CaseParties

FIELDS = {"case": "c1", "at": datetime(2026, 9, 24, 8, tzinfo=UTC), "procedure": "shop", "version": 1}
EVENTS: list[CaseEvent] = [
    Routed(**FIELDS, department="lifts"),
    Reassigned(**FIELDS, department="works", cooperating=["roofs", "gardens"]),
    RouteProposed(**FIELDS, department="estate"),
    Returned(**FIELDS),
    Assigned(**FIELDS, person="wang"),
    Assigned(**FIELDS, to_role="officer"),
    Signed(**FIELDS),
]


@given(st.lists(st.sampled_from(EVENTS), max_size=8))
def test_row_has_the_parties_that_triage_follows(events: list[CaseEvent]) -> None:
    row, parties = CaseRow("c1"), CaseParties()
    for event in events:
        apply_event(row, event, frozenset())
        parties = parties_after(parties, event)
    assert (row.department, row.proposed, tuple(row.cooperating), row.handler) == (
        parties.department,
        parties.proposed,
        parties.cooperating,
        parties.handler,
    )


def test_every_event_that_changes_the_parties_is_tried() -> None:
    assert {event.type for event in EVENTS} >= PARTY_EVENTS
