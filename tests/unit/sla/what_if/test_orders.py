"""An order for a trial is checked before anything runs, and a fault names its field."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.sla.what_if.orders import TrialNotAllowedError, TrialOrders, TrialPeriod, TrialRefusedError
from shared.procedures.access import Actor
from shared.procedures.loading.loader import load_procedure
from shared.procedures.numbers.stated_numbers import stated_numbers
from shared.procedures.organisation import Organisation

MEASURES = next(number.key for number in stated_numbers(load_procedure("hunan-property")) if number.clauses == ("3.5.2",))
BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
ORGANISATION = Organisation.model_validate(
    {
        "id": "estate",
        "people": [{"id": "li", "roles": ["assistant"], "may": ["what_if"]}, {"id": "zhao", "roles": ["assistant"], "may": ["unmask"]}],
        "sources": [{"id": "hotline", "procedure": "hunan-property"}],
    }
)
ORDER: dict[str, Any] = {"procedure": "hunan-property", "version": 1, "period": TrialPeriod(BEGIN, BEGIN + timedelta(days=30))}


def actor(person: str) -> Actor:
    return Actor(person, ORGANISATION.person(person))


def test_order_names_what_changes() -> None:
    order = TrialOrders(ORGANISATION, Path()).check(actor("li"), numbers={MEASURES: "8wd"}, **ORDER)
    assert [(number.key, value) for number, value in order.changed.changes] == [(MEASURES, "8wd")]
    assert order.changed.procedure.clocks != order.pack.procedure.clocks


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"numbers": {MEASURES: "soon", "none": "1"}}, {f"numbers.{MEASURES}", "numbers.none"}),
        ({"numbers": {MEASURES: "3wd"}}, {"numbers"}),
        ({"procedure": "country-garden"}, {"procedure"}),
        ({"version": 2, "period": TrialPeriod(BEGIN, BEGIN)}, {"version", "received_before"}),
        ({"period": TrialPeriod(BEGIN, BEGIN + timedelta(days=367))}, {"received_from"}),
    ],
)
def test_fault_names_its_field_and_not_the_value(changes: dict[str, Any], fields: set[str]) -> None:
    with pytest.raises(TrialRefusedError) as refused:
        TrialOrders(ORGANISATION, Path()).check(actor("li"), **{**ORDER, "numbers": {MEASURES: "8wd"}, **changes})
    assert {fault.field for fault in refused.value.faults} == fields
    assert "soon" not in str(refused.value)


@pytest.mark.parametrize("who", [actor("zhao"), Actor("hotline"), Actor("case", complains=True)])
def test_right_is_needed_before_anything_is_told(who: Actor) -> None:
    with pytest.raises(TrialNotAllowedError):
        TrialOrders(ORGANISATION, Path()).check(who, "unknown", 1, ORDER["period"], {})
