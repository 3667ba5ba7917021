"""Which actions are accepted, and the reason and clause of a refusal."""

import pytest

from tests.unit.sla.timeline import event_lines, run_steps

RULES = """
facts: {insured: {type: bool, default: false}}
classes: [{id: grave, clause: "8", when: "false"}, {id: light, clause: "9"}]
most_returns: 2
clocks: []
actions:
  handle: {by: [boss, chief], clause: "1"}
  start_work: {requires: case.approved, clause: "2", reason: no work before approval}
  suspend: {reasons: [weather], clause: "3"}
  object: {at_most: 1, clause: "4"}
  reclassify: {by: [boss], clause: "5"}
  contact: {requires: "event.promise == '' || case.approved", clause: "6"}
  instruct: [{by: [chief], when: "case.class == 'grave'", clause: "7"}]
  submit_measures:
  - {needs_sign_off: "event.role != 'boss'", clause: "10"}
  - {requires: "event.promise == ''", clause: "11"}
closing:
- {when: "case.class == 'grave'", requires: count.called_back > 0, clause: "12"}
"""


@pytest.mark.parametrize(
    ("step", "clause"),
    [
        ("handle officer", "1"),
        ("handle -", "1"),
        ("start_work officer", "2"),
        ("suspend officer", "3"),
        ("suspend officer reason=idle", "3"),
        ("reclassify officer class=grave", "5"),
        ("classify officer class=grave", "5"),
        ("reclassify boss class=unknown", ""),
        ("contact officer promise=refund", "6"),
        ("contact officer promise=true", "6"),
        ("submit_measures boss promise=refund", "11"),
        ("refuse boss", ""),
        ("reopen boss", ""),
        ("route boss", ""),
        ("reassign boss", ""),
        ("agree_date boss", ""),
        ("link boss", ""),
        ("request_extension boss", ""),
    ],
)
def test_refused_action_adds_one_event_with_reason_and_clause(step: str, clause: str) -> None:
    rows = run_steps(RULES, f"09 10:00 {step}")
    action = step.split(" ", maxsplit=1)[0]
    assert event_lines(rows[-1:], "action_refused") == [f"09 10:00 action_refused {action} {clause}".rstrip()]
    assert rows[-1]["reason"]


@pytest.mark.parametrize(
    ("step", "event"),
    [
        ("suspend officer reason=weather", "suspended officer"),
        ("classify boss class=grave", "reclassified grave"),
        ("reclassify boss class=grave", "reclassified grave"),
        ("contact officer text=hello", "contacted officer"),
        ("contact officer promise=false", "contacted officer"),
        ("instruct officer", "instructed officer"),  # the rule applies to grave cases only
        ("refuse boss reason=unfounded", "refused boss"),
        ("sign_off -", "measures_signed_off"),  # any role may act unless a rule forbids it (vocabulary.md)
        ("review boss passed=false", "review_rejected boss"),
        ("review boss", "review_passed boss"),
        ("approve_with_demands chief demands=soon", "measures_approved chief"),
        ("withdraw complainant", "withdrawn complainant"),
        ("acknowledge boss", "escalation_acknowledged boss"),
    ],
)
def test_accepted_action_becomes_its_event(step: str, event: str) -> None:
    kind = event.split(" ", maxsplit=1)[0]
    assert event_lines(run_steps(RULES, "09 09:30 submit_measures boss", f"09 10:00 {step}"), kind)[-1] == f"09 10:00 {event}"


@pytest.mark.parametrize(
    ("step", "event"),
    [
        ("start_work boss", "work_started boss"),
        ("handle boss", "handled boss"),
        ("verify boss passed=false", "verification_failed boss"),
        ("close officer", "closed officer"),
    ],
)
def test_action_on_approved_and_handled_measures_becomes_its_event(step: str, event: str) -> None:
    kind = event.split(" ", maxsplit=1)[0]
    rows = run_steps(RULES, "09 09:10 submit_measures boss", "09 09:20 approve boss", "09 09:30 handle boss", f"09 10:00 {step}")
    assert event_lines(rows, kind)[-1] == f"09 10:00 {event}"


def test_first_answer_and_later_answers_are_different_events() -> None:
    rows = run_steps(RULES, "09 10:00 answer officer", "09 11:00 answer officer")
    assert event_lines(rows, "first_answered", "answered") == ["09 10:00 first_answered officer", "09 11:00 answered officer"]


def test_route_of_a_routed_case_becomes_reassigned() -> None:
    steps = ("09 10:00 route boss department=a", "09 11:00 route boss department=b", "09 12:00 reassign boss department=c")
    rows = [row for row in run_steps(RULES, *steps) if row["event"] in ("routed", "reassigned")]
    assert [(row["event"], row["department"], row["by"]) for row in rows] == [
        ("routed", "a", "boss"),
        ("reassigned", "b", "boss"),
        ("reassigned", "c", "boss"),
    ]


