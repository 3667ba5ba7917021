"""Escalation: a matter climbs a ladder rung by rung until somebody acknowledges it, or nobody is left."""

from __future__ import annotations

from typing import Any

from services.sla.domain.deadlines.counting import reach
from services.sla.domain.lifecycle.case import Climb
from services.sla.domain.lifecycle.decision_builder import Draft
from services.sla.domain.lifecycle.notifications import holders, request, unreached
from services.sla.domain.rules.rulebook import clauses
from shared.procedures.model.duration import Duration
from shared.procedures.model.effects import names
from shared.procedures.model.timed_entries import Ladder

SILENCE = "1d"
"""How long a role that is not on a ladder of the procedure has before the matter goes on up the organisation's line."""


def escalate(draft: Draft, at: int, name: str, because: dict[str, Any], clock: str, by: list[str]) -> None:
    """Put a matter on a ladder (or before a role); where it already climbs, a new cause takes it one rung further."""
    ladder = ladder_of(draft, name)
    own = because.get("clauses") or ([because["clause"]] if "clause" in because else [])
    patient = ladder.every is None  # only a new cause moves it, so one climb serves the whole case
    climb = next((each for each in draft.case.climbs if each.ladder == name and (patient or (each.clock == clock and each.active))), None)
    if climb is None:
        climb = Climb(name, clock, -1, None, active=True, clause=own, by=by)
        draft.case.climbs.append(climb)
    climb.active = True
    step(draft, climb, at)


def step(draft: Draft, climb: Climb, at: int) -> None:
    """Take a matter to the next rung that somebody holds."""
    ladder = ladder_of(draft, climb.ladder)
    because = draft.because(climb.ladder, list(dict.fromkeys([*climb.clause, *clauses(ladder.clause)])))
    for rung in range(climb.rung + 1, len(ladder.rungs)):
        told = [role for role in names(ladder.rungs[rung]) if holders(draft, role, at)]
        if told:
            climb.rung = rung
            climb.next = None if ladder.every is None else reach(draft.worktime, at, Duration.parse(ladder.every))[0]
            _tell(draft, climb, at, told, because)
            return
    climb.active, climb.next, climb.rung = False, None, len(ladder.rungs)
    unreached(draft, at, names(ladder.rungs[-1])[-1], because, climb.ladder)


def acknowledge(draft: Draft) -> None:
    """Somebody has taken it up: silence no longer takes any matter further."""
    for climb in draft.case.climbs:
        climb.active, climb.next = False, None


def ladder_of(draft: Draft, name: str) -> Ladder:
    """The procedure's ladder of that id; for a role, the organisation's line from there upward."""
    found = draft.rulebook.ladders.get(name)
    if found is not None:
        return found
    rungs: list[str | list[str]] = [name]
    role = draft.rulebook.organisation.above(name)
    while role is not None and role not in rungs:
        rungs.append(role)
        role = draft.rulebook.organisation.above(role)
    return Ladder.model_construct(id=name, clause=None, zh="", en="", rungs=rungs, every=SILENCE, by=["email", "sms"])


def _tell(draft: Draft, climb: Climb, at: int, told: list[str], because: dict[str, Any]) -> None:
    data = {**because, "role": told[0], "recipients": told, "rung": climb.rung + 1, "ladder": climb.ladder}
    if climb.clock:
        data["clock"] = climb.clock
    cause = "timer" if draft.now > at else ""
    draft.add("escalated", at, data, cause)
    request(draft, at, told, because, {"by": climb.by, "about": "escalated", "urgent": True, "clock": climb.clock or None})
