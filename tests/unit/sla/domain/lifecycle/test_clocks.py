"""Runs, guards, pauses, extensions, repeats, agreed and fixed dates of a case's clocks."""

import pytest

from tests.unit.sla.timeline import event_lines, november_instant, run_steps

CLOCK_EVENTS = ("clock_started", "clock_breached", "clock_stopped", "clock_cancelled", "clock_moved")


def clock(entries: str, before: str = "") -> str:
    return f'{before}\nactions: {{grant_extension: {{unasked: true}}}}\nclocks:\n- {{id: c, clause: "1", owner: officer, {entries}}}\n'


def test_start_of_a_running_or_stopped_clock_does_nothing() -> None:
    rows = run_steps(
        clock("starts: signed, stops: handled, due: [{within: 1wd}]"),
        *("09 10:00 sign boss", "09 11:00 sign boss", "09 12:00 handle officer", "09 13:00 sign boss"),
    )
    assert event_lines(rows, *CLOCK_EVENTS) == ["09 10:00 clock_started c.1", "09 12:00 clock_stopped c.1"]


def test_restart_begins_a_numbered_run_with_a_deadline_of_its_own() -> None:
    rows = run_steps(
        clock("starts: signed, restarts: measures_rejected, stops: measures_submitted, due: [{within: 1wd}]"),
        *("09 10:00 sign boss", "09 12:00 submit_measures boss", "10 10:00 reject chief"),
        until="13 00:00",
    )
    assert event_lines(rows, *CLOCK_EVENTS) == [
        "09 10:00 clock_started c.1",
        "09 12:00 clock_stopped c.1",
        "10 10:00 clock_started c.2",
        "11 18:00 clock_breached c.2",
    ]


def test_stop_by_all_events_counts_those_since_the_run_began() -> None:
    text = clock("starts: registered, restarts: measures_rejected, stops: {all: [work_started, contacted]}, due: [{within: 1wd}]")
    both = run_steps(text, "09 10:00 contact officer", "09 11:00 start_work officer")
    again = run_steps(
        text, "09 09:30 submit_measures officer", "09 10:00 contact officer", "09 11:00 reject boss", "09 12:00 start_work officer"
    )
    assert event_lines(both, "clock_stopped", "clock_breached") == ["09 11:00 clock_stopped c.1"]
    assert event_lines(again, "clock_stopped", "clock_breached") == ["10 18:00 clock_breached c.2"]


def test_selector_condition_reads_the_role_of_the_event() -> None:
    rows = run_steps(
        clock("starts: registered, stops: {event: contacted, when: \"event.role == 'boss'\"}, due: [{within: 2h}]"),
        *("09 10:00 contact officer", "09 10:30 contact boss"),
        until="10 00:00",
    )
    assert event_lines(rows, "clock_stopped", "clock_breached") == ["09 10:30 clock_stopped c.1"]


@pytest.mark.parametrize("end", ["close officer", "withdraw complainant", "refuse boss reason=unfounded"])
def test_end_of_a_case_cancels_every_clock_except_those_it_starts(end: str) -> None:
    text = (
        clock("starts: registered, due: [{within: 1wd}]")
        + '- {id: after, clause: "2", owner: officer, starts: [closed, withdrawn, refused], due: [{within: 2h}]}'
    )
    rows = run_steps(text, "09 09:30 answer officer", f"09 10:00 {end}")
    assert event_lines(rows, "clock_cancelled", "clock_breached") == ["09 10:00 clock_cancelled c.1", "09 12:00 clock_breached after.1"]


def test_reopening_restarts_only_clocks_that_name_it() -> None:
    text = (
        clock("starts: registered, due: [{within: 1wd}]")
        + '- {id: b, clause: "2", owner: officer, starts: registered, restarts: reopened, due: [{within: 1wd}]}\n'
        + '- {id: s, clause: "3", owner: officer, starts: [registered, reopened], due: [{within: 1wd}]}'
    )
    rows = run_steps(text, "09 09:30 answer officer", "09 10:00 close officer", "10 10:00 reopen officer", until="10 11:00")
    assert event_lines(rows, "clock_started")[3:] == ["10 10:00 clock_started b.2", "10 10:00 clock_started s.2"]


CLASSES = """
facts: {urgent: {type: bool, default: false}, limit: {type: instant}, agreed_date: {type: instant}}
classes: [{id: hot, clause: "8", when: facts.urgent}, {id: cold, clause: "9"}]
"""


def test_guard_that_becomes_true_counts_from_the_original_start_and_false_cancels() -> None:
    text = clock("when: \"case.class == 'hot'\", starts: registered, stops: handled, due: [{within: 4h}]", CLASSES)
    rows = run_steps(
        text, "09 10:00 reclassify boss class=hot", "09 11:00 reclassify boss class=cold", "09 12:00 reclassify boss class=hot"
    )
    assert event_lines(rows, *CLOCK_EVENTS) == [
        "09 10:00 clock_started c.1",
        "09 11:00 clock_cancelled c.1",
        "09 12:00 clock_started c.1",
        "09 13:00 clock_breached c.1",
    ]


