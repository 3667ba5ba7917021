"""The delivery chain: from a submission through outboxes and topics to the last service, with what fell out of it."""

from deploy.grafana.panels import CONSUMER_LAG, INSTANCE, PROCESS, SERVICE, Board, Panel, Query, Row, mean, per_second, quantile, stat

_INTAKE = Row(
    "Complaints come in · 受理",
    (
        Panel(
            "Received, registered, refused",
            "Submissions a second; those that had been registered before, and additions to known cases, apart.",
            (
                Query(per_second("jiesu_intake_received_total", "via"), "received: {{via}}"),
                Query(per_second("jiesu_intake_registered_total", ""), "registered"),
                Query(per_second("jiesu_intake_duplicates_total", "via"), "sent again: {{via}}"),
                Query(per_second("jiesu_intake_supplements_total", "via"), "added: {{via}}"),
                Query(per_second("jiesu_intake_refused_total", "via, reason"), "refused: {{via}} {{reason}}"),
            ),
            unit="cps",
        ),
        Panel(
            "Registered by channel",
            "Complaints registered in an hour, by channel, and those that lack a field that their procedure requires.",
            (
                Query("sum by (channel) (increase(jiesu_intake_registered_total[1h]))", "{{channel}}"),
                Query("sum by (procedure) (increase(jiesu_intake_incomplete_total[1h]))", "incomplete: {{procedure}}"),
            ),
        ),
        Panel(
            "Mail and files",
            "Mails by what they became, files by what became of them, and whether the mailboxes can be read.",
            (
                Query("sum by (outcome) (increase(jiesu_intake_mails_total[1h]))", "mails: {{outcome}}"),
                Query("max by (mailbox) (jiesu_intake_mailbox_up)", "{{mailbox}} readable", "a mailbox is read by IMAP"),
                Query("sum by (result) (increase(jiesu_intake_attachments_total[1h]))", "files: {{result}}"),
                Query("sum(increase(jiesu_intake_attachments_changed_total[1h]))", "files changed"),
            ),
            runbook="mailbox-not-read",
        ),
        Panel(
            "Complaints that shared a transaction",
            "Mean size of a group commit; it rises with the load.",
            (
                Query(
                    mean("jiesu_intake_group_items", ""),
                    "in a group",
                ),
            ),
        ),
    ),
)
_OUTBOX = Row(
    "Outboxes · 发件箱",
    (
        Panel(
            "Oldest unsent message",
            "Age of the oldest message in each outbox. Normal: below a second.",
            (Query(f"max by (job) (jiesu_outbox_oldest_age_seconds{{{PROCESS}}})", "{{job}}"),),
            unit="s",
            runbook="outbox-stuck",
            limits=(10, 60),
        ),
        Panel(
            "Wait in the outbox",
            "99th percentile from the commit of a message to the broker's acknowledgement.",
            (Query(quantile(0.99, "jiesu_outbox_wait_seconds", "job", PROCESS), "{{job}}"),),
            unit="s",
            runbook="outbox-stuck",
        ),
        Panel(
            "Messages and topics held",
            "Messages that wait, topics that are absent or forbidden, and messages that became dead letters because they cannot be sent.",
            (
                Query(f"sum by (job) (jiesu_outbox_messages{{{PROCESS}}})", "{{job}} waiting"),
                Query(f"max by (job) (jiesu_relay_held_topics{{{PROCESS}}})", "{{job}} held topics"),
                Query(
                    f"sum by (job, topic) (increase(jiesu_outbox_unsendable_messages_total{{{PROCESS}}}[1h]))",
                    "{{job}} unsendable {{topic}}",
                    "a topic is absent for longer than the hold time",
                ),
            ),
            runbook="messages-unsendable",
        ),
        Panel(
            "Relay",
            "Messages sent a second by topic, and cycles by result.",
            (
                Query(per_second("jiesu_relay_messages_total", "topic, outcome", PROCESS), "{{topic}} {{outcome}}"),
                Query(per_second("jiesu_relay_cycles_total", "job, result", PROCESS), "{{job}} {{result}}"),
            ),
            unit="cps",
            runbook="outbox-stuck",
        ),
    ),
)
_TOPICS = Row(
    "Topics · 主题",
    (
        CONSUMER_LAG,
        Panel(
            "Routed within a minute",
            "Share of the complaints that were classified and routed within a minute of their registration. Promise: 99.9 %.",
            (
                Query(
                    'sum(increase(jiesu_triage_routing_seconds_bucket{le="60.0"}[1h]))'
                    " / sum(increase(jiesu_triage_routing_seconds_count[1h]))",
                    "share",
                ),
            ),
            unit="percentunit",
            runbook="routing-budget-burns-fast",
            limits=(0.999, 0.99),
        ),
        Panel(
            "From registration to the route",
            "Median and 99th percentile.",
            (
                Query(quantile(0.5, "jiesu_triage_routing_seconds", ""), "median"),
                Query(quantile(0.99, "jiesu_triage_routing_seconds", ""), "99 %"),
            ),
            unit="s",
            runbook="routing-budget-burns-fast",
        ),
    ),
)
_FALLEN_OUT = Row(
    "What fell out · 异常",
    (
        stat("Dead letters", "Dead letters that are not settled.", "sum(jiesu_dead_letters)", runbook="dead-letters", limits=(1, 100)),
        stat("Parked cases", "Cases that wait behind a dead letter.", "sum(jiesu_parked_cases)", runbook="cases-parked", limits=(1, 10)),
        stat(
            "Parked records",
            "Records that wait behind a dead letter.",
            "sum(jiesu_parked_records)",
            runbook="cases-parked",
            limits=(1, 100),
        ),
        stat("Parked timers", "Due timers of parked cases.", "sum(jiesu_parked_timers)", runbook="cases-parked", limits=(1, 10)),
        stat(
            "Stopped partitions",
            "Partitions that are not read since the breaker opened.",
            "sum(jiesu_breaker_open_partitions)",
            runbook="breaker-open",
            limits=(1, 2),
        ),
        stat(
            "Inputs held",
            "Deferred inputs of sla: they wait for their case or for earlier deadlines.",
            "sum(jiesu_inputs_held)",
            runbook="inputs-held-long",
        ),
        Panel(
            "Bad records by sender",
            "Records that became dead letters by bad input in an hour, and those set aside because their sender sent too many.",
            (
                Query("sum by (topic, sender) (increase(jiesu_bad_records_total[1h]))", "{{topic}} {{sender}}"),
                Query("sum by (sender) (increase(jiesu_set_aside_records_total[1h]))", "set aside {{sender}}"),
            ),
            runbook="bad-records",
            width=8,
        ),
        Panel(
            "Records without the broker's timestamp",
            "Their instant is not trusted. Normal: zero; else the topic's message.timestamp.type is wrong.",
            (Query("sum by (topic) (increase(jiesu_untrusted_timestamp_records_total[1h]))", "{{topic}}"),),
            runbook="timestamps-untrusted",
        ),
        Panel(
            "Complaints routed later than a minute",
            "Share over an hour, six hours and three days. Promise: one in a thousand.",
            (
                Query("job:jiesu_routings_late:ratio_rate1h", "1 h"),
                Query("job:jiesu_routings_late:ratio_rate6h", "6 h"),
                Query("job:jiesu_routings_late:ratio_rate3d", "3 d"),
            ),
            unit="percentunit",
            runbook="routing-budget-burns-slowly",
            limits=(0.001, 0.014),
        ),
    ),
)

BOARD = Board(
    uid="jiesu-delivery",
    title="Delivery chain · 传递链",
    description="From a submission through outboxes and topics to the last service, and what fell out of it.",
    rows=(_INTAKE, _OUTBOX, _TOPICS, _FALLEN_OUT),
    choices=(SERVICE, INSTANCE),
)
