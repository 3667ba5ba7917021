"""Recorded cases from an archive, scenario files or the database, to be run under another version of their procedure."""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from cli.database import query_service
from cli.evidence.evidence_archive import parse_ledger_rows, read_archive, read_decision_contexts
from cli.exit_status import exit_with
from services.sla.domain.evidence.case_history import CaseHistory
from services.sla.domain.evidence.replay import RecordedEvent
from services.sla.storage import ledgers as records
from services.sla.storage.ledgers import HistoricalRulebooks
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.procedure import Procedure
from shared.runtime.database.database import Database
from simulator.from_ledger import scenario_from_ledgers
from simulator.run import organisation_calendars, scenario_organisation
from simulator.scenario import read_scenario
from simulator.version_comparison import RecordedCases

ALL_CASES = "all"


def load_source(source: str, new: Procedure) -> Iterator[RecordedCases]:
    """The recorded cases that a source names; the command ends where it holds none under the procedure."""
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
    calendars = organisation_calendars(organisation)
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

    dossiers, library = query_service("sla", asked)
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
