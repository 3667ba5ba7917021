"""*A duplicate follows its lead* (vocabulary.md)."""

from typing import Any

import pytest

from services.sla.domain.lifecycle.links.records import CaseLink
from services.sla.domain.reports.case_timeline import CaseTimeline
from services.sla.domain.reports.statistics import ReportingPeriod, StatisticsCollector
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.organisation import open_organisation
from simulator.scenario import parse_scenario
from tests.support.scenarios.recording_simulation import RecordingSimulation, replay_differences
from tests.unit.sla.timeline import TimelineRow, november_instant, november_micros, small_procedure

PROCEDURE = """
clocks:
- {id: work, clause: "1", starts: registered, stops: handled, owner: officer, due: [{within: 48h, do: [breach, {escalate: officer}]}],
   reminders: [{before: 2h, do: [{remind: officer}]}]}
- {id: day, clause: "2", starts: registered, stops: surveyed, owner: officer, due: [{within: same_day}]}
- {id: visit, clause: "3", starts: contacted, stops: surveyed, owner: officer, due: [{within: 5d}]}
reactions: [{id: tell, "on": work_started, do: [{notify: complainant}], clause: "4"}]
"""
LINK = "09 12:00 b link boss case=a as=duplicate"


class Cases(RecordingSimulation):
    """Complaints a, b, c and d, received on the 9th at 09:00, 09:30, 10:00 and 10:30; b and d come from the person of a."""

    rows: list[TimelineRow]

    def lines(self, *event_types: str) -> list[str]:
        """The events of these types as `10 09:00 a closed`."""
        return [f"{row['at'].strftime('%d %H:%M')} {row['case']} {row['event']}" for row in self.rows if row["event"] in event_types]


def run(*steps: str, until: str = "09 18:00") -> Cases:
    """A step is written `09 12:00 b link boss case=a`: day, time, case, action, role, data."""
    phones = {"a": "13800000000", "b": "13800000000", "c": "13800000001", "d": "13800000000"}
    complaints = [
        {
            "id": case,
            "received_at": november_instant(f"09 {9 + number // 2:02}:{number % 2 * 3}0"),
            "text": f"matter {case}",  # else triage proposes the links
            "complainant": {"phone": phone},
        }
        for number, (case, phone) in enumerate(phones.items())
    ]
    data = {"procedure": "small", "complaints": complaints, "steps": [_step(step) for step in steps], "until": november_instant(until)}
    scenario = parse_scenario(data, "small")
    simulation = Cases(bind_parameters(small_procedure(PROCEDURE)), open_organisation())
    simulation.rows = simulation.run(scenario)
    for case in simulation.cases:
        assert replay_differences(simulation, case) == []
    return simulation


def _step(step: str) -> dict[str, Any]:
    day, time, case, action, role, *pairs = step.split(" ")
    return {
        "at": november_instant(f"{day} {time}"),
        "case": case,
        "action": action,
        "role": role,
        "data": dict(pair.split("=") for pair in pairs),
    }


def test_no_clock_of_a_duplicate_reminds_or_fires_and_no_ladder_climbs() -> None:
    cases = run(LINK, until="14 00:00")
    assert not [line for line in cases.lines("reminded", "clock_breached", "escalated") if " b " in line]
    assert "11 09:00 a clock_breached" in cases.lines("clock_breached")


def test_clocks_that_can_pause_are_paused_and_the_others_held() -> None:
    cases = run(LINK)
    [paused] = [row for row in cases.rows if row["event"] == "clock_paused"]
    assert (paused["case"], paused["clock"], paused["reason"]) == ("b", "work", "duplicate")


def test_lead_takes_over_the_earlier_due_instant_and_unlink_gives_it_back() -> None:
    cases = run("09 12:00 c link boss case=b as=duplicate", "09 13:00 b link boss case=d as=duplicate", "09 14:00 c unlink boss case=d")
    assert cases.cases["c"].lead == ""
    moved = [(row["case"], row["at"].hour, row["due_at"].strftime("%d %H:%M")) for row in cases.rows if row["event"] == "clock_moved"]
    assert moved[0] == ("d", 13, "11 09:30")
    assert cases.cases["d"].current_run("work").due_at is not None  # type: ignore[union-attr]


def test_lead_starts_the_clocks_that_only_the_duplicate_runs_and_gives_them_back() -> None:
    contacted, unlink = "09 11:00 b contact officer", "09 14:00 b unlink boss case=a"
    started = [row for row in run(contacted, LINK).rows if row["event"] == "clock_started" and row["clock"] == "visit"]
    assert [(row["case"], row["started_at"].hour) for row in started] == [("b", 11), ("a", 11)]
    assert "09 14:00 a clock_cancelled" in run(contacted, LINK, unlink).lines("clock_cancelled")


def test_acts_of_handling_on_a_duplicate_are_refused_and_name_the_lead() -> None:
    cases = run(LINK, "09 13:00 b handle officer", "09 13:30 b close boss")
    assert [(row["case"], "of a;" in row["reason"]) for row in cases.rows if row["event"] == "action_refused"] == [("b", True)] * 2


