"""A trial of other numbers carries recorded cases out by the same functions that decided them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pytest

from services.sla.domain.deadlines.worktime import to_micros
from services.sla.domain.evidence.recorded_events import RecordedEvent
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.what_if.carried_out import carry_out
from services.sla.domain.what_if.causes import find_causes
from services.sla.domain.what_if.comparison import OutcomeDifference, TrialComparison, compare_case
from services.sla.domain.what_if.outcomes import OutcomeKey, outcomes
from shared.procedures.calendars.calendar import Calendar
from shared.procedures.loading.loader import installed_packs, load_pack
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.numbers.changed_procedure import change_numbers
from simulator.scenario import Scenario, read_scenario
from tests.support.scenarios.recording_simulation import RecordingSimulation
from tests.unit.sla.domain.evidence.test_replay import organisation_of

PACK = load_pack("greentown-qd1001")
DECISION = next(index for index, clock in enumerate(PACK.procedure.clocks) if clock.id == "decision")
LIMIT, DOUBLE = f"clocks.{DECISION}.due.0.within", f"clocks.{DECISION}.due.1.within"


def recorded(pack: str, name: str) -> tuple[RecordingSimulation, Scenario, int]:
    path = next(path for path in load_pack(pack).scenarios if path.stem == name)
    scenario = read_scenario(path)
    organisation = organisation_of(scenario, path.parent)
    calendars = {str(data["id"]): Calendar.parse(data) for data in organisation.calendars}
    recording = RecordingSimulation(bind_parameters(load_pack(pack).procedure, scenario.parameters), organisation, calendars)
    recording.run_cases(scenario)
    last = max(event.at for decisions in recording.decisions.values() for events in decisions for event in events)
    return recording, scenario, to_micros(scenario.until) if scenario.until else last


def trial(name: str, values: Mapping[str, str]) -> tuple[TrialComparison, list[OutcomeDifference]]:
    recording, scenario, until = recorded(PACK.procedure.id, name)
    changed = change_numbers(PACK, values)
    other = Rulebook(
        bind_parameters(changed.procedure, {**scenario.parameters, **changed.parameters}),
        recording.rulebook.organisation,
        recording.rulebook.calendars,
    )
    comparison = TrialComparison()
    for case, ledger in recording.ledgers.items():
        find = (lambda _: recording.rulebook), (lambda _: other)
        compare_case(comparison, case, ledger, find, until, find_causes(changed))
    return comparison, [each for listed in comparison.differences.values() for each in listed]


def micros(text: str) -> int:
    return to_micros(datetime.fromisoformat(text))


@pytest.mark.parametrize("pack", installed_packs())
def test_by_its_own_numbers_a_case_comes_out_as_it_was_recorded(pack: str) -> None:
    # A few of each pack: the tests of the replay run all scenarios by the same functions.
    for path in load_pack(pack).scenarios[::16]:
        recording, _, until = recorded(pack, path.stem)
        for case, ledger in recording.ledgers.items():
            live = outcomes(event for events in recording.decisions[case] for event in events)
            again = outcomes(carry_out(ledger, lambda _: recording.rulebook, until))  # noqa: B023 - used at once
            assert again == live, path.stem


def test_longer_limit_moves_the_deadline_and_takes_breach_and_deemed_approval_away() -> None:
    comparison, differences = trial("deemed_approved", {LIMIT: "5wd", DOUBLE: "10wd"})
    found = {(each.key.kind, each.key.name): each for each in differences}
    moved = found["deadline", "decision"]
    assert moved.before == micros("2026-02-24T18:00:00+08:00")
    # The 14th and the 28th are working Saturdays around the Spring Festival, which lasts until the 23rd.
    assert moved.after == micros("2026-02-28T18:00:00+08:00")
    assert moved.numbers == (LIMIT, DOUBLE)
    gone = found["breach", "decision"]
    assert (gone.before, gone.after) == (micros("2026-02-24T18:00:00+08:00"), None)
    deemed = found["deemed", "decision"]
    assert (deemed.before, deemed.after) == (micros("2026-02-25T18:00:00+08:00"), None)
    assert not any(each.key.name == "follow_implementation" and each.after is not None for each in differences)
    counts = {(clause, kind): (count.before, count.after, count.changed) for clause, kind, count in comparison.by_clause(["4.5.5"])}
    assert counts["4.5.5", "breach"] == (1, 0, 1)
    assert counts["4.5.5", "deadline"] == (1, 1, 1)
    assert next(iter(comparison.by_clause(["4.5.5"])))[0] == "4.5.5"


def test_what_follows_from_a_change_elsewhere_names_no_number_of_its_own() -> None:
    # Deemed approval a day later starts the clock of the implementation a day later.
    _, differences = trial("deemed_approved", {DOUBLE: "3wd"})
    follows = next(each for each in differences if each.key == OutcomeKey("deadline", "follow_implementation", 1, is_clock=True))
    assert follows.numbers == ()
    assert follows.before != follows.after


def test_shorter_limit_refuses_nothing_that_a_person_did_and_breaches_at_the_new_instant() -> None:
    # The action at the old due instant stays in the trial: people are not assumed to hurry.
    _, differences = trial("measures_at_the_last_instant", {"clocks.4.due.0.within": "1wd"})
    breach = next(each for each in differences if each.key.kind == "breach" and each.key.name == "measures")
    moved = next(each for each in differences if each.key.kind == "deadline" and each.key.name == "measures")
    assert breach.before is None
    assert breach.after == moved.after
    assert moved.after is not None
    assert moved.before is not None
    assert moved.after < moved.before


def test_changed_parameter_replaces_that_of_the_case() -> None:
    recording, _, until = recorded(PACK.procedure.id, "deemed_approved")
    changed = change_numbers(PACK, {"parameters.follow_every.default": "1wd"})
    other = Rulebook(bind_parameters(changed.procedure, changed.parameters), recording.rulebook.organisation, recording.rulebook.calendars)
    comparison = TrialComparison()
    for case, ledger in recording.ledgers.items():
        compare_case(comparison, case, ledger, (lambda _: recording.rulebook, lambda _: other), until, find_causes(changed))
    (differences,) = comparison.differences.values()
    assert {each.key.name for each in differences} == {"follow_implementation"}
    assert {each.numbers for each in differences} == {("parameters.follow_every.default",)}


def test_case_whose_ledger_cannot_be_read_is_counted_apart() -> None:
    recording, _, until = recorded(PACK.procedure.id, "deemed_approved")

    def unreadable(_: RecordedEvent) -> Any:
        raise ValueError("the words were erased")

    comparison = TrialComparison()
    for case, ledger in recording.ledgers.items():
        compare_case(comparison, case, ledger, (unreadable, unreadable), until, lambda _: ())
    assert (comparison.cases, comparison.not_replayed, comparison.differences) == (0, 1, {})
