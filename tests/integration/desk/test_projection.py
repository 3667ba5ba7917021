"""Events become rows, each once, in whatever batches they come."""

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts import topics
from shared.contracts.events.clocks import ClockBreached, ClockMoved, ClockPaused, ClockStarted, ClockStopped, Escalated
from shared.contracts.events.from_work_to_closing import Closed, EscalationAcknowledged, PersonErased, Reopened, Supplemented, Urged
from shared.contracts.events.notifications import NotificationDelivered, NotificationRequested, NotificationSent
from shared.contracts.events.triage import Classified, Routed, RouteProposed
from shared.contracts.events.up_to_approval import Amended, Assigned
from tests.integration.desk.conftest import START, DeskProbe, registration

CASE = "c1"
DUE = START + timedelta(days=2)
HOUR = timedelta(hours=1)


def story() -> list[Any]:
    common: dict[str, Any] = {"case": CASE, "procedure": "shop", "version": 3}
    return [
        registration(CASE, text="三号楼电梯停运", attachments=["a1"]),
        Classified(**common, at=START, **{"class": "urgent"}, subject="lift"),
        RouteProposed(**common, at=START, department="water"),
        Routed(**common, at=START, department="lifts"),
        ClockStarted(**common, at=START, clock="answer", round=1, due_at=DUE, clause="3.1", started_at=START),
        ClockStarted(**common, at=START, clock="visit", round=1, due_at=DUE - HOUR, started_at=START),
        ClockPaused(**common, at=START + HOUR, clock="visit", round=1),
        ClockMoved(**common, at=START + HOUR, clock="answer", round=1, due_at=DUE + HOUR, from_at=DUE),
        Assigned(**common, at=START + HOUR, person="wang"),
        Urged(**common, at=START + 2 * HOUR),
        Escalated(**common, at=START + 2 * HOUR, clock="answer", round=1, level=1),
        ClockBreached(**common, at=DUE + HOUR, clock="answer", round=1, due_at=DUE + HOUR),
        Amended(**common, at=DUE + HOUR, fields={"title": "电梯故障"}),
        Supplemented(**common, at=DUE + HOUR, text="又停了"),
        NotificationRequested(**common, at=DUE + HOUR, notification="n1", recipients=["owner"], template="breach"),
    ]


async def row_of(desk: DeskProbe) -> dict[str, Any]:
    (row,) = await desk.rows("SELECT * FROM case_row WHERE case_id = $1", CASE)
    return row


@pytest.mark.parametrize("size", [1, 3, 100])
async def test_the_row_holds_what_the_inbox_needs(desk: DeskProbe, size: int) -> None:
    events = story()
    for start in range(0, len(events), size):
        await desk.apply(events[start : start + size])
    row = await row_of(desk)
    expected = {
        "state": "open",
        "class": "urgent",
        "department": "lifts",
        "proposed": "water",
        "handler": "wang",
        "level": 1,
        "urgings": 1,
        "due_at": DUE + HOUR,
        "due_clock": "answer",
        "breached": True,
        "escalated": True,
        "title": "电梯故障",
        "seen_by": ["d:lifts", "p:wang"],
        "sequence": len(events),
    }
    assert {name: row[name] for name in expected} == expected
    runs = await desk.rows("SELECT clock, state, due_at, breached_at, clause FROM case_deadline ORDER BY clock")
    assert runs == [
        {"clock": "answer", "state": "running", "due_at": DUE + HOUR, "breached_at": DUE + HOUR, "clause": "3.1"},
        {"clock": "visit", "state": "paused", "due_at": None, "breached_at": None, "clause": ""},
    ]
    (words,) = await desk.rows("SELECT words FROM case_search")
    assert {"电梯停运", "电梯故障", "又停了"} <= {part for part in ("电梯停运", "电梯故障", "又停了") if part in words["words"]}


async def contents(desk: DeskProbe) -> dict[str, list[dict[str, Any]]]:
    tables = ("case_row", "case_event", "case_deadline", "case_message", "case_delivery", "case_attachment", "case_search")
    return {table: await desk.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in tables}


async def test_events_that_come_again_change_nothing(desk: DeskProbe) -> None:
    numbered = [event.model_copy(update={"sequence": number}) for number, event in enumerate(story(), 1)]
    await desk.apply(numbered)
    before = await contents(desk)
    await desk.apply(numbered[3:])
    await desk.apply([registration(CASE)], topics.COMPLAINT_EVENTS)
    assert await contents(desk) == before


async def test_intakes_registration_lists_the_case_at_once(desk: DeskProbe) -> None:
    await desk.apply([registration(CASE, text="漏水")], topics.COMPLAINT_EVENTS)
    row = await row_of(desk)
    assert (row["number"], row["sequence"], row["seen_by"]) == (row["number"], 0, ["d:"])
    assert row["number"]


async def test_a_stopped_clock_is_due_no_more_and_an_ended_case_is_reopened(desk: DeskProbe) -> None:
    await desk.apply([*story(), ClockStopped(case=CASE, at=DUE, clock="answer", round=1), Closed(case=CASE, at=DUE)])
    row = await row_of(desk)
    assert (row["due_at"], row["state"], row["ended_at"], row["escalated"]) == (None, "closed", DUE, False)
    (run,) = await desk.rows("SELECT state, due_at, ended_at FROM case_deadline WHERE clock = 'answer'")
    assert run == {"state": "stopped", "due_at": DUE + HOUR, "ended_at": DUE}
    await desk.apply([Reopened(case=CASE, at=DUE)])
    assert (await row_of(desk))["state"] == "open"


async def test_the_outcome_of_a_message_is_never_replaced_by_an_earlier_stage(desk: DeskProbe) -> None:
    outcome: dict[str, Any] = {"case": CASE, "at": START, "notification": "n1", "delivery": "d1", "channel": "sms", "recipient": "wang"}
    await desk.apply(story())
    await desk.apply([NotificationDelivered(**outcome)], topics.NOTIFICATION_EVENTS)
    await desk.apply([NotificationSent(**outcome)], topics.NOTIFICATION_EVENTS)
    assert [row["status"] for row in await desk.rows("SELECT status FROM case_delivery")] == ["delivered"]


async def test_an_acknowledged_escalation_is_none(desk: DeskProbe) -> None:
    await desk.apply([*story(), EscalationAcknowledged(case=CASE, at=DUE)])
    assert (await row_of(desk))["escalated"] is False


async def test_erasing_a_person_leaves_no_words_of_the_case(desk: DeskProbe) -> None:
    await desk.apply([*story(), PersonErased(case=CASE, at=DUE)])
    text = str(await contents(desk))
    assert "电梯" not in text
    assert "又停了" not in text
    assert (await row_of(desk))["due_clock"] == "answer"