def test_action_is_refused_after_at_most_so_many() -> None:
    rows = run_steps(RULES, "09 10:00 object officer", "09 11:00 object officer")
    assert event_lines(rows, "objected", "action_refused") == ["09 10:00 objected officer", "09 11:00 action_refused object 4"]


def test_returns_are_bounded_and_counted_again_after_reopening() -> None:
    steps = [f"09 1{hour}:00 return officer" for hour in range(3)]
    rows = run_steps(RULES, *steps, "09 13:00 answer boss", "09 14:00 close boss", "09 15:00 reopen boss", "09 16:00 return officer")
    assert event_lines(rows, "returned", "action_refused") == [
        "09 10:00 returned officer",
        "09 11:00 returned officer",
        "09 12:00 action_refused return",
        "09 16:00 returned officer",
    ]


def test_close_is_refused_until_the_conditions_of_the_class_hold() -> None:
    steps = (
        "09 10:00 reclassify boss class=grave",
        "09 10:30 answer boss",
        "09 11:00 close boss",
        "09 12:00 call_back boss outcome=satisfied",
        "09 13:00 close boss",
    )
    assert event_lines(run_steps(RULES, *steps), "action_refused", "closed") == ["09 11:00 action_refused close 12", "09 13:00 closed boss"]


def test_closed_case_is_not_closed_and_open_case_not_reopened() -> None:
    rows = run_steps(
        RULES, "09 09:30 answer boss", "09 10:00 close boss", "09 11:00 close boss", "09 12:00 reopen boss", "09 13:00 reopen boss"
    )
    assert event_lines(rows, "closed", "reopened", "action_refused") == [
        "09 10:00 closed boss",
        "09 11:00 action_refused close",
        "09 12:00 reopened boss",
        "09 13:00 action_refused reopen",
    ]


SIGNED_OFF = """
clocks:
- {id: m, clause: "1", starts: registered, stops: measures_submitted, owner: officer, due: [{within: 1wd}]}
- {id: d, clause: "2", starts: measures_submitted, stops: measures_approved, owner: boss, due: [{within: 1wd}]}
actions: {submit_measures: {needs_sign_off: "event.role != 'boss'", clause: "3"}}
reactions: [{"on": measures_submitted, do: [{notify: chief}], clause: "4", id: tell}]
"""


@pytest.mark.parametrize(
    ("steps", "submitted"),
    [(["09 10:00 submit_measures boss"], "09 10:00"), (["09 10:00 submit_measures officer", "09 11:00 sign_off boss"], "09 11:00")],
)
def test_measures_take_effect_when_submitted_or_when_signed_off_where_that_is_needed(steps: list[str], submitted: str) -> None:
    rows = run_steps(SIGNED_OFF, *steps, until="10 00:00")
    assert event_lines(rows, "clock_stopped", "clock_started", "notification_requested")[1:] == [
        f"{submitted} clock_stopped m.1",
        f"{submitted} clock_started d.1",
        f"{submitted} notification_requested chief",
    ]


def test_measures_without_a_needed_sign_off_stop_no_clock() -> None:
    rows = run_steps(SIGNED_OFF, "09 10:00 submit_measures officer", until="11 00:00")
    assert event_lines(rows, "clock_stopped", "clock_breached", "notification_requested") == ["10 18:00 clock_breached m.1"]


def test_sign_off_counts_only_while_measures_wait_for_it() -> None:
    waiting = ("09 13:00 submit_measures officer", "09 14:00 sign_off boss", "09 15:00 sign_off boss")
    rows = run_steps(
        SIGNED_OFF, "09 10:00 sign_off boss", "09 11:00 submit_measures boss", "09 12:00 sign_off boss", *waiting, until="10 00:00"
    )
    assert event_lines(rows, "clock_stopped", "notification_requested") == [
        "09 11:00 clock_stopped m.1",
        "09 11:00 notification_requested chief",
        "09 14:00 notification_requested chief",
    ]


def test_action_is_refused_after_its_window_has_closed() -> None:
    text = """
clocks:
- {id: w, clause: "1", starts: registered, owner: officer, due: [{within: 2h, do: [{refuse_further: object, clause: "1.2"}]}]}
"""
    rows = run_steps(text, "09 11:00 object officer", "09 11:00:01 object officer")
    assert event_lines(rows, "objected", "action_refused") == ["09 11:00 objected officer", "09 11:00:01 action_refused object 1.2"]