def test_clock_stopped_while_its_guard_was_false_does_not_start_later() -> None:
    text = clock("when: \"case.class == 'hot'\", starts: registered, stops: handled, due: [{within: 4h}]", CLASSES)
    rows = run_steps(text, "09 10:00 handle officer", "09 11:00 reclassify boss class=hot")
    assert event_lines(rows, *CLOCK_EVENTS) == []


def test_change_of_class_moves_a_deadline() -> None:
    text = clock(
        "starts: registered, due: [{within: 1wd, when: \"case.class == 'hot'\"}, {within: 3wd, when: \"case.class == 'cold'\"}]", CLASSES
    )
    rows = run_steps(text, "09 10:00 reclassify boss class=hot")
    assert event_lines(rows, "clock_moved", "clock_breached") == ["09 10:00 clock_moved c.1", "10 18:00 clock_breached c.1"]


def test_date_fact_is_the_deadline_once_it_is_set() -> None:
    text = clock("starts: registered, due: [{within: {date: limit}}]", CLASSES)
    before = run_steps(text, "09 10:00 amend officer", facts={})
    after = run_steps(text, facts={"limit": november_instant("11 12:00")})
    assert event_lines(before, "clock_breached") == []
    assert event_lines(after, "clock_breached") == ["11 12:00 clock_breached c.1"]


@pytest.mark.parametrize(
    ("how", "date", "due"),
    [
        ("true", "18 12:00", "18 12:00"),
        ("true", "10 12:00", "10 12:00"),
        ("earlier", "18 12:00", "13 00:00"),
        ("earlier", "10 12:00", "10 12:00"),
        ("false", "10 12:00", "13 00:00"),
    ],
)
def test_agreed_date_replaces_a_limit_with_or_agreed(how: str, date: str, due: str) -> None:
    text = clock(f"starts: registered, stops: handled, due: [{{within: 3d, or_agreed: {how}}}]", CLASSES)
    for step in (
        f"09 10:00 agree_date officer date={november_instant(date)}",
        f"09 10:00 answer officer next_date={november_instant(date)}",
    ):
        assert event_lines(run_steps(text, step), "clock_breached") == [f"{due} clock_breached c.1"]


PAUSED = "starts: registered, pauses: suspended, resumes: resumed, "


@pytest.mark.parametrize(
    ("within", "begun", "ended", "due"),
    [
        ("2wd", "09 17:00", "10 17:59", "11 18:00"),  # the pause ends before close: the day counts
        ("2wd", "09 17:00", "10 18:00", "12 18:00"),  # resumed at close: the day does not count
        ("2wd", "10 18:00", "11 09:00", "11 18:00"),  # paused at close: the day counts
        ("2d", "09 17:00", "10 23:59", "12 00:00"),
        ("2d", "09 17:00", "11 00:00", "13 00:00"),
        ("10wh", "09 17:00", "10 18:00", "11 12:00"),
        ("4h", "09 10:00", "09 15:00", "09 18:00"),
        ("same_day", "09 10:00", "11 15:00", "10 00:00"),
        ("same_working_day", "09 10:00", "11 15:00", "09 18:00"),
    ],
)
def test_paused_time_is_not_counted(within: str, begun: str, ended: str, due: str) -> None:
    rows = run_steps(clock(f"{PAUSED} due: [{{within: {within}}}]"), f"{begun} suspend officer", f"{ended} resume officer")
    assert event_lines(rows, "clock_breached") == [f"{due} clock_breached c.1"]


def test_pause_within_a_pause_and_resume_without_a_pause_do_nothing() -> None:
    rows = run_steps(
        clock(f"{PAUSED} due: [{{within: 4h}}]"),
        *("09 09:30 resume officer", "09 10:00 suspend officer", "09 10:30 suspend officer", "09 11:00 resume officer"),
        until="10 00:00",
    )
    assert event_lines(rows, "clock_paused", "clock_resumed", "clock_breached") == [
        "09 10:00 clock_paused c.1",
        "09 11:00 clock_resumed c.1",
        "09 14:00 clock_breached c.1",
    ]


THREE_DAYS = clock("starts: registered, stops: handled, due: [{within: 3wd}]")


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        (["10 10:00 grant_extension boss clock=c by=2wd"], ["16 18:00 clock_breached c.1"]),
        (
            ["10 10:00 grant_extension boss clock='1' by=1wd", "11 10:00 grant_extension boss clock=c by=1wd"],
            ["16 18:00 clock_breached c.1"],
        ),
        (["10 10:00 grant_extension boss clock=c by=1d"], ["10 10:00 action_refused grant_extension 1", "12 18:00 clock_breached c.1"]),
        (["10 10:00 grant_extension boss clock=c"], ["10 10:00 action_refused grant_extension 1", "12 18:00 clock_breached c.1"]),
        (["10 10:00 grant_extension boss clock=x by=1wd"], ["10 10:00 action_refused grant_extension", "12 18:00 clock_breached c.1"]),
        (
            [f"10 10:00 grant_extension boss clock=c until={november_instant('13 12:00')}", "11 10:00 grant_extension boss clock=c by=1wd"],
            ["11 10:00 action_refused grant_extension 1", "13 12:00 clock_breached c.1"],
        ),
        (["12 18:00 request_extension officer clock=c"], ["12 18:00 clock_breached c.1"]),
        (
            ["12 18:00:01 request_extension officer clock=c"],
            ["12 18:00 clock_breached c.1", "12 18:00:01 action_refused request_extension 1"],
        ),
        (
            ["13 10:00 grant_extension boss clock=c by=2wd"],
            ["12 18:00 clock_breached c.1", "16 18:00 clock_breached c.1"],
        ),  # granted after the breach: moves the deadline, does not undo the breach
    ],
)
def test_extension_by_or_until_moves_the_deadline_or_is_refused(steps: list[str], expected: list[str]) -> None:
    assert event_lines(run_steps(THREE_DAYS, *steps), "clock_breached", "action_refused") == expected


