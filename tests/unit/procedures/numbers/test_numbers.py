"""The numbers of a procedure are found where they stand, and wrong ones name their field."""

from collections.abc import Mapping

import pytest

from shared.procedures.loading.loader import Pack, installed_packs, load_pack
from shared.procedures.model.duration import Duration
from shared.procedures.numbers.changed_procedure import NumberChangeError, change_numbers
from shared.procedures.numbers.stated_numbers import stated_numbers


@pytest.mark.parametrize("name", installed_packs())
def test_each_number_stands_at_its_places_and_has_a_clause(name: str) -> None:
    pack = load_pack(name)
    numbers = stated_numbers(pack.procedure)
    assert len({number.key for number in numbers}) == len(numbers)
    for number in numbers:
        assert number.clauses, number.key
        for place in number.places:
            written = pack.document.data
            for step in place:
                written = written[step]
            assert number.value in str(written) if number.compared else number.value == str(written)


def test_every_limit_reminder_and_repeat_of_a_pack_is_found() -> None:
    pack = load_pack("greentown-qd1001")
    found = {number.key: number.value for number in stated_numbers(pack.procedure)}
    limits = {f"clocks.{i}.due.{n}.within": due.within for i, c in enumerate(pack.procedure.clocks) for n, due in enumerate(c.due)}
    assert limits.items() <= found.items()
    assert found["clocks.4.reminders.0.before"] == "4wh"
    assert found["ladders.0.every"] == "1d"
    assert found["parameters.follow_every.default"] == "3wd"


def test_numbers_of_the_organisation_stand_for_those_that_the_text_leaves_open() -> None:
    procedure = load_pack("grievance-system").procedure
    durations = {name: "7d" for name, parameter in procedure.parameters.items() if parameter.type == "duration"}
    assert durations
    found = {number.key: number.value for number in stated_numbers(procedure, durations)}
    assert found.items() >= {f"parameters.{name}.default": "7d" for name in durations}.items()
    assert all(Duration.parse(value).pausable for value in found.values())


def test_threshold_that_six_conditions_repeat_is_one_number() -> None:
    pack = load_pack("group-complaint-demand")
    changed = change_numbers(pack, {"facts.purchase_amount:5000.0": "6000"})
    conditions = [clock.when or "" for clock in changed.procedure.clocks]
    assert sum("facts.purchase_amount < 6000.0" in each for each in conditions) == 3
    assert sum("facts.purchase_amount >= 6000.0" in each for each in conditions) == 3
    assert not any("5000.0" in each for each in conditions)
    # The pack itself is shared by every case.
    assert sum("5000.0" in (clock.when or "") for clock in pack.procedure.clocks) == 6


@pytest.mark.parametrize(
    ("name", "values", "faults"),
    [
        ("greentown-qd1001", {"clocks.4.due.0.within": "2x"}, {("clocks.4.due.0.within", "duration")}),
        (
            "greentown-qd1001",
            {"clocks.4.due.0.within": "0wd", "other": "1"},
            {("clocks.4.due.0.within", "duration"), ("other", "unknown_number")},
        ),
        ("greentown-qd1001", {"clocks.4.due.0.within": "date: agreed"}, {("clocks.4.due.0.within", "duration")}),
        # Only the model knows that a reminder is subtracted from an instant, and how many levels there are.
        ("greentown-qd1001", {"clocks.4.reminders.0.before": "1mo"}, {("clocks.4.reminders.0.before", "procedure_check")}),
        ("telecom-urgent", {"reactions.1.do.0.raise_level": "12"}, {("reactions.1.do.0.raise_level", "procedure_check")}),
        ("telecom-urgent", {"count.assigned:1": "many"}, {("count.assigned:1", "whole")}),
        ("greentown-qd1001", {"clocks.4.due.0.within": " 3wd "}, {("changes", "nothing_changed")}),
        ("greentown-qd1001", {}, {("changes", "nothing_changed")}),
    ],
)
def test_wrong_number_names_its_field(name: str, values: Mapping[str, str], faults: set[tuple[str, str]]) -> None:
    with pytest.raises(NumberChangeError) as refused:
        change_numbers(_pack(name), values)
    assert {(fault.number, fault.rule) for fault in refused.value.faults} == faults
    for fault in refused.value.faults:
        assert fault.remedy
        assert not any(value in fault.remedy for value in values.values() if value not in ("", "1"))


def _pack(name: str) -> Pack:
    return load_pack(name)
