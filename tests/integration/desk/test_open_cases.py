"""All viewers share one reading of the open cases, and it shows each what a query of his own would."""

import asyncio
from datetime import timedelta

import pytest
from prometheus_client import REGISTRY

from services.desk.application import open_cases
from services.desk.application.open_cases import OpenCases
from services.desk.domain.viewer import Viewer
from services.desk.storage.visibility import visible_to
from shared.contracts.events.from_work_to_closing import Closed
from shared.contracts.events.up_to_approval import Assigned
from tests.integration.desk.conftest import PEOPLE, START, DeskProbe, registration
from tests.integration.desk.test_inbox import case_events

COUNT = """
SELECT count(*) AS open, count(*) FILTER (WHERE due_at < now()) AS late, count(*) FILTER (WHERE handler = '') AS unassigned,
       count(*) FILTER (WHERE seen_by && {0}::text[]) AS mine FROM case_row WHERE state = 'open' AND
"""


def readings() -> float:
    return REGISTRY.get_sample_value("jiesu_desk_query_seconds_count", {"query": "counts"}) or 0.0


def viewer(desk: DeskProbe, person: str) -> Viewer:
    of_person: Viewer = desk.service.app.state.dependencies.viewer(desk.sign_in(person))
    return of_person


def shared_cases(desk: DeskProbe) -> OpenCases:
    cases: OpenCases = desk.service.app.state.dependencies.inbox.open_cases
    return cases


@pytest.fixture
async def filled(desk: DeskProbe) -> DeskProbe:
    await desk.apply(
        [
            *case_events("late", "lifts", 1),
            *case_events("later", "lifts", 500_000),
            *case_events("water", "water", 2),
            *case_events("unrouted"),
            *case_events("accused", "lifts", 3, against=["wang"]),
            *case_events("ended", "lifts"),
            Closed(case="ended", at=START + timedelta(hours=1)),
            Assigned(case="later", at=START + timedelta(hours=1), person="wang"),
        ]
    )
    return desk


@pytest.mark.parametrize("person", [str(person["id"]) for person in PEOPLE])
async def test_counters_are_those_of_a_query_for_the_viewer_alone(filled: DeskProbe, person: str) -> None:
    of_person = viewer(filled, person)
    conditions = visible_to(of_person)
    start = conditions.place(COUNT, list(of_person.own))
    [expected] = await filled.rows(f"{start} {conditions.where}", *conditions.parameters)
    counts = await shared_cases(filled).counts(of_person, 1)
    assert {name: counts[name] for name in expected} == expected
    assert counts["open"] > 0


async def test_people_with_different_rights_share_one_reading(filled: DeskProbe) -> None:
    cases, people = shared_cases(filled), [viewer(filled, str(person["id"])) for person in PEOPLE]
    before = readings()
    await asyncio.gather(*(cases.counts(person, 1) for person in people), *(cases.following_counts(person, 1) for person in people))
    assert readings() - before == 1
    await cases.following_counts(people[0], 2)
    assert readings() - before == 2


async def test_after_a_reading_of_many_cases_a_page_does_not_wait_and_a_stream_does(
    filled: DeskProbe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(open_cases, "_PAUSE_SECONDS_A_CASE", 0.1)
    cases, of_person = shared_cases(filled), viewer(filled, "li")
    first = (await cases.counts(of_person, 1))["open"]
    await filled.apply([registration("new")])
    assert (await cases.counts(of_person, 2))["open"] == first
    assert (await cases.following_counts(of_person, 2))["open"] == first + 1
    assert (await cases.counts(of_person, 2))["open"] == first + 1


async def test_choices_are_those_of_the_cases_that_the_viewer_sees(filled: DeskProbe) -> None:
    cases = shared_cases(filled)
    assert (await cases.choices(viewer(filled, "li")))["department"] == ["lifts", "water"]
    assert (await cases.choices(viewer(filled, "shui"))) == {"procedure": ["shop"], "class": [], "department": ["water"]}
