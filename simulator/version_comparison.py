"""Compares recorded cases under another version of their procedure: deadlines, breaches and escalations that differ. Without I/O."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from shared.procedures.calendars.calendar import Calendar
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation
from simulator.scenario import Scenario
from simulator.simulation import simulate_scenario

_EventKey = tuple[str, str, str, int]
"""Case, kind (`deadline`, `breach` or `escalation`), name, and the number of the round or occurrence."""


@dataclass(frozen=True, slots=True)
class RecordedCases:
    """Cases recorded under one version, as a scenario with the procedure, organisation and calendars that decided them."""

    name: str
    scenario: Scenario
    procedure: Procedure
    organisation: Organisation
    calendars: dict[str, Calendar]


@dataclass(frozen=True, slots=True)
class DeadlineDifference:
    """A deadline, breach or escalation that is new (`before` is None), gone (`after` is None), or at another instant."""

    source: str
    case: str
    kind: str
    name: str
    before: datetime | None
    after: datetime | None

    def describe(self) -> str:
        """The difference as a line of text."""
        subject = f"{self.source}: " + (f"case {self.case}: " if self.case else "") + f"{self.kind} {self.name}"
        before, after = _format_instant(self.before), _format_instant(self.after)
        if before is None:
            return f"{subject}: new, {after}"
        return f"{subject}: gone, was {before}" if after is None else f"{subject}: {before} → {after}"

    def to_json(self) -> dict[str, str | None]:
        """The difference as a JSON object; instants have an offset."""
        return {
            "source": self.source,
            "case": self.case,
            "what": self.kind,
            "name": self.name,
            "before": _format_instant(self.before),
            "after": _format_instant(self.after),
        }


def version_differences(recorded: RecordedCases, new: Procedure) -> list[DeadlineDifference]:
    """Simulate recorded cases under their procedure and under `new`, and compare; raises `ValueError` (also `ProcedureError`)."""
    before = _instants_by_key(_simulate(recorded, recorded.procedure))
    after = _instants_by_key(_simulate(recorded, new))
    differing = [key for key in dict.fromkeys((*before, *after)) if before.get(key) != after.get(key)]
    return [DeadlineDifference(recorded.name, *key[:3], before.get(key), after.get(key)) for key in differing]


def _simulate(recorded: RecordedCases, procedure: Procedure) -> list[dict[str, Any]]:
    # A parameter that only the other version declares would be an error.
    parameters = {name: value for name, value in recorded.scenario.parameters.items() if name in procedure.parameters}
    return simulate_scenario(recorded.scenario, bind_parameters(procedure, parameters), recorded.organisation, recorded.calendars)


def _instants_by_key(timeline: Sequence[Mapping[str, Any]]) -> dict[_EventKey, datetime]:
    """The last due instant of each round, and the instant of every breach and escalation."""
    instants: dict[_EventKey, datetime] = {}
    occurrences: dict[tuple[str, str, str], int] = defaultdict(int)
    for event in timeline:
        case, event_type = str(event.get("case", "")), event["event"]
        if event_type in ("clock_started", "clock_moved") and "due_at" in event:
            instants[case, "deadline", event["clock"], event["round"]] = event["due_at"]
        elif event_type in ("clock_breached", "escalated"):
            if event_type == "clock_breached":
                kind, name = "breach", str(event.get("clock") or event.get("ladder") or "")
            else:
                kind, name = "escalation", ", ".join(event.get("recipients", []))
            occurrences[case, kind, name] += 1
            instants[case, kind, name, occurrences[case, kind, name]] = event["at"]
    return instants


def _format_instant(at: datetime | None) -> str | None:
    return None if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat(timespec="seconds")
