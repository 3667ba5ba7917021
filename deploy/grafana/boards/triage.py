"""Triage: classes, routes, groups, and how far its guesses agree with what people decide."""

from deploy.grafana.panels import PROCEDURE, Board, Panel, Query, Row, per_second

_OF = 'procedure=~"$procedure"'
_MODEL = "triage runs with a model"

_DECISIONS = Row(
    "Decisions · 分类派单",
    (
        Panel(
            "Classified",
            "Complaints classified for the first time in an hour, by procedure and class, and classes that triage changed.",
            (
                Query(f"sum by (procedure, class) (increase(jiesu_triage_classified_total{{{_OF}}}[1h]))", "{{procedure}} {{class}}"),
                Query(f"sum by (procedure) (increase(jiesu_triage_reclassified_total{{{_OF}}}[1h]))", "{{procedure}} reclassified"),
            ),
        ),
        Panel(
            "Routed",
            "Complaints routed in an hour, by department, and routes that triage only proposed.",
            (
                Query(f"sum by (department) (increase(jiesu_triage_routed_total{{{_OF}}}[1h]))", "{{department}}"),
                Query(f"sum by (department) (increase(jiesu_triage_routes_proposed_total{{{_OF}}}[1h]))", "{{department}} proposed"),
            ),
            runbook="routing-budget-burns-fast",
        ),
        Panel(
            "Who decides the route",
            "Routes in an hour, by what decided them: rules, classifier or none.",
            (Query(f"sum by (basis) (increase(jiesu_triage_routes_total{{{_OF}}}[1h]))", "{{basis}}"),),
        ),
        Panel(
            "Groups",
            "Groups that counting across cases found or dissolved in an hour, and counts that wait to be taken again.",
            (
                Query(f"sum by (procedure, count) (increase(jiesu_triage_groups_found_total{{{_OF}}}[1h]))", "{{procedure}} {{count}}"),
                Query(f"sum by (procedure) (increase(jiesu_triage_groups_dissolved_total{{{_OF}}}[1h]))", "{{procedure}} dissolved"),
                Query(f"sum by (procedure) (jiesu_triage_recounts_waiting{{{_OF}}})", "{{procedure}} recounts"),
            ),
            runbook="recounts-waiting",
        ),
        Panel(
            "Rules that could not be evaluated",
            "Complaints decided in an hour without a rule that failed on them. Normal: zero.",
            (Query(f"sum by (procedure) (increase(jiesu_triage_failed_conditions_total{{{_OF}}}[1h]))", "{{procedure}}"),),
            runbook="rule-cannot-be-evaluated",
        ),
    ),
)
_REVIEWS = Row(
    "Reviews · 人工复核",
    (
        Panel(
            "Review queue",
            "Cases that wait for a person, by the reason.",
            (Query("sum by (reason) (jiesu_reviews_open)", "{{reason}}"),),
            runbook="reviews-pile-up",
            limits=(100, 500),
        ),
        Panel(
            "Oldest review",
            "How long the oldest case has waited.",
            (Query("max by (reason) (jiesu_reviews_oldest_age_seconds)", "{{reason}}"),),
            unit="s",
            runbook="reviews-wait",
            limits=(14_400, 86_400),
        ),
        Panel(
            "Confirmed guesses",
            "Share of reviews in which every first guess was right; of those with the reason audit: the accuracy.",
            (Query("max by (reason) (jiesu_reviews_agreed_ratio)", "{{reason}}", "people decided reviews in the last 30 days"),),
            unit="percentunit",
            runbook="classifier-inaccurate",
            limits=(0.95, 0.9),
        ),
    ),
)
_CLASSIFIER = Row(
    "Classifier · 分类模型",
    (
        Panel(
            "Why a person reviews",
            "Decisions with a model a second, by the reason for a review.",
            (Query(per_second("jiesu_triage_reviews_total", "reason", _OF), "{{reason}}"),),
            unit="cps",
            runbook="classifier-unsure",
        ),
        Panel(
            "Probability of the best guess",
            "Median by label; a fall is a drift.",
            (
                Query(
                    "histogram_quantile(0.5, sum by (label, le) (rate(jiesu_triage_guess_probability_ratio_bucket[1h])))",
                    "{{label}}",
                    _MODEL,
                ),
            ),
            unit="percentunit",
            runbook="classifier-unsure",
        ),
        Panel(
            "Drift and shadow model",
            "Divergence of today's words from the training's, guesses that the shadow model would change, models that could not be used.",
            (
                Query("max(jiesu_triage_word_drift_ratio)", "drift", _MODEL),
                Query(
                    "sum by (label, result) (increase(jiesu_triage_shadow_guesses_total[1h]))",
                    "{{label}} {{result}}",
                    "triage runs with a shadow model",
                ),
                Query("sum(increase(jiesu_triage_model_failures_total[1h]))", "model not replaced"),
            ),
            runbook="classifier-words-drift",
        ),
        Panel(
            "Calibration error",
            "Difference between probability and share of right guesses among the audits of the last 30 days.",
            (Query("max(jiesu_reviews_calibration_error_ratio)", "error", "people decided audits in the last 30 days"),),
            unit="percentunit",
            runbook="classifier-miscalibrated",
            limits=(0.03, 0.05),
        ),
    ),
)

BOARD = Board(
    uid="jiesu-triage",
    title="Triage · 分类派单",
    description="Classes, routes, groups and reviews, by procedure.",
    rows=(_DECISIONS, _REVIEWS, _CLASSIFIER),
    choices=(PROCEDURE,),
)
