"""`jiesu procedure replay NEW --cases …`: what would have differed under another version, on cases that were recorded."""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from cli.commands.authoring.simulate import scenario_organisation
from cli.evidence.archive_verification import read_decision_contexts
from cli.evidence.evidence_archive import ArchiveError, parse_ledger_rows, read_archive
from cli.evidence.sla_database import exit_with, query_sla
from services.sla.domain.evidence.case_history import CaseHistory
from services.sla.domain.evidence.recorded_events import RecordedEvent
from services.sla.storage import ledgers as records
from services.sla.storage.ledgers import HistoricalRulebooks
from shared.procedures.calendars.calendar import Calendar
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.procedure_error import ProcedureError
from shared.procedures.organisation import Organisation
from shared.runtime.database.database import Database
from simulator.from_ledger import scenario_from_ledgers
from simulator.scenario import Scenario, ScenarioError
from simulator.scenario import read_scenario as read_scenario
from simulator.simulation import simulate_scenario

ALL_CASES = "all"
_INPUT_ERRORS = (ProcedureError, ScenarioError, ArchiveError, ValueError, KeyError, TypeError, OSError)


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
            return f"{where}: new, {_iso(self.after)}"
        return f"{where}: gone, was {_iso(self.before)}" if self.after is None else f"{where}: {_iso(self.before)} → {_iso(self.after)}"


def compare_versions(new: str, case_sources: Sequence[str], *, as_json: bool) -> None:
    """Run recorded cases under another version and print which deadlines, breaches and escalations would have differed."""
    try:
        procedure = load_procedure(new)
        rehearsed = [each for source in case_sources for each in _load_source(source, procedure)]
        found = [each for one in rehearsed for each in version_differences(one, procedure)]
    except _INPUT_ERRORS as error:
        exit_with(f"{new}: {error}")
    total = sum(len(each.scenario.cases) for each in rehearsed)
    if as_json:
        shown = [
            {**{n: getattr(e, n) for n in ("source", "case", "what", "name")}, "before": _iso(e.before), "after": _iso(e.after)}
            for e in found
        ]
        typer.echo(json.dumps({"cases": total, "differences": shown}, ensure_ascii=False, indent=1))
        return
    for each in found:
        typer.echo(each.describe())
    typer.echo(f"{total} cases under {procedure.id}@{procedure.version}: {len(found)} differences")


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


def _load_source(source: str, new: Procedure) -> Iterator[RecordedCases]:
    path = Path(source)
    if path.is_dir() or path.suffix in (".yaml", ".yml"):
        files = sorted(path.glob("**/*.yaml")) if path.is_dir() else [path]
        found = [each for file in files if (each := _scenario(file)).procedure.id == new.id]
    elif path.is_file():
        found = [_archive(path)]
    else:
        found = _database(source, new)
    if not found:
        exit_with(f"--cases {source}: holds no case under {new.id}")
    yield from found


def _scenario(file: Path) -> RecordedCases:
    scenario = read_scenario(file)
    organisation = scenario_organisation(scenario, file.parent)
    calendars = {str(each["id"]): Calendar.parse(each) for each in organisation.calendars}
    return RecordedCases(file.stem, scenario, load_procedure(scenario.procedure, base_folder=file.parent), organisation, calendars)


def _archive(path: Path) -> RecordedCases:
    files = read_archive(path)
    lines = [RecordedEvent(json.loads(row.body), row.cause, row.origin, row.basis) for row in parse_ledger_rows(files["ledger.jsonl"])]
    basis = read_decision_contexts(files)[lines[-1].basis]
    procedure = _recorded_procedure(lines)
    return RecordedCases(
        path.name, scenario_from_ledgers({lines[0].body["case"]: lines}, procedure), procedure, basis.organisation, basis.calendars
    )


def _database(source: str, new: Procedure) -> list[RecordedCases]:
    async def asked(database: Database) -> tuple[list[CaseHistory], HistoricalRulebooks]:
        async with database.transaction() as tx:
            library = await HistoricalRulebooks.load(tx)
        chosen = [] if source == ALL_CASES else [source]
        return [each async for each in records.load_case_histories(database, chosen, new.id if source == ALL_CASES else "")], library

    dossiers, library = query_sla(asked)
    together: dict[tuple[Any, ...], dict[str, list[RecordedEvent]]] = defaultdict(dict)
    for dossier in dossiers:
        lines = dossier.recorded_events()
        first = lines[0].body
        together[first["procedure"], first["version"], json.dumps(first.get("parameters", {}))][dossier.case] = lines
    made = []
    for ledgers in together.values():
        lines = next(iter(ledgers.values()))
        kept = library.for_context(lines[-1].basis)
        procedure = _recorded_procedure(lines)
        made.append(RecordedCases("database", scenario_from_ledgers(ledgers, procedure), procedure, kept.organisation, kept.calendars))
    return made


def _recorded_procedure(lines: Sequence[RecordedEvent]) -> Procedure:
    return load_procedure(f"{lines[0].body['procedure']}@{lines[0].body['version']}")


def _iso(at: datetime | None) -> str | None:
    return None if at is None else (at if at.tzinfo else at.replace(tzinfo=UTC)).isoformat(timespec="seconds")
