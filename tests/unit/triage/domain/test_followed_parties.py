"""Whom a case concerns after its events."""

from datetime import UTC, datetime

import pytest

from services.triage.domain.followed_parties import PARTY_EVENTS, parties_after
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.triage import Routed, RouteProposed
from shared.contracts.events.up_to_approval import Assigned, Reassigned, Returned, Signed
from shared.procedures.access import CaseParties

BEFORE = CaseParties(department="repairs", proposed="estate", cooperating=("gardens",), handler="li")
FIELDS = {"case": "c1", "at": datetime(2026, 9, 24, 8, tzinfo=UTC), "procedure": "shop", "version": 1}


@pytest.mark.parametrize(
    ("event", "after"),
    [
        (Routed(**FIELDS, department="lifts"), CaseParties("lifts", "estate", (), "li")),
        (Reassigned(**FIELDS, department="lifts", cooperating=["roofs"]), CaseParties("lifts", "estate", ("roofs",), "li")),
        (RouteProposed(**FIELDS, department="lifts"), CaseParties("repairs", "lifts", ("gardens",), "li")),
        (Returned(**FIELDS), CaseParties("", "estate", (), "")),
        (Assigned(**FIELDS, person="wang"), CaseParties("repairs", "estate", ("gardens",), "wang")),
    ],
)
def test_event_changes_whom_the_case_concerns(event: CaseEvent, after: CaseParties) -> None:
    assert event.type in PARTY_EVENTS
    assert parties_after(BEFORE, event) == after


def test_other_events_change_nothing() -> None:
    assert parties_after(BEFORE, Signed(**FIELDS)) is BEFORE
