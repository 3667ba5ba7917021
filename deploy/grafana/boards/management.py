"""The month at a glance: the figures of a lead, by procedure and department."""

from deploy.grafana.panels import DEPARTMENT, PROCEDURE, UNIT, Board, Kind, Panel, Query, Row, stat

_COUNTED = 'outcome!="known_late"'
_REACHED = 'outcome!="unreachable"'

_NOW = Row(
    "Now · 当前",
    (
        stat("Open cases · 在办", "Cases that are not closed, refused or withdrawn.", f"sum(jiesu_cases_open{{{UNIT}}})"),
        stat(
            "Overdue · 已超时",
            "Open cases with a running clock whose deadline has passed.",
            f"sum(jiesu_cases_overdue{{{UNIT}}})",
            runbook="cases-overdue",
            limits=(1, 10),
        ),
        stat(
            "Breached · 有超时记录",
            "Open cases that missed a deadline at some time.",
            f"sum(jiesu_cases_breached{{{UNIT}}})",
        ),
        stat(
            "Not acknowledged · 升级未确认",
            "Open cases whose escalation nobody has acknowledged.",
            f"sum(jiesu_cases_escalated{{{UNIT}}})",
            runbook="escalations-wait",
            limits=(1, 10),
        ),
        stat(
            "Review queue · 待人工复核",
            "Cases that wait for a person to confirm class or department.",
            "sum(jiesu_reviews_open)",
            runbook="reviews-pile-up",
            limits=(100, 500),
        ),
        stat(
            "Oldest review · 最久复核等待",
            "How long the oldest case has waited in the review queue.",
            "max(jiesu_reviews_oldest_age_seconds)",
            unit="s",
            runbook="reviews-wait",
            limits=(14_400, 86_400),
        ),
    ),
)
_MONTH = Row(
    "The last 30 days · 近 30 天",
    (
        stat(
            "On time · 及时率",
            "Share of the deadlines that were met. Limits that had passed before their fact was known are not counted.",
            f'sum(jiesu_month_deadlines{{outcome="met", {UNIT}}}) / sum(jiesu_month_deadlines{{{_COUNTED}, {UNIT}}})',
            unit="percentunit",
            runbook="deadlines-missed",
            limits=(0.99, 0.95),
        ),
        stat("Missed · 超时次数", "Deadlines that passed unmet.", f'sum(jiesu_month_deadlines{{outcome="breached", {UNIT}}})'),
        stat(
            "Deemed · 视同同意",
            "Events that happened because a deadline expired, such as an approval by silence.",
            f"sum(jiesu_month_deemed_events{{{UNIT}}})",
            empty_unless="approvers are silent",
        ),
        stat(
            "Called back · 回访率",
            "Cases called back for the first time, in relation to the cases closed in the same 30 days.",
            f"sum(jiesu_month_called_back_cases{{{UNIT}}}) / sum(jiesu_month_closed_cases{{{UNIT}}})",
            unit="percentunit",
            runbook="call-backs-missing",
            limits=(0.95, 0.8),
        ),
        stat(
            "Satisfied · 满意率",
            "Share of the complainants who were reached, by call-back or rating, and are satisfied.",
            f'sum(jiesu_month_answers{{outcome="satisfied", {UNIT}}}) / sum(jiesu_month_answers{{{_REACHED}, {UNIT}}})',
            unit="percentunit",
            runbook="complainants-dissatisfied",
            limits=(0.9, 0.75),
        ),
        stat(
            "Urgings · 催办",
            "How often complainants urged an answer.",
            f"sum(jiesu_month_urgings{{{UNIT}}})",
            runbook="urgings-rise",
            empty_unless="complaints are urged",
        ),
        stat("Escalations · 升级", "Escalation steps taken.", f"sum(jiesu_month_escalations{{{UNIT}}})"),
        stat("Closed · 办结", "Cases closed.", f"sum(jiesu_month_closed_cases{{{UNIT}}})"),
        stat(
            "Messages failed · 通知失败",
            "Messages that finally failed.",
            "sum(jiesu_notify_month_failed_messages)",
            runbook="messages-fail",
            limits=(1, 20),
        ),
    ),
)
_WORK = Row(
    "Who has what to do · 分布",
    (
        Panel(
            "Open by department · 各部门在办",
            "Open cases by leading department.",
            (Query(f"sum by (department) (jiesu_cases_open{{{UNIT}}})", "{{department}}"),),
            stacked=True,
        ),
        Panel(
            "Open by class · 各级别在办",
            "Open cases by the class of their procedure.",
            (Query(f"sum by (procedure, class) (jiesu_cases_open{{{UNIT}}})", "{{procedure}} {{class}}"),),
            stacked=True,
        ),
        Panel(
            "Open by age · 在办时长",
            "Open cases by the time since their registration.",
            (Query(f"sum by (age) (jiesu_cases_open{{{UNIT}}})", "{{age}}"),),
            kind=Kind.BARS,
        ),
        Panel(
            "Due soon · 即将到期",
            "Cases whose next deadline comes within an hour, a day, three days; each holds the ones before.",
            (Query(f"sum by (within) (jiesu_cases_due{{{UNIT}}})", "{{within}}"),),
            kind=Kind.BARS,
        ),
        Panel(
            "Missed by department · 各部门超时",
            "Deadlines missed in the last 30 days, by leading department.",
            (Query(f'sum by (department) (jiesu_month_deadlines{{outcome="breached", {UNIT}}})', "{{department}}"),),
            kind=Kind.BARS,
            runbook="deadlines-missed",
        ),
        Panel(
            "What complainants say · 回访结果",
            "Outcomes of the call-backs and ratings of the last 30 days.",
            (Query(f"sum by (outcome) (jiesu_month_answers{{{UNIT}}})", "{{outcome}}"),),
            kind=Kind.BARS,
        ),
        Panel(
            "On time by department · 各部门及时率",
            "Share of deadlines met in the last 30 days, by leading department.",
            (Query(f"procedure_department:jiesu_month_timely:ratio{{{UNIT}}}", "{{department}}, {{procedure}}"),),
            unit="percentunit",
            limits=(0.99, 0.95),
            width=12,
        ),
        Panel(
            "Registered and closed · 登记与办结",
            "Complaints registered and cases closed in each hour, by procedure.",
            (
                Query(
                    'sum by (procedure) (increase(jiesu_intake_registered_total{procedure=~"$procedure"}[1h]))', "registered {{procedure}}"
                ),
                Query(
                    'sum by (procedure) (increase(jiesu_case_events_total{event="closed", procedure=~"$procedure"}[1h]))',
                    "closed {{procedure}}",
                ),
            ),
            width=12,
        ),
    ),
)

BOARD = Board(
    uid="jiesu-management",
    title="The month at a glance · 一月概览",
    description="Open work, deadlines and satisfaction, by procedure and department.",
    rows=(_NOW, _MONTH, _WORK),
    choices=(PROCEDURE, DEPARTMENT),
    first_hours=720,
    refresh="5m",
)
