"""Deadlines: what is due and missed, and whether timers fire when they are due."""

from deploy.grafana.panels import DEPARTMENT, PROCEDURE, UNIT, Board, Kind, Panel, Query, Row, per_second, quantile

_OF_PROCEDURE = 'procedure=~"$procedure"'

_DUE = Row(
    "Due and missed · 到期与超时",
    (
        Panel(
            "Due soon · 即将到期",
            "Cases whose next deadline comes within an hour, a day, three days; each holds the ones before.",
            (Query(f"sum by (within) (jiesu_cases_due{{{UNIT}}})", "{{within}}"),),
            kind=Kind.BARS,
        ),
        Panel(
            "Overdue by department · 各部门超时在办",
            "Open cases with a running clock whose deadline has passed, and escalations that nobody has acknowledged.",
            (
                Query(f"sum by (department) (jiesu_cases_overdue{{{UNIT}}})", "{{department}}"),
                Query(f"sum by (department) (jiesu_cases_escalated{{{UNIT}}})", "{{department}} not acknowledged"),
            ),
            runbook="escalations-wait",
        ),
        Panel(
            "Missed deadlines",
            "Deadlines that passed unmet in an hour, by procedure and clock; limits that had passed before their fact was known apart.",
            (
                Query(
                    f"sum by (procedure, clock) (increase(jiesu_clocks_breached_total{{{_OF_PROCEDURE}}}[1h]))", "{{procedure}} {{clock}}"
                ),
                Query(
                    f"sum by (procedure, clock) (increase(jiesu_clocks_known_late_total{{{_OF_PROCEDURE}}}[1h]))",
                    "{{procedure}} {{clock}} known late",
                ),
            ),
            runbook="deadlines-missed",
        ),
        Panel(
            "Outcome of deadlines · 时限结果",
            "Deadlines that ended in the last 30 days of domain time: met, breached, deemed, known late.",
            (Query(f"sum by (outcome) (jiesu_month_deadlines{{{UNIT}}})", "{{outcome}}"),),
            stacked=True,
        ),
        Panel(
            "Escalated and deemed",
            "Escalation steps taken in an hour, and events that happened because time ran out.",
            (
                Query(f"sum by (role) (increase(jiesu_escalations_total{{{_OF_PROCEDURE}}}[1h]))", "escalated to {{role}}"),
                Query(f"sum by (event) (increase(jiesu_deemed_events_total{{{_OF_PROCEDURE}}}[1h]))", "{{event}}"),
                Query(f"sum by (event) (jiesu_month_deemed_events{{{UNIT}}})", "30 days: {{event}}", "approvers are silent"),
            ),
            runbook="silence-approves",
        ),
        Panel(
            "Duties",
            "Periodic duties carried out in an hour, and attempts at them that failed.",
            (
                Query(f"sum by (procedure, duty) (increase(jiesu_duties_total{{{_OF_PROCEDURE}}}[1h]))", "{{procedure}} {{duty}}"),
                Query(f"sum by (procedure) (increase(jiesu_duties_failed_total{{{_OF_PROCEDURE}}}[1h]))", "{{procedure}} failed"),
            ),
            runbook="duties-fail",
        ),
    ),
)
_TIMERS = Row(
    "Timers · 定时器",
    (
        Panel(
            "Lateness",
            "Median and 99th percentile from a timer's due instant to its firing. Normal: below ten seconds.",
            (
                Query(quantile(0.5, "jiesu_timer_lateness_seconds", "job"), "{{job}} median"),
                Query(quantile(0.99, "jiesu_timer_lateness_seconds", "job"), "{{job}} 99 %"),
            ),
            unit="s",
            runbook="timers-behind",
            limits=(10, 60),
        ),
        Panel(
            "Behind",
            "Seconds since the oldest due timer was due, and the age of the watermark beyond which no timer fires.",
            (
                Query("max by (job) (jiesu_timers_behind_seconds)", "{{job}} behind"),
                Query("max by (job) (jiesu_watermark_age_seconds)", "{{job}} watermark"),
                Query(quantile(0.99, "jiesu_watermark_lag_seconds", "job"), "{{job}} watermark lag, 99 %"),
            ),
            unit="s",
            runbook="timers-behind",
            limits=(10, 60),
        ),
        Panel(
            "Fired and blocked",
            "Cases whose timers fired a second, and attempts whose case was locked or erased.",
            (
                Query(per_second("jiesu_timers_fired_total", "job"), "{{job}} fired"),
                Query(per_second("jiesu_timers_blocked_total", "job"), "{{job}} blocked"),
            ),
            unit="cps",
            runbook="timers-blocked",
        ),
    ),
)
_PROMISE = Row(
    "The promise · 承诺",
    (
        Panel(
            "Timers later than ten seconds",
            "Share of the timers that fired more than ten seconds late, in 1 h, 6 h and 3 d. Promise: one in a thousand.",
            (
                Query("job:jiesu_timers_late:ratio_rate1h", "{{job}} 1 h"),
                Query("job:jiesu_timers_late:ratio_rate6h", "{{job}} 6 h"),
                Query("job:jiesu_timers_late:ratio_rate3d", "{{job}} 3 d"),
            ),
            unit="percentunit",
            runbook="deadline-budget-burns-fast",
            limits=(0.001, 0.014),
            width=12,
        ),
        Panel(
            "Budget that is left",
            "Share of the late timers that three days allow and that have not happened; below zero the promise is broken.",
            (Query("1 - job:jiesu_timers_late:ratio_rate3d / 0.001", "{{job}}"),),
            unit="percentunit",
            runbook="deadline-budget-burns-slowly",
            limits=(0.5, 0),
            width=12,
        ),
    ),
)
_ACTIONS = Row(
    "Actions · 处理动作",
    (
        Panel(
            "Events of cases",
            "Events an hour, by type.",
            (Query(f"sum by (event) (increase(jiesu_case_events_total{{{_OF_PROCEDURE}}}[1h]))", "{{event}}"),),
            width=12,
        ),
        Panel(
            "Actions",
            "Actions a second by result, senders that were not believed, and rules that could not be evaluated.",
            (
                Query(per_second("jiesu_actions_total", "result"), "{{result}}"),
                Query(per_second("jiesu_actions_denied_total", "channel"), "denied: {{channel}}"),
                Query(f"sum by (procedure) (increase(jiesu_failed_conditions_total{{{_OF_PROCEDURE}}}[1h]))", "{{procedure}} rule failed"),
            ),
            unit="cps",
            runbook="rule-cannot-be-evaluated",
            width=12,
        ),
        Panel(
            "Erased cases",
            "Cases whose personal data were erased, by ground.",
            (Query("sum by (ground) (jiesu_cases_erased)", "{{ground}}", "a person was erased"),),
            width=12,
        ),
        Panel(
            "Oldest unfinished erasure",
            "How long the oldest erasure has been unfinished: in tables (interrupted) below a day, in topics below 31 days.",
            (Query("max by (ground, waits_for) (jiesu_erasure_oldest_age_seconds)", "{{ground}} {{waits_for}}", "a person was erased"),),
            unit="s",
            limits=(2_592_000, 3_024_000),
            width=12,
        ),
    ),
)

BOARD = Board(
    uid="jiesu-deadlines",
    title="Deadlines · 时限",
    description="What is due and missed, by procedure and department, and whether timers fire when they are due.",
    rows=(_DUE, _TIMERS, _PROMISE, _ACTIONS),
    choices=(PROCEDURE, DEPARTMENT),
)
