"""An entry is shown if a scenario of the second reading fails without it."""

from pathlib import Path

import pytest

from shared.procedures.loading.loader import load_pack
from simulator.sense_coverage import read_senses, sense_coverage
from tests.unit.procedures.sample_pack import SCENARIO, write_pack

CHASED = '  - {event: reminded, clause: "3.1"}\n'
BREACHED = '  - {event: clock_breached, clause: "3"}\n'
ESCALATED = '  - {event: escalated, clause: "3.2"}\n'
CLASSIFIED = '  - {event: classified, clause: "2"}\n'


def gaps(folder: Path) -> list[str]:
    return [gap.partition(": ")[0] for gap in sense_coverage(load_pack(folder)).gaps]


def without(*expectations: str) -> str:
    scenario = SCENARIO
    for expectation in expectations:
        assert expectation in scenario
        scenario = scenario.replace(expectation, "")
    return scenario


def test_a_clause_is_shown_by_a_scenario_that_fails_without_an_entry_of_it(tmp_path: Path) -> None:
    coverage = sense_coverage(load_pack(write_pack(tmp_path, sense=SCENARIO)))
    assert coverage.gaps == ()
    rows = {row.clause: row for row in coverage.clauses}
    assert (dict(rows["4"].shown), rows["4"].unshown) == ({"closing.0": "sense/read"}, ("actions.close",))
    assert (rows["2"].shown, rows["2"].unshown) == ((("classes.ordinary", "sense/read"),), ("classes.urgent",))


def test_a_pack_without_a_second_reading_has_a_gap_for_each_clause_that_needs_a_scenario(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path))
    assert read_senses(pack).shown == {}
    assert gaps(tmp_path) == ["sample/2", "sample/3", "sample/3.1", "sample/4"]


def test_scenarios_of_the_author_show_nothing(tmp_path: Path) -> None:
    assert gaps(write_pack(tmp_path, scenario=SCENARIO, sense=without(CHASED))) == ["sample/3.1"]


def test_an_expectation_of_the_clause_that_holds_without_the_entry_shows_nothing(tmp_path: Path) -> None:
    """The scenario names the clause, but what it expects does not depend on the entry."""
    not_yet = '  - {absent: reminded, clause: "3.1", before: 2026-09-24T12:00:00+08:00}\n'
    assert gaps(write_pack(tmp_path, sense=SCENARIO.replace(CHASED, not_yet))) == ["sample/3.1"]


def test_a_scenario_that_fails_with_the_entry_in_place_shows_nothing(tmp_path: Path) -> None:
    assert gaps(write_pack(tmp_path, sense=SCENARIO + "  - {event: closed}\n")) == ["sample/2", "sample/3", "sample/3.1", "sample/4"]


def test_an_only_effect_is_shown_with_its_whole(tmp_path: Path) -> None:
    # The period that the chase misses is a breach of clause 3.1, and so of clause 3 too.
    scenario = without(ESCALATED).replace(BREACHED, "  - {event: clock_breached, clock: handling}\n")
    only_breach = ("do: [breach, {escalate: up}]", "do: [breach]")
    reading = read_senses(load_pack(write_pack(tmp_path, only_breach, sense=scenario)))
    assert {"clocks.handling", "clocks.handling.due.0", "clocks.handling.due.0.do.0"} <= set(reading.shown)
    assert "ladders.up" in reading.unshown


@pytest.mark.parametrize("expected", [True, False])
def test_a_procedure_that_cannot_run_without_an_entry_shows_only_what_its_scenario_expects(tmp_path: Path, *, expected: bool) -> None:
    """Without its ladder the escalation has nowhere to go: the run ends with an error, whatever the scenario is about."""
    scenario = SCENARIO if expected else without(ESCALATED)
    reading = read_senses(load_pack(write_pack(tmp_path, sense=scenario)))
    assert ("ladders.up" in reading.shown) is expected


def test_a_file_of_the_second_reading_may_have_the_name_of_another(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path, sense=without(BREACHED)))
    (tmp_path / "scenarios" / "sense" / "all.yaml").write_text(SCENARIO.replace("../procedure", "../../procedure"), "utf-8")
    assert [pack.scenario_name(path) for path in pack.scenarios] == ["all", "sense/all", "sense/read"]
    assert gaps(tmp_path) == []
