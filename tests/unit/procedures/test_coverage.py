"""Coverage: clause, entries, scenarios, and what counts as a hole."""

from pathlib import Path

import pytest

from shared.procedures.coverage import coverage
from shared.procedures.loading.loader import load_pack
from shared.procedures.model.clauses import counts_for, order
from tests.unit.procedures.samples import CLAUSES, SCENARIO, write_pack


@pytest.mark.parametrize(
    ("clause", "wanted", "counts"),
    [
        ("3.5.1", "3.5.1", True),
        ("3.5.1.2", "3.5.1", True),
        ("3.5", "3.5.1", False),
        ("3.5.10", "3.5.1", False),
        ("7(3)(5)", "7(3)", True),
        ("4.1a", "4.1", False),
        ("customer-10", "customer-1", False),
    ],
)
def test_a_finer_clause_counts_for_a_coarser_one(clause: str, wanted: str, *, counts: bool) -> None:
    assert counts_for(clause, wanted) is counts


def test_clauses_are_sorted_as_people_count() -> None:
    assert sorted(["3.10", "3.9", "10", "3", "4.1b", "4.1a"], key=order) == ["3", "3.9", "3.10", "4.1a", "4.1b", "10"]


def test_each_clause_has_its_entries_and_scenarios(tmp_path: Path) -> None:
    found = coverage(load_pack(write_pack(tmp_path)))
    assert found.holes == ()
    rows = {row.clause: row.row() for row in found.clauses}
    assert rows["3"] == {
        "procedure": "sample",
        "clause": "3",
        "entries": ["parameters.limit", "clocks.handling", "clocks.chase", "ladders.up"],
        "scenarios": ["all"],
        "uncovered": None,
    }
    assert rows["5"]["uncovered"] == "由人完成。 People do it."
    assert rows["1"]["entries"] == ["register"]


def test_a_clause_without_an_entry_is_a_hole(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path, clauses=CLAUSES + '  "6": {zh: 六, en: Six}\n'))
    assert coverage(pack).holes == ("sample/6: no entry carries it; add one, or list it under uncovered with the reason",)


def test_an_entry_that_no_scenario_names_is_a_hole(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path, scenario=SCENARIO.replace('  - {event: reminded, clause: "3.1"}\n', "")))
    assert coverage(pack).holes == (
        "clocks.chase: no scenario expects anything under clause 3.1; add one that would fail without this entry",
        "sample/3.1: no scenario expects anything under this clause; add one that would fail without it",
    )


def test_a_coarser_clause_in_a_scenario_does_not_show_a_finer_entry(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path, scenario=SCENARIO.replace('clause: "3.1"', 'clause: "3"')))
    assert [hole.partition(":")[0] for hole in coverage(pack).holes] == ["clocks.chase", "sample/3.1"]


def test_a_clause_that_the_text_does_not_have_is_a_hole(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path, ('clause: "3.2"', 'clause: "9"')))
    assert "ladders.up: clauses.yaml has no clause 9; correct the id, or add the clause there" in coverage(pack).holes
