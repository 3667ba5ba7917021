"""Which events meet an expectation, and what is reported where none does."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from simulator.expectations import check_expectation, event_matches, unmet_expectations

NINE = datetime.fromisoformat("2026-11-09T09:00:00+08:00")


def event(name: str, hours: int = 0, **fields: Any) -> dict[str, Any]:
    return {"at": NINE + timedelta(hours=hours), "event": name, **fields}


EVENTS = [event("registered"), event("reminded", 1, clauses=["3.6.1"]), event("reminded", 2), event("closed", 2)]


@pytest.mark.parametrize(
    ("expected", "fields", "matches"),
    [
        ({"clause": "3.6"}, {"clauses": ["3.6.1"]}, True),
        ({"clause": "3.6.1"}, {"clauses": ["3.6"]}, False),
        ({"clause": "3.6"}, {"clause": "3.6"}, True),
        ({"recipients": "li"}, {"recipients": ["wang", "li"]}, True),
        ({"recipients": ["li", "wang"]}, {"recipients": ["wang", "li"]}, True),
        ({"recipients": ["li"]}, {"recipients": ["wang", "li"]}, False),
        ({"reason": ""}, {}, True),
        ({"reason": "late"}, {}, False),
        ({"at": NINE}, {"at": NINE}, True),
    ],
)
def test_event_matches_on_every_key_of_the_expectation(expected: dict[str, Any], fields: dict[str, Any], *, matches: bool) -> None:
    assert event_matches(expected, fields) is matches


def test_instants_of_an_expectation_compare_as_instants() -> None:
    expected = {"event": "clock_breached", "known_at": "2026-11-09T02:00:00+01:00"}
    check_expectation(expected)
    assert event_matches(expected, event("clock_breached", known_at=NINE))


@pytest.mark.parametrize(
    "expectations",
    [
        [{"event": "registered"}, {"event": "reminded"}, {"event": "closed"}],
        [{"event": "closed"}, {"event": "reminded", "at": NINE + timedelta(hours=2)}],
        [{"event": "reminded", "times": 2}, {"event": "reopened", "times": 0}],
        [{"absent": "closed", "before": NINE + timedelta(hours=2)}, {"absent": "reminded", "after": NINE + timedelta(hours=2)}],
    ],
    ids=["in order", "same instant in any order", "counted", "absent before and after"],
)
def test_met_expectations_report_nothing(expectations: list[dict[str, Any]]) -> None:
    assert unmet_expectations(expectations, EVENTS) == []


@pytest.mark.parametrize(
    ("expectations", "problem"),
    [
        (
            [{"event": "closed"}, {"event": "registered"}],
            "expected event: registered at or after 2026-11-09T11:00:00+08:00, which did not happen",
        ),
        ([{"event": "reminded"}, {"event": "reminded"}, {"event": "reminded"}], "event: reminded at or after"),
        ([{"event": "reminded", "times": 1}], "expected event: reminded 1 times, but it happened 2 times"),
        ([{"absent": "closed"}], "event: closed must not happen, but did at 2026-11-09T11:00:00+08:00"),
    ],
    ids=["order", "each event meets one expectation", "count", "absent"],
)
def test_unmet_expectation_is_reported(expectations: list[dict[str, Any]], problem: str) -> None:
    [line] = unmet_expectations(expectations, EVENTS)
    assert problem in line


def test_an_expected_instant_of_a_call_is_compared_as_an_instant() -> None:
    expected: dict[str, Any] = {"event": "call_recorded", "happened_at": "2026-11-09T01:00:00+00:00"}
    check_expectation(expected)
    assert event_matches(expected, event("call_recorded", happened_at=NINE))
