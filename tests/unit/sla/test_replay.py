"""Replay equals live: from a case's ledger alone the same events, deadlines and state come out."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.sla.domain.lifecycle import next_due
from services.sla.domain.replay import Recorded, departures, refold, settle
from services.sla.domain.worktime import micros
from shared.cli.scenario import Scenario, parse, read
from shared.contracts.actions import ACTIONS
from shared.procedures.bound import Bound, bind
from shared.procedures.calendar import Calendar
from shared.procedures.loader import installed, load, load_organisation, load_pack
from shared.procedures.organisation import Organisation, everyone
from tests.support.recording import Recording

START = datetime.fromisoformat("2026-09-17T08:00:00+08:00")
VALUES = {"duration": "2d", "int": 3, "number": 1.0, "text": "x"}


def bound_of(pack: str) -> Bound:
    procedure = load(pack)
    given = {name: VALUES[each.type] for name, each in procedure.parameters.items() if each.default is None}
    return bind(procedure, given)


def replayed(recording: Recording, name: str) -> list[str]:
    """How a case departs from its replay."""
    found = refold(recording.ledgers[name], recording.find)
    live = recording.cases[name]
    settle(found, None if next_due(live) is None else (next_due(live) or 0) - 1)
    assert found.case is not None
    return found.differences or departures(found.case, orjson.loads(orjson.dumps(asdict(live))))


def organisation_of(scenario: Scenario, base: Path) -> Organisation:
    if scenario.organisation is None:
        return everyone()
    if isinstance(scenario.organisation, dict):
        return Organisation.model_validate(scenario.organisation)
    return load_organisation(base / scenario.organisation)


@pytest.mark.parametrize("pack", installed())
def test_every_scenario_of_a_pack_comes_out_again(pack: str) -> None:
    for path in load_pack(pack).scenarios:
        scenario = read(path)
        organisation = organisation_of(scenario, path.parent)
        calendars = {str(each["id"]): Calendar.parse(each) for each in organisation.calendars}
        recording = Recording(bind(load(scenario.procedure, base=path.parent), scenario.parameters), organisation, calendars)
        recording.play(scenario)
        for name in recording.cases:
            assert not replayed(recording, name), path.name


def action_data(action: str, draw: st.DrawFn, bound: Bound) -> dict[str, Any]:
    classes = [each.id for each in bound.procedure.classes] or ["ordinary"]
    clocks = [each.id for each in bound.procedure.clocks] or ["none"]
    flags = [name for name, fact in bound.procedure.facts.items() if fact.type == "bool"]
    by_action: dict[str, st.SearchStrategy[dict[str, Any]]] = {
        "amend": st.fixed_dictionaries(
            {"facts": st.dictionaries(st.sampled_from(flags), st.booleans(), max_size=3) if flags else st.just({})}
        ),
        "classify": st.fixed_dictionaries({"class": st.sampled_from(classes)}),
        "reclassify": st.fixed_dictionaries({"class": st.sampled_from(classes)}),
        "route": st.fixed_dictionaries({"department": st.sampled_from(["one", "two"])}),
        "reassign": st.fixed_dictionaries({"department": st.sampled_from(["one", "two"])}),
        "call_back": st.fixed_dictionaries({"outcome": st.sampled_from(["satisfied", "dissatisfied", "unreachable"])}),
        "review": st.fixed_dictionaries({"passed": st.booleans()}),
        "verify": st.fixed_dictionaries({"passed": st.booleans()}),
        "agree_date": st.fixed_dictionaries({"date": st.sampled_from(["2026-09-29T12:00:00+08:00", "2026-10-12T12:00:00+08:00"])}),
        "answer": st.sampled_from([{}, {"next_date": "2026-09-30T10:00:00+08:00"}, {"text": "已答复"}]),
        "assign": st.sampled_from([{"person": "p1"}, {"role": "handler"}]),
        "link": st.just({"case": "other", "as": "repeat"}),
        "submit_measures": st.sampled_from([{}, {"promise": True}, {"text": "方案", "promise": "三天"}]),
    }
    for each in ("request_extension", "grant_extension", "refuse_extension"):
        by_action[each] = st.fixed_dictionaries({"clock": st.sampled_from(clocks), "by": st.sampled_from(["1d", "1wd", "2h"])})
    return draw(by_action.get(action, st.just({"reason": "因故"})))


@st.composite
def scenarios(draw: st.DrawFn) -> tuple[str, Scenario, list[tuple[int, int]]]:
    pack = draw(st.sampled_from(installed()))
    bound = bound_of(pack)
    roles = [*bound.procedure.role_names, "owner", "complainant"]
    flags = [name for name, fact in bound.procedure.facts.items() if fact.type == "bool"]
    registered = START + timedelta(minutes=draw(st.sampled_from([0, 5, 3000])))
    at, steps = registered, []
    for _ in range(draw(st.integers(0, 12))):
        at += timedelta(minutes=draw(st.sampled_from([0, 1, 30, 240, 1440, 4320, 20000])))
        action = draw(st.sampled_from(sorted(ACTIONS)))
        data = action_data(action, draw, bound)
        steps.append({"at": at.isoformat(), "action": action, "role": draw(st.sampled_from(roles)), "data": data})
    facts = draw(st.dictionaries(st.sampled_from(flags), st.booleans(), max_size=4)) if flags else {}
    outages = []
    begun = START
    for _ in range(draw(st.integers(0, 2))):
        begun += timedelta(hours=draw(st.integers(1, 200)))
        ended = begun + timedelta(hours=draw(st.integers(1, 400)))
        outages.append((micros(begun), micros(ended)))
        begun = ended
    complaint = {
        "received_at": START.isoformat(),
        "registered_at": registered.isoformat(),
        "channel": draw(st.sampled_from(["hotline", "letter", "regulator"])),
        "complainant": {"kind": "customer", "name": "王先生", "phone": "13800000000"},
        "text": draw(st.sampled_from(["3号楼电梯停运", "收费不合理", "service was slow"])),
        "facts": facts,
    }
    data = {"procedure": pack, "complaint": complaint, "steps": steps, "until": (at + timedelta(days=60)).isoformat()}
    return pack, parse(data, "random"), outages


@given(scenarios())
@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_random_cases_come_out_again_whatever_the_outages(drawn: tuple[str, Scenario, list[tuple[int, int]]]) -> None:
    pack, scenario, outages = drawn
    recording = Recording(bound_of(pack), everyone(), outages=outages)
    recording.play(scenario)
    for name in recording.cases:
        assert not replayed(recording, name)


def test_a_changed_event_is_named_with_the_field_that_departs() -> None:
    recording = _ordinary()
    lines = recording.ledgers["case"]
    place = next(i for i, line in enumerate(lines) if line.body["type"] == "clock_started")
    forged = {**lines[place].body, "due_at": "2027-01-01T00:00:00+08:00"}
    changed = [*lines[:place], Recorded(forged, lines[place].cause, lines[place].origin), *lines[place + 1 :]]
    assert "due_at: recorded" in refold(changed, recording.find).differences[0]


def test_an_event_left_out_is_named() -> None:
    recording = _ordinary()
    lines = recording.ledgers["case"]
    assert "comes out, but is not recorded" in refold(lines[:-1], recording.find).differences[-1]


def _ordinary() -> Recording:
    path = next(path for path in load_pack("hunan-property").scenarios)
    scenario = read(path)
    recording = Recording(bind(load("hunan-property"), scenario.parameters), everyone())
    recording.play(scenario)
    return recording
