"""Simulates small procedures and shows their events as short lines; 9 November 2026 is a Monday."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import yaml

from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.lifecycle.inputs import OpenCase
from services.sla.domain.rules.rulebook import Rulebook
from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation, open_organisation
from simulator.scenario import Scenario, parse_scenario
from simulator.simulation import Simulation, simulate_scenario

TimelineRow = dict[str, Any]
_HEAD = {"id": "small", "version": 1, "title": {"zh": "小", "en": "Small"}, "register": {"number": "S-{seq:05}"}}
_SILENT = {"remind_at": None, "tell_owner": False, "escalate_after": None, "missed_period": False}
"""Switches off what the engine adds to every limit, so that a test shows what its own entries do."""
_ROLES = ["officer", "boss", "chief"]


def small_procedure(procedure: str) -> Procedure:
    """A procedure of these entries, with the roles officer, boss and chief; the defaults for limits hold where it gives `limits`."""
    return Procedure.model_validate({**_HEAD, "roles": _ROLES, "limits": _SILENT, **yaml.safe_load(procedure)})


def small_rulebook(procedure: str, calendar: Calendar | None = None) -> Rulebook:
    """The rulebook of such a procedure, without parameters, under an organisation in which every role is held."""
    return Rulebook(bind_parameters(small_procedure(procedure), {}), open_organisation(), {"default": calendar or default_calendar()})


def run_steps(
    procedure: str, *steps: str, until: str = "20 00:00", organisation: TimelineRow | None = None, **complaint: Any
) -> list[TimelineRow]:
    """The timeline of one complaint received on the 9th at 09:00.

    A step is written `11 10:00 answer boss text=hello`: day, time, action, role (`-` for none), data.
    """
    company = _company(organisation)
    calendars = {str(entry["id"]): Calendar.parse(entry) for entry in company.calendars}
    return simulate_scenario(_scenario(steps, until, complaint), bind_parameters(small_procedure(procedure)), company, calendars)


def requested_messages(
    procedure: str, *steps: str, until: str, organisation: TimelineRow | None = None, **complaint: Any
) -> list[TimelineRow]:
    """The notification requests of one complaint received on the 9th at 09:00, with the values of their templates; steps as above."""
    simulation = Simulation(bind_parameters(small_procedure(procedure)), _company(organisation), {})
    return [event for event in simulation.run(_scenario(steps, until, complaint)) if event["event"] == "notification_requested"]


def _scenario(steps: Iterable[str], until: str, complaint: TimelineRow) -> Scenario:
    scenario = {
        "procedure": "small",
        "complaint": {"received_at": november_instant("09 09:00"), "text": "x", **complaint},
        "steps": [_step(step) for step in steps],
        "until": november_instant(until),
    }
    return parse_scenario(scenario, "small")


def _company(organisation: TimelineRow | None) -> Organisation:
    return open_organisation() if organisation is None else Organisation.model_validate({"id": "company", **organisation})


def event_lines(rows: Iterable[TimelineRow], *event_types: str) -> list[str]:
    """The events of these types as `11 18:00 clock_breached c.1`; without a clock, with the action, recipients, class or role."""
    return [f"{_day_and_time(row['at'])} {row['event']} {_detail(row)}".rstrip() for row in rows if row["event"] in event_types]


def november_instant(day_and_time: str) -> str:
    """`11 10:00` as an instant of November 2026 in China."""
    day, time = day_and_time.split(" ")
    return f"2026-11-{day}T{time}{':00' if time.count(':') == 1 else ''}+08:00"


def november_micros(day_and_time: str) -> int:
    """The same in microseconds."""
    return to_micros(datetime.fromisoformat(november_instant(day_and_time)))


def small_opening() -> OpenCase:
    """The input that opens a case for a complaint received on the 9th at 09:00."""
    received = november_micros("09 09:00")
    return OpenCase("case", "small", 1, received, received, {"channel": "hotline", "text": "x"}, {"number": "S-1"}, {})


def _step(step: str) -> TimelineRow:
    day, time, action, role, *pairs = step.split(" ")
    data = {name: yaml.safe_load(value) for name, _, value in (pair.partition("=") for pair in pairs)}
    return {"at": november_instant(f"{day} {time}"), "action": action, "role": "" if role == "-" else role, "data": data}


def _day_and_time(at: datetime) -> str:
    return at.strftime("%d %H:%M:%S").removesuffix(":00") if at.second else at.strftime("%d %H:%M")


def _detail(row: TimelineRow) -> str:
    if "clock" in row and "round" in row:
        return f"{row['clock']}.{row['round']}"
    if row["event"] == "action_refused":
        return f"{row['action']} {row.get('clause', '')}"
    if row["event"] == "notification_requested":
        return ",".join(row["recipients"])
    return str(row.get("class") or row.get("role") or "")
