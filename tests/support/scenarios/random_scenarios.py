"""Random cases: any pack, any actions by any roles in any order, at odd instants, with outages; all draws shrink."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from services.sla.domain.deadlines.worktime import to_micros
from shared.contracts.actions import ACTION_DEFINITIONS
from shared.procedures.loading.loader import installed_packs, load_procedure
from shared.procedures.model.bound_procedure import BoundProcedure, bind_parameters
from simulator.scenario import Scenario, parse_scenario

Outages = list[tuple[int, int]]
"""When nothing is decided: from, to (microseconds)."""
DrawnScenario = tuple[str, Scenario, Outages]
"""Pack, scenario, outages."""

START = datetime.fromisoformat("2026-09-17T08:00:00+08:00")
PARAMETER_VALUES = {"duration": "2d", "int": 3, "number": 1.0, "text": "x"}


def bind_with_defaults(pack: str) -> BoundProcedure:
    """A pack's procedure; parameters without a default get a value of their type."""
    procedure = load_procedure(pack)
    values = {name: PARAMETER_VALUES[parameter.type] for name, parameter in procedure.parameters.items() if parameter.default is None}
    return bind_parameters(procedure, values)


@st.composite
def random_scenarios(draw: st.DrawFn) -> DrawnScenario:
    """A scenario and outages for one of the installed packs."""
    pack = draw(st.sampled_from(installed_packs()))
    return pack, draw(scenarios_for(bind_with_defaults(pack))), draw(outages())


@st.composite
def scenarios_for(
    draw: st.DrawFn, bound: BoundProcedure, actions: tuple[str, ...] = tuple(sorted(ACTION_DEFINITIONS)), min_steps: int = 0
) -> Scenario:
    """A scenario with up to twelve of the actions, by any roles of the procedure."""
    roles = [*bound.procedure.role_names, "owner", "complainant"]
    registered = START + timedelta(minutes=draw(st.sampled_from([0, 5, 3000])))
    at, steps = registered, []
    for _ in range(draw(st.integers(min_steps, 12))):
        at += timedelta(minutes=draw(st.sampled_from([0, 1, 30, 240, 1440, 4320, 20000])))
        action = draw(st.sampled_from(actions))
        steps.append(
            {"at": at.isoformat(), "action": action, "role": draw(st.sampled_from(roles)), "data": draw(action_data(action, bound))}
        )
    flags = _flags(bound)
    complaint = {
        "received_at": START.isoformat(),
        "registered_at": registered.isoformat(),
        "channel": draw(st.sampled_from(["hotline", "letter", "regulator"])),
        "complainant": {"kind": "customer", "name": "王先生", "phone": "13800000000"},
        "text": draw(st.sampled_from(["3号楼电梯停运", "收费不合理", "service was slow"])),
        "facts": draw(st.dictionaries(st.sampled_from(flags), st.booleans(), max_size=4)) if flags else {},
    }
    until = (at + timedelta(days=60)).isoformat()
    return parse_scenario({"procedure": bound.procedure.id, "complaint": complaint, "steps": steps, "until": until}, "random")


@st.composite
def outages(draw: st.DrawFn) -> Outages:
    """Up to two outages of hours or days."""
    intervals, begins = [], START
    for _ in range(draw(st.integers(0, 2))):
        begins += timedelta(hours=draw(st.integers(1, 200)))
        ends = begins + timedelta(hours=draw(st.integers(1, 400)))
        intervals.append((to_micros(begins), to_micros(ends)))
        begins = ends
    return intervals


def action_data(action: str, bound: BoundProcedure) -> st.SearchStrategy[dict[str, Any]]:
    """Data that the action accepts, often with effect on the case."""
    classes = [each.id for each in bound.procedure.classes] or ["ordinary"]
    clocks = [each.id for each in bound.procedure.clocks] or ["none"]
    flags = _flags(bound)
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
    by_action |= _finding_data()
    for extension in ("request_extension", "grant_extension", "refuse_extension"):
        by_action[extension] = st.fixed_dictionaries({"clock": st.sampled_from(clocks), "by": st.sampled_from(["1d", "1wd", "2h"])})
    return by_action.get(action, st.just({"reason": "因故"}))


def _finding_data() -> dict[str, st.SearchStrategy[dict[str, Any]]]:
    """Data of the actions that record findings; several households and notices, so that their steps mix."""
    households, notices = st.sampled_from(["", "1-1", "１-1"]), st.sampled_from(["", "停水"])
    return {
        "record_cause": st.just({"cause": "施工"}),
        "record_liability": st.just({"persons": ["p1"], "units": ["one"]}),
        "record_sanction": st.just({"sanction": "fine", "persons": ["p1"], "amount": 100.5}),
        "propose_compensation": st.fixed_dictionaries({"compensation": st.just("cash"), "amount": st.just(200), "household": households}),
        "decide_compensation": st.fixed_dictionaries({"passed": st.booleans(), "household": households}),
        "pay_compensation": st.fixed_dictionaries({"household": households}, optional={"amount": st.sampled_from([80, 120.5])}),
        "record_agreement": st.fixed_dictionaries({"household": st.sampled_from(["1-1", "1-2"]), "agreed": st.booleans()}),
        "report_concealment": st.just({"concealment": "evasion", "persons": ["owner"], "text": "推诿"}),
        "draft_notice": st.fixed_dictionaries({"text": st.just("公告"), "notice": notices}),
        "decide_notice": st.fixed_dictionaries({"passed": st.booleans(), "notice": notices}),
        "publish_notice": st.fixed_dictionaries({"place": st.just("大堂"), "notice": notices}),
        "confirm_notice": st.fixed_dictionaries({"attachments": st.just(["photo.jpg"]), "notice": notices}),
        "record_call": st.sampled_from([{"to": "complainant", "result": "busy"}, {"person": "王", "result": "reached"}]),
        "record_meeting": st.just({"persons": ["p1"], "place": "会议室"}),
    }


def _flags(bound: BoundProcedure) -> list[str]:
    return [name for name, fact in bound.procedure.facts.items() if fact.type == "bool"]
