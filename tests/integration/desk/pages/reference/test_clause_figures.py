"""Figures of clauses from the events of a case that sla's own functions decided."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from services.desk.config import DeskSettings
from services.desk.storage.figures.clause_figures import ClauseFigures, load_clause_figures
from shared.contracts.events import decode_event
from shared.procedures.loading.loader import load_pack
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.organisation import open_organisation
from simulator.scenario import read_scenario
from tests.integration.desk.conftest import DEPARTMENTS, PEOPLE, START, DeskProbe
from tests.support.messaging.sample_organisation import SOURCES, write_organisation
from tests.support.messaging.settings import SettingsFactory
from tests.support.scenarios.recording_simulation import RecordingSimulation

PROCEDURE = "greentown-qd1001"


@pytest.fixture
def desk_settings(make_settings: SettingsFactory, tmp_path: Path) -> DeskSettings:
    sources = [*SOURCES, {"id": "estate", "procedure": PROCEDURE}]
    organisation = write_organisation(tmp_path, people=PEOPLE, departments=DEPARTMENTS, sources=sources)
    return make_settings(DeskSettings, organisation=organisation, desk_path="/desk")


def recorded_events(scenario_name: str) -> list[Any]:
    """The published events of a scenario's case."""
    path = next(path for path in load_pack(PROCEDURE).scenarios if path.stem == scenario_name)
    scenario = read_scenario(path)
    recording = RecordingSimulation(bind_parameters(load_pack(PROCEDURE).procedure, scenario.parameters), open_organisation(), {})
    recording.run_cases(scenario)
    (ledger,) = recording.ledgers.values()
    return [decode_event(line.body["type"], orjson.dumps(line.body)) for line in ledger]


async def test_deemed_acts_breaches_and_late_ends_are_counted_at_their_clauses(desk: DeskProbe) -> None:
    await desk.apply(recorded_events("deemed_approved"))
    viewer = desk.service.app.state.dependencies.viewer(desk.sign_in("li"))
    since = START.replace(year=2026, month=1)
    async with desk.service.database.transaction() as tx:
        figures = await load_clause_figures(tx, PROCEDURE, since, viewer)
        none = await load_clause_figures(tx, PROCEDURE, START, viewer)
    # The executive's day passed on the 24th; a day later the measures were deemed approved, which ended the round.
    assert figures["4.5.5"] == ClauseFigures(applied=1, late=1)
    assert figures["4.8.1.3"] == ClauseFigures(deemed=1)
    # The measures came before anybody had signed: their own clock never ran.
    assert "4.5.3" not in figures
    assert figures["4.8.4"] == ClauseFigures(applied=1, running=1)
    assert none == {}
    async with desk.service.database.transaction() as tx:
        # A round that ended after its instant is late where its clause speaks of no breach too; at the instant it is in time.
        await tx.execute("UPDATE case_deadline SET breached_at = NULL WHERE clause = '4.5.5'")
        assert (await load_clause_figures(tx, PROCEDURE, since, viewer))["4.5.5"] == ClauseFigures(applied=1, late=1)
        await tx.execute("UPDATE case_deadline SET due_at = ended_at WHERE clause = '4.5.5'")
        assert (await load_clause_figures(tx, PROCEDURE, since, viewer))["4.5.5"] == ClauseFigures(applied=1, in_time=1)
        await tx.execute("UPDATE case_row SET received_at = now()")
    page = await desk.browser.get(f"/regulations/{PROCEDURE}", headers={"Accept-Language": "en"})
    assert page.text.count("<div><dt>deemed</dt><dd>1</dd></div>") == 1
