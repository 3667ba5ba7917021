"""Messages to people: requests, attempts at providers, receipts and digests."""

from deploy.grafana.panels import Board, BoardVariable, Kind, Panel, Query, Row, per_second, quantile

_CHANNEL = BoardVariable("channel", "Channel · 渠道", "label_values(jiesu_notify_requested_total, channel)")
_ON = 'channel=~"$channel"'

_SENT = Row(
    "Sent and delivered · 发送与送达",
    (
        Panel(
            "Requested, sent, delivered",
            "Messages a second by channel.",
            (
                Query(per_second("jiesu_notify_requested_total", "channel", _ON), "{{channel}} requested"),
                Query(per_second("jiesu_notify_sent_total", "channel", _ON), "{{channel}} sent"),
                Query(per_second("jiesu_notify_delivered_total", "channel", _ON), "{{channel}} delivered"),
            ),
            unit="cps",
        ),
        Panel(
            "Failed by reason",
            "Messages that finally failed in an hour. Normal: few, for wrong addresses.",
            (Query(f"sum by (channel, reason) (increase(jiesu_notify_failed_total{{{_ON}}}[1h]))", "{{channel}}: {{reason}}"),),
            runbook="messages-fail",
        ),
        Panel(
            "Failed in 30 days",
            "Messages that finally failed in the last 30 days, as far as they are kept.",
            (Query(f"sum by (channel, reason) (jiesu_notify_month_failed_messages{{{_ON}}})", "{{channel}}: {{reason}}"),),
            kind=Kind.BARS,
            runbook="messages-fail",
        ),
        Panel(
            "Receipts",
            "Receipts an hour by outcome; forged and invalid ones change nothing.",
            (Query("sum by (outcome) (increase(jiesu_notify_receipts_total[1h]))", "{{outcome}}"),),
        ),
    ),
)
_WAITING = Row(
    "Waiting · 等待",
    (
        Panel(
            "Oldest due message",
            "Seconds by which the oldest message that is due is late. Normal: below a minute.",
            (Query(f"max by (channel) (jiesu_notify_due_age_seconds{{{_ON}}})", "{{channel}}"),),
            unit="s",
            runbook="messages-not-sent",
            limits=(60, 300),
        ),
        Panel(
            "Messages due",
            "Messages whose next attempt is due.",
            (Query(f"sum by (channel) (jiesu_notify_due_messages{{{_ON}}})", "{{channel}}"),),
            runbook="messages-not-sent",
        ),
        Panel(
            "Digests",
            "Messages that carry several requests and the requests that they carried, in an hour.",
            (
                Query(f"sum by (channel) (increase(jiesu_notify_digests_total{{{_ON}}}[1h]))", "{{channel}} digests"),
                Query(f"sum by (channel, merged) (increase(jiesu_notify_carried_total{{{_ON}}}[1h]))", "{{channel}} carried: {{merged}}"),
            ),
        ),
        Panel(
            "Wait for a digest",
            "95th percentile of the domain time by which requests wait for their digest.",
            (Query(quantile(0.95, "jiesu_notify_digest_delay_seconds", "channel", _ON), "{{channel}}"),),
            unit="s",
            runbook="digests-late",
        ),
        Panel(
            "Late digests and outcomes",
            "Seconds by which the oldest digest is late, and by which outcomes of carried requests wait.",
            (
                Query(f"max by (channel) (jiesu_notify_digest_late_seconds{{{_ON}}})", "{{channel}} digest"),
                Query("max(jiesu_notify_carried_oldest_age_seconds)", "outcome"),
            ),
            unit="s",
            runbook="digests-late",
            limits=(30, 60),
        ),
    ),
)
_PROVIDERS = Row(
    "Providers · 服务商",
    (
        Panel(
            "Attempts by channel",
            "Attempts at providers a second, by outcome.",
            (Query(per_second("jiesu_notify_attempts_total", "channel, outcome", _ON), "{{channel}}: {{outcome}}"),),
            unit="cps",
            runbook="provider-refuses-us",
        ),
        Panel(
            "Attempts by provider",
            "Attempts a second by provider and outcome, and 1 while a provider's breaker is open.",
            (
                Query(per_second("jiesu_notify_provider_attempts_total", "provider, outcome"), "{{provider}}: {{outcome}}"),
                Query("max by (provider) (jiesu_notify_provider_open)", "{{provider}} out of use"),
            ),
            runbook="provider-out-of-use",
        ),
        Panel(
            "Time of an attempt",
            "95th percentile by channel.",
            (Query(quantile(0.95, "jiesu_notify_provider_duration_seconds", "channel", _ON), "{{channel}}"),),
            unit="s",
            runbook="messages-not-sent",
            limits=(2, 10),
        ),
        Panel(
            "Parts of text messages",
            "Parts that a provider accepted in an hour, each of which the carrier charges.",
            (Query("sum by (provider) (increase(jiesu_notify_parts_total[1h]))", "{{provider}}"),),
        ),
    ),
)

BOARD = Board(
    uid="jiesu-messages",
    title="Messages · 通知",
    description="Requests, attempts at providers, receipts and digests, by channel.",
    rows=(_SENT, _WAITING, _PROVIDERS),
    choices=(_CHANNEL,),
)
