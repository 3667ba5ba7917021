"""The working copy of a case is equal to the case and independent of it."""

from dataclasses import MISSING, fields
from typing import Any

import orjson
import pytest

from services.sla.domain.lifecycle.case import Case, ClockRun, Escalation
from services.sla.domain.lifecycle.defaults.call_backs import CallBacks
from services.sla.domain.lifecycle.findings.records import Compensation, Findings
from services.sla.domain.lifecycle.links.records import CaseLink, Duplicate

RUNNING = ClockRun(
    clock="work",
    number=2,
    start=5,
    event="registered",
    state="paused",
    seen=[0],
    pauses=[[6, None]],
    dues=[7, None],
    done=[1],
    reminders=[6],
    reminded=[0],
    occurred=6,
    next_occurrence=8,
    extensions=[{"by": "1d", "until": None}],
    provisional=True,
    ended=9,
    deemed="handled",
    breached=7,
    known_at=8,
    stilled=True,
    earliest_due=11,
    unit="repairs",
    acted=6,
    lost=True,
)
ENDED = ClockRun("work", 1, 1, "registered", state="stopped", ended=3)


@pytest.fixture
def case() -> Case:
    return Case(
        id="case",
        procedure="shop",
        version=3,
        number="TS-1",
        received_at=1,
        registered_at=2,
        complaint={"text": "…"},
        parameters={"days": 3},
        status="closed",
        kind="demand",
        class_="grave",
        rule="grave",
        subject="lifts",
        department="repairs",
        proposed="gardens",
        cooperating=["gardens"],
        handler="ou",
        owner="officer",
        level=1,
        facts={"urgent": True},
        accepted=True,
        approved=True,
        answered=True,
        suspended=True,
        unsigned=True,
        agreed=7,
        links=[CaseLink("other", "group", "together/other")],
        lead="first",
        duplicates=[Duplicate("second", 7, ["phone:1"], {"work": [9, None]}, ["visit"])],
        handed_over={"work": {"started_at": "", "due": []}},
        complainant_keys=["phone:1"],
        urgings=2,
        urgings_told_at=8,
        ended_by="boss",
        windows={"object": ["4"]},
        decisions={"approval": ""},
        decided_by_person=["class"],
        last={"answered": {"at": 4}},
        count={"answered": 1},
        rounds={"work": [ENDED, RUNNING.working_copy()]},
        climbs=[Escalation("up", "work", 0, 9, active=True, clause=["4"], by=["sms"], every=["1wd"])],
        sequence=5,
        leads=[(3, "repairs")],
        call_backs=CallBacks("dissatisfied", after_handling=True, unreached_days=["2026-11-09"]),
        findings=Findings({"3-1": True}, {"3-1": Compensation("compensation_approved", "cash", 12.5, 2.5)}, {"": "notice_drafted"}),
        receipts={"repairs": 1},
        review={"sequence": 3, "reason": "audit", "model": "m1", "guesses": []},
    )


def test_working_copy_has_the_value_of_every_field(case: Case) -> None:
    for original in (case, RUNNING):
        assert original.working_copy() == original
        defaults = {
            field.name: field.default_factory() if field.default_factory is not MISSING else field.default for field in fields(original)
        }
        assert [name for name, default in defaults.items() if getattr(original, name) == default] == []


def test_change_of_a_working_copy_leaves_the_case_unchanged(case: Case) -> None:
    before = orjson.dumps(case)
    copy = case.working_copy()
    run = copy.rounds["work"][-1]
    lists: list[list[Any]] = [run.seen, run.dues, run.done, run.reminders, run.reminded, run.pauses, run.extensions]
    lists += [copy.links, copy.cooperating, copy.decided_by_person, copy.rounds["work"], copy.climbs]
    for changed in lists:
        changed.append(1)
    run.state, copy.climbs[0].active = "stopped", False
    mappings: list[dict[str, Any]] = [copy.facts, copy.windows, copy.last, copy.count, copy.rounds]
    for mapping in mappings:
        mapping["new"] = 1
    assert orjson.dumps(case) == before


def test_case_is_read_back_from_its_json(case: Case) -> None:
    assert Case.from_dict(orjson.loads(orjson.dumps(case))) == case
