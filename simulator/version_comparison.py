"""What would have differed under another version of a procedure, on cases that were recorded."""

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


@dataclass(frozen=True, slots=True)
class RecordedCases:
    """Cases to be gone through together: as a scenario, with the procedure, organisation and calendars that they had."""

    name: str
    scenario: Scenario
    procedure: Procedure
    organisation: Organisation
    calendars: dict[str, Calendar]


@dataclass(frozen=True, slots=True)
class DeadlineDifference:
    """A deadline, breach or escalation that is new (no `before`), gone (no `after`), or falls elsewhere."""

    source: str
    case: str
    what: str
    name: str
    before: datetime | None
    after: datetime | None

    def describe(self) -> str:
        """In words."""
        where = f"{self.source}: " + (f"case {self.case}: " if self.case else "") + f"{self.what} {self.name}"
        if self.before is None:
            return f"{where}: new, {iso_instant(self.after)}"
        return (
            f"{where}: gone, was {iso_instant(self.before)}"
            if self.after is None
            else f"{where}: {iso_instant(self.before)} → {iso_instant(self.after)}"
        )


def version_differences(recorded: RecordedCases, new: Procedure) -> list[DeadlineDifference]:
    """What differs between the procedure that cases had and another; raises `ValueError` (also `ProcedureError`)."""
    before = _deadline_events(_run(recorded, recorded.procedure))
    after = _deadline_events(_run(recorded, new))
    keys = dict.fromkeys((*before, *after))
    changed = [(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)]
    return [DeadlineDifference(recorded.name, case, what, name, old, later) for (case, what, name, _), old, later in changed]


def _run(one: RecordedCases, procedure: Procedure) -> list[dict[str, Any]]:
    given = {name: value for name, value in one.scenario.parameters.items() if name in procedure.parameters}
    return simulate_scenario(one.scenario, bind_parameters(procedure, given), one.organisation, one.calendars)


def _deadline_events(timeline: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str, str, int], datetime]:
    """Case, what, name and number → instant: the last due instant of each round, every breach, every escalation."""
    found: dict[tuple[str, str, str, int], datetime] = {}
    numbers: dict[tuple[str, str, str], int] = defaultdict(int)
    for event in timeline:
        case, kind = str(event.get("case", "")), event["event"]
        if kind in ("clock_started", "clock_moved") and "due_at" in event:
            found[case, "deadline", event["clock"], event["round"]] = event["due_at"]
        elif kind in ("clock_breached", "escalated"):
            what = "breach" if kind == "clock_breached" else "escalation"
            name = str(event.get("clock") or event.get("ladder") or "") if what == "breach" else ", ".join(event.get("recipients", []))
            numbers[case, what, name] += 1
            found[case, what, name, numbers[case, what, name]] = event["at"]
    return found


def iso_instant(at: datetime | None) -> str | None:
    """An instant with its offset, to the second."""
    return None if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat(timespec="seconds")
