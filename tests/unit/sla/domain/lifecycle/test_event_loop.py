"""The event loop (decide.py): every event is applied once and followed up once, whichever input, clock or effect caused it."""

import pytest

from services.sla.domain.lifecycle.decide import ProcedureLoopError, decide
from services.sla.domain.lifecycle.inputs import ApplyDecision, Recalculate
from shared.procedures.calendars.calendar import Calendar
from tests.unit.sla.timeline import TimelineRow, event_lines, run_steps, small_opening, small_rulebook

ORGANISATION = {"people": [{"id": "ou", "roles": ["officer"]}, {"id": "bo", "roles": ["boss"]}], "fallback": "ou"}
"""`chief` is vacant, and no role is above it."""

PROCEDURE = """
facts: {{urgent: {{type: bool, default: false}}}}
levels: [officer, boss]
ladders: [{{id: up, clause: "2", rungs: [officer, boss], every: 4h}}]
clocks:
- {{id: guarded, clause: "1", owner: officer, when: facts.urgent, starts: registered, due: [{{within: 5h}}]}}
- {{id: met, clause: "1", owner: officer, starts: registered, stops: handled, due: [{{within: 5h}}]}}
- {{id: ended, clause: "1", owner: officer, starts: registered, cancels: handled, due: [{{within: 5h}}]}}
- {{id: held, clause: "1", owner: officer, starts: registered, pauses: handled, resumes: evaluated, due: [{{within: 5h}}]}}
- {{id: moved, clause: "1", owner: officer, starts: registered,
   due: [{{within: 5h, when: "!facts.urgent"}}, {{within: 6h, when: facts.urgent}}]}}
- {{id: idle, clause: "1", owner: officer, starts: evaluated, due: [{{within: 5h}}]}}
{clocks}
reactions:
- {{id: counted, "on": {{event: {event}, when: "{condition}"}}, clause: "4", do: [{{assign: officer}}]}}
{reactions}
"""

TIMED = '- {id: timed, clause: "3", owner: officer, starts: signed, '
SOURCES = {
    "reaction on an action": ("", '- {id: a, "on": signed, clause: "3", do: [EFFECT]}'),
    "reaction on the event of an effect": (
        "",
        """
- {id: a, "on": signed, clause: "3", do: [{deem: reported}]}
- {id: b, "on": reported, clause: "3", do: [EFFECT]}""",
    ),
    "reaction two effects deep": (
        "",
        """
- {id: a, "on": signed, clause: "3", do: [{deem: reported}]}
- {id: b, "on": reported, clause: "3", do: [{deem: surveyed}]}
- {id: c, "on": surveyed, clause: "3", do: [EFFECT]}""",
    ),
    "due entry": (TIMED + "due: [{within: 1h, do: [EFFECT]}]}", ""),
    "reminder": (TIMED + "due: [{within: 2h}], reminders: [{before: 1h, do: [EFFECT]}]}", ""),
    "repeat": (TIMED + "every: 1h, do: [EFFECT]}", ""),
    "reaction on a due event": (
        TIMED + "due: [{within: 1h, do: [{deem: reported}]}]}",
        '- {id: b, "on": reported, clause: "3", do: [EFFECT]}',
    ),
}
"""Where an effect may come from: a clock and reactions, carried out once between 09:10 and 10:30."""


def timeline(source: str, effect: str, event: str, condition: str) -> list[TimelineRow]:
    clocks, reactions = (part.replace("EFFECT", effect) for part in SOURCES[source])
    text = PROCEDURE.format(clocks=clocks, reactions=reactions, event=event, condition=condition)
    return run_steps(text, "09 09:10 sign boss", until="09 10:30", organisation=ORGANISATION)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    ("effect", "event", "condition"),
    [
        ("{set: {urgent: true}}", "clock_started", "event.clock == 'guarded'"),
        ("{start: idle}", "clock_started", "event.clock == 'idle'"),
        ("{set: {urgent: true}}", "clock_moved", "event.clock == 'moved'"),
        ("{deem: handled}", "clock_stopped", "event.clock == 'met'"),
        ("{deem: handled}", "clock_cancelled", "event.clock == 'ended'"),
        ("{cancel: met}", "clock_cancelled", "event.clock == 'met'"),
        ("{deem: handled}", "clock_paused", "event.clock == 'held'"),
        ("breach", "clock_breached", "true"),
        ("{escalate: up}", "escalated", "true"),
        ("{raise_level: 1}", "escalated", "true"),
        ("{notify: chief}", "no_recipient", "true"),
        ("{escalate: chief}", "no_recipient", "true"),
        ("{notify: boss}", "notification_requested", "true"),
        ("{remind: boss}", "notification_requested", "true"),
        ("{remind: boss}", "reminded", "true"),
        ("{deem: notification_failed}", "notification_failed", "true"),
    ],
)
def test_reaction_on_an_event_of_an_effect_is_carried_out_once(source: str, effect: str, event: str, condition: str) -> None:
    rows = timeline(source, effect, event, condition)
    assert sum(row.get("rule") == "counted" for row in rows) == 1


OPENING = small_opening()