@pytest.mark.parametrize(("action", "event"), [("urge", "urged"), ("supplement", "supplemented")])
def test_urge_and_supplement_on_a_duplicate_go_to_the_lead(action: str, event: str) -> None:
    cases = run(LINK, f"09 13:00 b {action} complainant text=more")
    assert cases.lines(event) == [f"09 13:00 b {event}", f"09 13:00 a {event}"]
    [told] = [row["case"] for row in cases.rows if row["event"] == "notification_requested"]
    assert told == "a"


def test_withdraw_ends_the_duplicate_alone() -> None:
    cases = run(LINK, "09 13:00 b withdraw complainant")
    assert (cases.cases["a"].status, cases.cases["b"].status) == ("open", "withdrawn")
    assert cases.cases["a"].duplicates == []


def test_messages_of_the_lead_go_to_all_contacts() -> None:
    cases = run(LINK, "09 13:00 a start_work officer")
    told = [row["case"] for row in cases.rows if row["event"] == "notification_requested"]
    assert told == ["a", "b"]


def test_link_to_a_duplicate_goes_to_its_lead() -> None:
    cases = run(LINK, "09 13:00 c link boss case=b as=duplicate")
    assert cases.cases["c"].lead == "a"
    assert [each.case for each in cases.cases["a"].duplicates] == ["b", "c"]


def test_case_that_becomes_a_duplicate_brings_its_duplicates_along() -> None:
    cases = run(LINK, "09 13:00 a link boss case=c as=duplicate")
    assert (cases.cases["a"].lead, cases.cases["b"].lead, cases.cases["c"].lead) == ("c", "c", "")
    assert cases.cases["b"].links == [CaseLink("c", "duplicate")]
    assert {each.case for each in cases.cases["c"].duplicates} == {"a", "b"}


def test_a_circle_is_refused_and_a_link_to_an_ended_case_too() -> None:
    assert run(LINK, "09 13:00 a link boss case=b as=duplicate").lines("action_refused") == ["09 13:00 a action_refused"]
    ended = run("09 10:30 a answer boss", "09 11:00 a close boss", LINK, "09 13:00 b link boss case=a as=repeat")
    assert ended.lines("action_refused", "linked") == ["09 12:00 b action_refused", "09 13:00 b linked"]


@pytest.mark.parametrize(("action", "event"), [("close", "closed"), ("refuse", "refused")])
def test_duplicates_end_with_their_lead_at_the_same_instant_and_their_complainants_are_told(action: str, event: str) -> None:
    cases = run(LINK, "09 12:30 a answer boss", f"09 13:00 a {action} boss reason=done")
    assert cases.lines(event) == [f"09 13:00 a {event}", f"09 13:00 b {event}"]
    [told] = [row for row in cases.rows if row["event"] == "notification_requested"]
    assert (told["case"], told["recipients"]) == ("b", ["complainant"])


def test_duplicates_of_a_reopened_lead_are_open_again_as_duplicates() -> None:
    cases = run(LINK, "09 12:30 a answer boss", "09 13:00 a close boss", "09 14:00 a reopen boss")
    assert (cases.cases["b"].status, cases.cases["b"].lead) == ("open", "a")


def test_oldest_duplicate_of_another_person_follows_a_withdrawn_lead_and_those_of_the_same_person_end() -> None:
    links = [f"09 12:0{number} {case} link boss case=a as=duplicate" for number, case in enumerate("bcd")]
    cases = run(*links, "09 13:00 a withdraw complainant")
    assert {case: (each.status, each.lead) for case, each in cases.cases.items()} == {
        "a": ("withdrawn", ""),
        "b": ("withdrawn", ""),
        "c": ("open", ""),
        "d": ("withdrawn", ""),
    }


def test_paused_clocks_go_on_with_what_was_left_and_held_ones_are_due_at_the_end_of_the_day_of_unlinking() -> None:
    cases = run(LINK, "10 12:00 b unlink boss case=a", until="13 00:00")
    breaches = [row for row in cases.rows if row["event"] == "clock_breached" and row["case"] == "b"]
    breached = [(row["at"].strftime("%d %H:%M"), row["clock"]) for row in breaches]
    assert breached == [("11 00:00", "day"), ("12 09:30", "work")]


def test_duplicate_that_ended_with_its_lead_is_reopened_by_unlink_with_its_clocks() -> None:
    cases = run(LINK, "09 12:30 a answer boss", "09 13:00 a close boss", "09 14:00 b unlink boss case=a", until="13 00:00")
    assert cases.lines("reopened") == ["09 14:00 b reopened"]
    assert [line for line in cases.lines("clock_breached") if " b " in line] == ["10 00:00 b clock_breached", "11 11:30 b clock_breached"]


def test_figures_count_a_duplicate_and_its_lead_once() -> None:
    cases = run(LINK)
    collector = StatisticsCollector(small_procedure(PROCEDURE), ReportingPeriod(0, november_micros("20 00:00")))
    for name, decisions in cases.decisions.items():
        events = [event for decision in decisions for event in decision]
        collector.add(CaseTimeline(name, cases.cases[name].received_at, "hotline", "customer", events))
    report = collector.to_report()
    assert (report["received"], report["open"], report["repetition"]["links"]) == (3, 3, {"duplicate": 1})
