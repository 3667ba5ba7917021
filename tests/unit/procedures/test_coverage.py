"""Coverage of clauses by entries and scenarios, and its gaps."""

from pathlib import Path

import pytest

from shared.procedures.coverage import pack_coverage
from shared.procedures.loading.loader import load_pack
from shared.procedures.model.clauses import clause_sort_key, is_clause_or_subclause
from tests.unit.procedures.sample_pack import CLAUSES, SCENARIO, write_pack


@pytest.mark.parametrize(
    ("clause", "parent", "counts"),
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
def test_a_subclause_counts_for_its_parent(clause: str, parent: str, *, counts: bool) -> None:
    assert is_clause_or_subclause(clause, parent) is counts


def test_clauses_are_sorted_by_the_value_of_their_numbers() -> None:
    assert sorted(["3.10", "3.9", "10", "3", "4.1b", "4.1a"], key=clause_sort_key) == ["3", "3.9", "3.10", "4.1a", "4.1b", "10"]


def test_each_clause_has_its_entries_and_scenarios(tmp_path: Path) -> None:
    coverage = pack_coverage(load_pack(write_pack(tmp_path)))
    assert coverage.gaps == ()
    rows = {row.clause: row.to_json() for row in coverage.clauses}
    assert rows["3"] == {
        "procedure": "sample",
        "clause": "3",
        "entries": ["parameters.limit", "clocks.handling", "clocks.chase", "ladders.up"],
        "scenarios": ["all"],
        "uncovered": None,
        "shown": {},
        "unshown": [],
    }
    assert rows["5"]["uncovered"] == "由人完成。 People do it."
    assert rows["1"]["entries"] == ["register"]


def test_a_clause_without_an_entry_is_a_gap(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path, clauses=CLAUSES + '  "6": {zh: 六, en: Six}\n'))
    assert pack_coverage(pack).gaps == ("sample/6: no entry implements it; add one, or list it under uncovered with the reason",)


def test_an_entry_without_a_scenario_is_a_gap(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path, scenario=SCENARIO.replace('  - {event: reminded, clause: "3.1"}\n', "")))
    assert pack_coverage(pack).gaps == (
        "clocks.chase: no scenario expects an event of clause 3.1; add one that fails without this entry",
        "sample/3.1: no scenario expects an event of this clause; add one that fails without it",
    )


def test_the_parent_clause_in_a_scenario_does_not_cover_a_subclause(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path, scenario=SCENARIO.replace('clause: "3.1"', 'clause: "3"')))
    assert [gap.partition(":")[0] for gap in pack_coverage(pack).gaps] == ["clocks.chase", "sample/3.1"]


def test_a_clause_id_that_clauses_yaml_lacks_is_a_gap(tmp_path: Path) -> None:
    pack = load_pack(write_pack(tmp_path, ('clause: "3.2"', 'clause: "9"')))
    assert "ladders.up: clauses.yaml has no clause 9; correct the id, or add the clause there" in pack_coverage(pack).gaps
