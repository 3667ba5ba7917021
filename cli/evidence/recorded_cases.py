"""Reads recorded cases from an evidence archive, from scenario files, or from the database."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cli.database import query_service
from cli.exit_status import exit_with
from services.sla.application.rulebooks import HistoricalRulebooks
from services.sla.domain.evidence.case_history import CaseHistory
from services.sla.domain.evidence.decision_context import DecisionContext
from services.sla.domain.evidence.recorded_events import RecordedEvent
from services.sla.evidence.archive import parse_ledger_rows, read_archive, read_decision_contexts
from services.sla.storage import case_histories
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.procedure import Procedure
from shared.runtime.database.database import Database
from simulator.from_ledger import scenario_from_ledgers
from simulator.run import organisation_calendars, scenario_organisation
from simulator.scenario import read_scenario
from simulator.version_comparison import RecordedCases

ALL_CASES = "all"


def load_recorded_cases(source: str, new: Procedure) -> list[RecordedCases]:
    """The cases in `source` that were recorded under any version of the procedure `new`; ends the command where there are none.

    `source` is an evidence archive, a scenario file, a folder of scenario files, a case's id in the database, or `all`.
    """
    path = Path(source)
    if path.is_dir() or path.suffix in (".yaml", ".yml"):
        files = sorted(path.glob("**/*.yaml")) if path.is_dir() else [path]
        cases = [recorded for recorded in map(_from_scenario, files) if recorded.procedure.id == new.id]
    elif path.is_file():
        cases = [_from_archive(path)]
    else:
        cases = _from_database(source, new)
    if not cases:
        exit_with(f"--cases {source}: holds no case under {new.id}")
    return cases


def _from_scenario(file: Path) -> RecordedCases:
    scenario = read_scenario(file)
    procedure = load_procedure(scenario.procedure, base_folder=file.parent)
    organisation = scenario_organisation(scenario, file.parent)
    return RecordedCases(file.stem, scenario, procedure, organisation, organisation_calendars(organisation))


def _from_archive(path: Path) -> RecordedCases:
    files = read_archive(path)
    rows = parse_ledger_rows(files["ledger.jsonl"])
    events = [RecordedEvent(json.loads(row.body), row.cause, row.origin, row.basis) for row in rows]
    return _recorded(path.name, {events[0].body["case"]: events}, read_decision_contexts(files)[events[-1].basis])


def _from_database(source: str, new: Procedure) -> list[RecordedCases]:
    async def load(database: Database) -> tuple[list[CaseHistory], HistoricalRulebooks]:
        async with database.transaction() as tx:
            rulebooks = await HistoricalRulebooks.load(tx)
        case_ids, procedure_id = ([], new.id) if source == ALL_CASES else ([source], "")
        return [history async for history in case_histories.load_case_histories(database, case_ids, procedure_id)], rulebooks

    histories, rulebooks = query_service("sla", load)
    # Cases of one version and one set of parameters are simulated together, since links and groups span cases.
    batches: dict[tuple[Any, ...], dict[str, Sequence[RecordedEvent]]] = defaultdict(dict)
    for history in histories:
        events = history.recorded_events()
        registered = events[0].body
        key = registered["procedure"], registered["version"], json.dumps(registered.get("parameters", {}))
        batches[key][history.case] = events
    return [
        _recorded("database", batch, rulebooks.for_context(next(iter(batch.values()))[-1].basis).decision_context)
        for batch in batches.values()
    ]


def _recorded(name: str, events_by_case: Mapping[str, Sequence[RecordedEvent]], context: DecisionContext) -> RecordedCases:
    registered = next(iter(events_by_case.values()))[0].body
    procedure = load_procedure(f"{registered['procedure']}@{registered['version']}")
    return RecordedCases(name, scenario_from_ledgers(events_by_case, procedure), procedure, context.organisation, context.calendars)
