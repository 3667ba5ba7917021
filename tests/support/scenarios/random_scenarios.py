"""Random cases under any pack: random actions by random roles at random instants, with outages of the service."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from services.sla.domain.deadlines.worktime import to_micros
from shared.contracts.actions import ACTION_DEFINITIONS
from shared.procedures.loading.loader import installed_packs, load_procedure
from shared.procedures.model.bound_procedure import BoundProcedure, bind_parameters
from simulator.scenario import Scenario, parse_scenario

DrawnScenario = tuple[str, Scenario, list[tuple[int, int]]]
"""Pack, scenario, outages (from, to; microseconds)."""

START = datetime.fromisoformat("2026-09-17T08:00:00+08:00")
PARAMETER_VALUES = {"duration": "2d", "int": 3, "number": 1.0, "text": "x"}


def bind_with_defaults(pack: str) -> BoundProcedure:
    procedure = load_procedure(pack)
    values = {name: PARAMETER_VALUES[parameter.type] for name, parameter in procedure.parameters.items() if parameter.default is None}
    return bind_parameters(procedure, values)


def action_data(action: str, draw: st.DrawFn, bound: BoundProcedure) -> dict[str, Any]:
    classes = [class_.id for class_ in bound.procedure.classes] or ["ordinary"]
    clocks = [clock.id for clock in bound.procedure.clocks] or ["none"]
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
    for extension in ("request_extension", "grant_extension", "refuse_extension"):
        by_action[extension] = st.fixed_dictionaries({"clock": st.sampled_from(clocks), "by": st.sampled_from(["1d", "1wd", "2h"])})
    return draw(by_action.get(action, st.just({"reason": "因故"})))


@st.composite
def random_scenarios(draw: st.DrawFn) -> tuple[str, Scenario, list[tuple[int, int]]]:
    pack = draw(st.sampled_from(installed_packs()))
    bound = bind_with_defaults(pack)
    roles = [*bound.procedure.role_names, "owner", "complainant"]
    flags = [name for name, fact in bound.procedure.facts.items() if fact.type == "bool"]
    registered = START + timedelta(minutes=draw(st.sampled_from([0, 5, 3000])))
    at, steps = registered, []
    for _ in range(draw(st.integers(0, 12))):
        at += timedelta(minutes=draw(st.sampled_from([0, 1, 30, 240, 1440, 4320, 20000])))
        action = draw(st.sampled_from(sorted(ACTION_DEFINITIONS)))
        data = action_data(action, draw, bound)
        steps.append({"at": at.isoformat(), "action": action, "role": draw(st.sampled_from(roles)), "data": data})
    facts = draw(st.dictionaries(st.sampled_from(flags), st.booleans(), max_size=4)) if flags else {}
    outages = []
    start = START
    for _ in range(draw(st.integers(0, 2))):
        start += timedelta(hours=draw(st.integers(1, 200)))
        end = start + timedelta(hours=draw(st.integers(1, 400)))
        outages.append((to_micros(start), to_micros(end)))
        start = end
    complaint = {
        "received_at": START.isoformat(),
        "registered_at": registered.isoformat(),
        "channel": draw(st.sampled_from(["hotline", "letter", "regulator"])),
        "complainant": {"kind": "customer", "name": "王先生", "phone": "13800000000"},
        "text": draw(st.sampled_from(["3号楼电梯停运", "收费不合理", "service was slow"])),
        "facts": facts,
    }
    data = {"procedure": pack, "complaint": complaint, "steps": steps, "until": (at + timedelta(days=60)).isoformat()}
    return pack, parse_scenario(data, "random"), outages