def breaches(*steps: str, text: str = THREE_DAYS, until: str = "20 00:00") -> list[tuple[str, bool, bool]]:
    """When a clock was breached, whether it was the same delay, and whether the limit was known late."""
    rows = [row for row in run_steps(text, *steps, until=until) if row["event"] == "clock_breached"]
    return [(row["at"].strftime("%d %H:%M"), row.get("same_delay", False), "known_at" in row) for row in rows]


def test_second_breach_after_a_late_grant_is_an_event_of_the_same_delay() -> None:
    assert breaches("13 10:00 grant_extension boss clock=c by=2wd") == [("12 18:00", False, False), ("16 18:00", True, False)]
    grants = ("13 10:00 grant_extension boss clock=c by=2wd", "17 10:00 grant_extension boss clock=c by=2wd")
    assert breaches(*grants) == [("12 18:00", False, False), ("16 18:00", True, False), ("18 18:00", True, False)]
    assert breaches(grants[0], "16 17:00 handle officer") == [("12 18:00", False, False)]
    assert breaches("11 10:00 grant_extension boss clock=c by=1wd") == [("13 18:00", False, False)], "granted in time: one breach"


def test_second_breach_whose_instant_had_passed_before_the_grant_is_known_late() -> None:
    assert breaches("17 10:00 grant_extension boss clock=c by=1wd") == [("12 18:00", False, False), ("13 18:00", True, True)]


def test_late_grant_deems_nothing_twice() -> None:
    text = clock("starts: registered, stops: closed, due: [{within: 3wd}, {within: 4wd, do: [{deem: handled}]}]")
    rows = run_steps(text, "17 10:00 grant_extension boss clock=c by=2wd", until="24 00:00")
    assert event_lines(rows, "handled") == ["13 18:00 handled c.1"]


def test_repeat_counts_from_nominal_days_and_fires_once_where_two_roll_to_one_instant() -> None:
    text = clock("starts: registered, stops: closed, every: 3d, do: [{remind: officer}]")
    rows = run_steps(text, received_at="2026-09-24T16:40:00+08:00", until="14 00:00")
    fired = [row["at"].strftime("%m-%d") for row in rows if row["event"] == "reminded"][:5]
    assert fired == ["09-29", "10-01", "10-09", "10-10", "10-13"]


def test_repeat_ends_when_its_clock_is_cancelled() -> None:
    text = clock("starts: registered, stops: closed, every: 12h, do: [{remind: officer}]")
    assert event_lines(run_steps(text, "10 08:00 answer officer", "10 09:00 close officer"), "reminded") == ["09 21:00 reminded c.1"]


def test_reminder_comes_by_working_time_before_due_or_at_a_share_of_the_time() -> None:
    text = clock(
        "starts: registered, stops: handled, due: [{within: 0.5wd}],"
        " reminders: [{before: 2wh, do: [{remind: boss}]}, {share: 0.8, do: [{remind: chief}]}, {before: 9h, do: [{remind: officer}]}]"
    )
    rows = run_steps(text, until="10 00:00")
    assert [(row["at"].strftime("%H:%M"), row["role"]) for row in rows if row["event"] == "reminded"] == [
        ("11:00", "boss"),
        ("13:12", "chief"),
    ]


def test_each_due_entry_has_its_own_effects_until_the_clock_stops() -> None:
    text = clock('starts: registered, stops: handled, due: [{within: 1h}, {within: 2h, clause: "1.2", do: [{notify: boss}]}, {within: 3h}]')
    rows = run_steps(text, "09 11:30 handle officer")
    assert event_lines(rows, "clock_breached", "notification_requested") == [
        "09 10:00 clock_breached c.1",
        "09 11:00 notification_requested boss",
    ]


@pytest.mark.parametrize(("until", "deemed"), [("10 20:00", "11 18:00"), ("12 10:00", "12 10:00")])
def test_extension_until_an_instant_never_brings_a_later_due_entry_forward(until: str, deemed: str) -> None:
    text = clock("starts: registered, stops: handled, due: [{within: 1wd}, {within: 2wd, do: [{deem: handled}]}]")
    rows = run_steps(text, f"09 10:00 grant_extension boss clock=c until={november_instant(until)}")
    assert event_lines(rows, "clock_breached", "handled") == [f"{until} clock_breached c.1", f"{deemed} handled c.1"]
