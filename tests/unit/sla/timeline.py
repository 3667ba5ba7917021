"""Small procedures in a few lines, played on the pure cores; what happened comes back as short lines. 9 November 2026 is a Monday."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import yaml

from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation, open_organisation
from simulator.scenario import Scenario, parse_scenario
from simulator.simulation import Simulation, simulate_scenario

TimelineRow = dict[str, Any]
_HEAD = {"id": "small", "version": 1, "title": {"zh": "小", "en": "Small"}, "register": {"number": "S-{seq:05}"}}
_ROLES = ["officer", "boss", "chief"]


def small_procedure(procedure: str) -> Procedure:
    """A procedure of these entries, with the roles officer, boss and chief."""
    return Procedure.model_validate({**_HEAD, "roles": _ROLES, **yaml.safe_load(procedure)})


def run_steps(
    procedure: str, *steps: str, until: str = "20 00:00", organisation: TimelineRow | None = None, **complaint: Any
) -> list[TimelineRow]:
    """The timeline of one complaint received on the 9th at 09:00.

    A step is written `11 10:00 answer boss text=hello`: day, time, action, role (`-` for none), data.
    """
    scenario = _scenario(steps, until, complaint)
    return simulate_scenario(scenario, bind_parameters(small_procedure(procedure)), _company(organisation))


def requested_messages(procedure: str, *, until: str, organisation: TimelineRow | None = None) -> list[TimelineRow]:
    """The notification requests of one complaint received on the 9th at 09:00, with the values of their templates."""
    simulation = Simulation(bind_parameters(small_procedure(procedure)), _company(organisation), {})
    return [event for event in simulation.run(_scenario((), until, {})) if event["event"] == "notification_requested"]


def _scenario(steps: Iterable[str], until: str, complaint: TimelineRow) -> Scenario:
    received = {"received_at": november_instant("09 09:00"), "text": "x", **complaint}
    given = {"procedure": "small", "complaint": received, "steps": [_step(step) for step in steps], "until": november_instant(until)}
    return parse_scenario(given, "small")


def _company(organisation: TimelineRow | None) -> Organisation:
    return open_organisation() if organisation is None else Organisation.model_validate({"id": "company", **organisation})


def event_lines(rows: Iterable[TimelineRow], *event_types: str) -> list[str]:
    """The events of these kinds as `11 18:00 clock_breached c.1`: with the clock and its round, else role, recipients or reason."""
    return [f"{_when(row['at'])} {row['event']} {_what(row)}".rstrip() for row in rows if row["event"] in event_types]


def november_instant(written: str) -> str:
    """`11 10:00` as an instant of November 2026 in China."""
    day, time = written.split(" ")
    return f"2026-11-{day}T{time}{':00' if time.count(':') == 1 else ''}+08:00"


def _step(written: str) -> TimelineRow:
    day, time, action, role, *pairs = written.split(" ")
    data = {name: yaml.safe_load(value) for name, _, value in (pair.partition("=") for pair in pairs)}
    return {"at": november_instant(f"{day} {time}"), "action": action, "role": "" if role == "-" else role, "data": data}


def _when(at: datetime) -> str:
    return at.strftime("%d %H:%M:%S").removesuffix(":00") if at.second else at.strftime("%d %H:%M")


def _what(row: TimelineRow) -> str:
    if "clock" in row and "round" in row:
        return f"{row['clock']}.{row['round']}"
    if row["event"] == "action_refused":
        return f"{row['action']} {row.get('clause', '')}"
    if row["event"] == "notification_requested":
        return ",".join(row["recipients"])
    return str(row.get("class") or row.get("role") or "")