ORDER = """
facts: {{urgent: {{type: bool, default: false}}}}
clocks:
- {{id: first, clause: "1", owner: officer, starts: registered, stops: signed, due: [{{within: 5h}}]}}
- {{id: second, clause: "1", owner: officer, starts: signed, due: [{{within: 5h}}]}}
- {{id: third, clause: "1", owner: officer, starts: clock_stopped, due: [{{within: 5h}}]}}
- {{id: guarded, clause: "1", owner: officer, when: facts.urgent, starts: registered, due: [{{within: 5h}}]}}
reactions:
- {{id: a, "on": signed, clause: "2", do: [{{set: {{urgent: true}}}}, {{remind: boss}}]}}
- {{id: b, "on": signed, when: facts.urgent, clause: "2", do: [{{assign: boss}}]}}
- {{id: c, "on": clock_stopped, clause: "2", do: [{{notify: officer}}]}}
"""


def test_clocks_run_before_reactions_and_both_before_events_they_cause() -> None:
    rows = run_steps(ORDER.format(), "09 10:00 sign boss", until="09 11:00")
    assert [row.get("clock") or row.get("rule") or row["event"] for row in rows if row["at"].hour == 10] == [
        *("signed", "first", "second"),
        *("a", "a", "a", "b"),  # the second reaction sees the fact that the first has set
        *("third", "c", "guarded"),
    ]


def test_event_of_an_effect_starts_and_stops_clocks() -> None:
    text = """
clocks:
- {id: c, clause: "1", owner: officer, starts: registered, due: [{within: 1h}]}
- {id: d, clause: "2", owner: officer, starts: clock_breached, stops: notification_requested, due: [{within: 1h}]}
reactions: [{id: r, "on": {event: clock_started, when: "event.clock == 'd'"}, clause: "3", do: [{notify: boss}]}]
"""
    assert event_lines(run_steps(text), "clock_breached", "clock_started", "clock_stopped") == [
        "09 09:00 clock_started c.1",
        "09 10:00 clock_breached c.1",
        "09 10:00 clock_started d.1",
        "09 10:00 clock_stopped d.1",
    ]


def test_clock_that_deems_an_event_stops_before_that_event_pauses_or_restarts_it() -> None:
    text = """
clocks:
- {id: c, clause: "1", owner: boss, starts: registered, pauses: suspended, restarts: measures_rejected,
   due: [{within: 1h, do: [{deem: measures_deemed_approved}]}]}
"""
    types = ("measures_deemed_approved", "clock_stopped", "clock_paused", "clock_cancelled", "clock_started")
    paused = run_steps(text, "09 10:00 suspend officer")
    restarted = run_steps(text, "09 09:00 submit_measures officer", "09 10:00 reject officer", until="09 10:30")
    ended = ["09 09:00 clock_started c.1", "09 10:00 measures_deemed_approved c.1", "09 10:00 clock_stopped c.1"]
    assert event_lines(paused, *types) == ended
    assert event_lines(restarted, *types) == [*ended, "09 10:00 clock_started c.2"]


@pytest.mark.parametrize(
    ("reactions", "event"),
    [
        (["{on: signed, do: [{deem: signed}]}"], "signed"),
        (["{on: reported, do: [{deem: signed}]}", "{on: signed, do: [{deem: reported}]}"], "signed"),
        (["{on: notification_requested, do: [{notify: boss}]}", "{on: signed, do: [{notify: boss}]}"], "notification_requested"),
    ],
)
def test_endless_reactions_are_refused_with_the_event_named(reactions: list[str], event: str) -> None:
    entries = [each.replace("{on:", f'{{id: r{number}, clause: "1", "on":') for number, each in enumerate(reactions)]
    with pytest.raises(ProcedureLoopError, match=f"^{event} causes itself without end"):
        run_steps(f"reactions: [{', '.join(entries)}]", "09 10:00 sign boss")


def test_clocks_that_restart_each_other_endlessly_are_refused() -> None:
    text = """
clocks:
- {id: c, clause: "1", owner: boss, starts: registered, restarts: {event: clock_started, when: "event.clock == 'd'"}, due: [{within: 1h}]}
- {id: d, clause: "1", owner: boss, starts: signed, restarts: {event: clock_started, when: "event.clock == 'c'"}, due: [{within: 1h}]}
"""
    with pytest.raises(ProcedureLoopError, match=r"^clock_started causes itself without end"):
        run_steps(text)


def test_reaction_on_an_outcome_that_notify_reports_is_carried_out_once() -> None:
    text = 'reactions: [{id: r, "on": notification_failed, clause: "1", do: [{assign: boss}]}]'
    case = decide(None, OPENING, small_rulebook(text), OPENING.registered_at).case
    failed = ApplyDecision("notification_failed", OPENING.registered_at + 1, {"notification": "case-3", "channel": "sms"}, "message")
    events = decide(case, failed, small_rulebook(text), failed.at).events
    assert [event.type for event in events] == ["notification_failed", "assigned"]


def test_reaction_on_a_deadline_that_a_new_calendar_moves_is_carried_out_once() -> None:
    text = """
clocks: [{id: c, clause: "1", owner: officer, starts: registered, due: [{within: 1wd}]}]
reactions: [{id: r, "on": clock_moved, clause: "1", do: [{assign: boss}]}]
"""
    case = decide(None, OPENING, small_rulebook(text), OPENING.registered_at).case
    holiday = Calendar.parse({"id": "default", "version": "2", "schedule": "none", "days": {"2026-11-10": "off"}})
    recalculation = Recalculate(OPENING.registered_at + 1)
    events = decide(case, recalculation, small_rulebook(text, holiday), recalculation.at).events
    assert [event.type for event in events] == ["clock_moved", "assigned"]
