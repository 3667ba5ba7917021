"""Effects of due entries and reactions: deeming, changing the case, starting and cancelling clocks."""

from tests.unit.sla.timeline import event_lines, requested_messages, run_steps


def test_deemed_event_starts_clocks_triggers_reactions_and_counts_in_rules() -> None:
    text = """
clocks:
- {id: c, clause: "1", starts: registered, stops: handled, owner: boss, due: [{within: 1h, do: [{deem: measures_deemed_approved}]}]}
- {id: n, clause: "2", starts: measures_deemed_approved, stops: work_started, owner: boss, due: [{within: 1h}]}
reactions: [{id: tell, "on": measures_deemed_approved, do: [{notify: officer}], clause: "3"}]
actions: {start_work: {requires: case.approved, clause: "4"}}
"""
    rows = run_steps(text, "09 09:30 start_work officer", "09 10:30 start_work officer")
    assert event_lines(rows, "measures_deemed_approved", "clock_started", "notification_requested", "action_refused", "work_started") == [
        "09 09:00 clock_started c.1",
        "09 09:30 action_refused start_work 4",
        "09 10:00 measures_deemed_approved c.1",
        "09 10:00 clock_started n.1",
        "09 10:00 notification_requested officer",
        "09 10:30 work_started officer",
    ]


def test_effects_change_facts_class_level_handler_and_clocks() -> None:
    text = """
levels: [officer, boss]
facts: {urgent: {type: bool, default: false}}
classes: [{id: hot, clause: "8", when: "false"}, {id: cold, clause: "9"}]
clocks:
- id: c
  clause: "1"
  starts: registered
  stops: handled
  owner: officer
  due:
  - within: 1h
    do: [{set: {urgent: true}}, {reclassify: hot}, {raise_level: 1}, {raise_level: 1}, {assign: officer}, {start: s}, {cancel: x}]
- {id: s, clause: "2", starts: evaluated, owner: boss, due: [{within: 1h}]}
- {id: x, clause: "3", starts: registered, owner: boss, due: [{within: 3h}]}
- {id: g, clause: "4", when: facts.urgent, starts: registered, owner: boss, due: [{within: 5h}]}
"""
    rows = run_steps(text, until="10 00:00")
    assert event_lines(rows, "amended", "reclassified", "escalated", "assigned", "clock_cancelled", "clock_started", "clock_breached")[
        2:
    ] == [
        "09 10:00 amended system",
        "09 10:00 reclassified hot",
        "09 10:00 escalated boss",
        "09 10:00 escalated boss",
        "09 10:00 assigned officer",
        "09 10:00 clock_started s.1",
        "09 10:00 clock_cancelled x.1",
        "09 10:00 clock_started g.1",
        "09 11:00 clock_breached s.1",
        "09 14:00 clock_breached g.1",
    ]
    assert [row["level"] for row in rows if row["event"] == "escalated"] == [1, 1]  # the highest level is not exceeded


def test_owner_of_a_clock_may_be_the_actor_of_an_event() -> None:
    text = """
clocks:
- {id: c, clause: "1", starts: signed, owner: {who: signed}, due: [{within: 1h, do: [breach, {remind: owner}]}]}
"""
    rows = run_steps(text, "09 10:00 sign chief", until="10 00:00")
    assert [row["role"] for row in rows if row["event"] in ("clock_breached", "reminded")] == ["chief", "chief"]


def test_breach_has_the_clause_of_its_effect_else_of_its_due_entry_else_of_its_clock() -> None:
    text = """
clocks:
- {id: c, clause: "1", starts: registered, owner: boss, due: [{within: 1h}, {within: 2h, clause: "2"},
   {within: 3h, clause: "2", do: [{breach: true, clause: "3"}]}]}
"""
    assert [row["clause"] for row in run_steps(text) if row["event"] == "clock_breached"] == ["1", "2", "3"]


def test_a_breach_that_a_reaction_states_without_a_clock_is_told() -> None:
    procedure = """
reactions:
  - {id: missed, clause: "1", "on": accepted, do: [breach]}
  - {id: told, clause: "2", "on": clock_breached, do: [{notify: boss, by: [sms]}]}
"""
    [message] = requested_messages(procedure, "09 10:00 accept officer", until="10 00:00")
    assert message["rule"] == "told"
