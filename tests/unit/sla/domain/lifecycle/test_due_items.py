"""What is due is executed in the order of time, each item at its own instant, once."""

from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.decide import decide
from services.sla.domain.lifecycle.due_items import next_due
from services.sla.domain.lifecycle.inputs import AdvanceTime, TakeAction
from services.sla.domain.rules.rulebook import Rulebook
from tests.unit.sla.timeline import november_micros, small_opening, small_rulebook


def open_case(rulebook: Rulebook) -> Case:
    opening = small_opening()
    return decide(None, opening, rulebook, opening.registered_at).case


REPEATING = small_rulebook('clocks: [{id: c, clause: "1", starts: registered, stops: handled, every: 2h, do: [{remind: officer}]}]')


def test_occurrences_missed_in_an_outage_fire_as_one_that_counts_them() -> None:
    decision = decide(open_case(REPEATING), AdvanceTime(november_micros("09 16:00")), REPEATING, november_micros("09 16:30"))
    reminded = [event for event in decision.events if event.type == "reminded"]
    assert [(event.at, event.data["occurrences"], event.data["late_by"]) for event in reminded] == [
        (november_micros("09 15:00"), 3, 5400.0)
    ]
    assert decision.next_due == next_due(decision.case) == november_micros("09 17:00")


def test_late_action_comes_after_what_was_due_before_it() -> None:
    rulebook = small_rulebook('clocks: [{id: c, clause: "1", starts: registered, stops: handled, due: [{within: 2h}]}]')
    late = TakeAction("handle", november_micros("09 12:00"), "officer")
    decision = decide(open_case(rulebook), late, rulebook, november_micros("09 13:00"))
    assert [(event.type, event.at) for event in decision.events] == [
        ("clock_breached", november_micros("09 11:00")),
        ("handled", november_micros("09 12:00")),
        ("clock_stopped", november_micros("09 12:00")),
    ]
    assert decision.next_due is None


def test_reminders_due_entries_repeats_and_escalations_of_one_instant_come_in_this_order() -> None:
    rulebook = small_rulebook("""
ladders: [{id: up, clause: "5", rungs: [officer, boss], every: 1h}]
clocks:
- {id: repeat, clause: "1", starts: registered, every: 2h, do: [{assign: officer}]}
- {id: due, clause: "2", starts: registered, due: [{within: 2h, do: [{assign: officer}]}]}
- {id: reminder, clause: "3", starts: registered, due: [{within: 4h}], reminders: [{before: 2h, do: [{assign: officer}]}]}
- {id: escalated, clause: "4", starts: registered, due: [{within: 1h, do: [{escalate: up}]}]}
""")
    case = decide(open_case(rulebook), AdvanceTime(november_micros("09 10:00")), rulebook, november_micros("09 10:00")).case
    events = decide(case, AdvanceTime(november_micros("09 11:00")), rulebook, november_micros("09 11:00")).events
    assert [event.data["rule"] for event in events if event.type in ("assigned", "escalated")] == ["reminder", "due", "repeat", "up"]
