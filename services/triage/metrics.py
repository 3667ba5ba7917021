"""Triage's metrics; label values come from procedures and the organisation, never from complaints."""

import collections
from collections.abc import Collection, Iterable

from prometheus_client import Counter, Gauge, Histogram

from services.triage.domain.classifier.prediction import LabelPrediction, Prediction
from services.triage.domain.classifier.suggestion import RULE
from shared.contracts.events.base import CaseEvent
from shared.contracts.events.triage import Classified, GroupDissolved, GroupFound, Reclassified, Routed, RouteProposed
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation
from shared.runtime.process.measured_gauge import SharedGauge, bounded
from shared.runtime.process.metrics import LAG_BUCKETS

CLASSIFIED = Counter("jiesu_triage_classified", "Complaints classified for the first time", ["procedure", "class"])
ROUTING_SECONDS = Histogram(
    "jiesu_triage_routing_seconds",
    "Real seconds from a complaint's registration to the decision on its class and department",
    ["procedure"],
    buckets=LAG_BUCKETS,
)
RECLASSIFIED = Counter("jiesu_triage_reclassified", "Classes changed by triage: by a group or an amendment", ["procedure", "class"])
ROUTED = Counter("jiesu_triage_routed", "Complaints routed to a department", ["procedure", "department"])
PROPOSED = Counter("jiesu_triage_routes_proposed", "Routes that triage only proposed", ["procedure", "department"])
GROUPS = Counter("jiesu_triage_groups_found", "Groups found across cases", ["procedure", "count"])
DISSOLVED = Counter("jiesu_triage_groups_dissolved", "Groups that no longer hold", ["procedure"])
RECOUNTS = SharedGauge(
    "jiesu_triage_recounts_waiting", "Counts that wait to be taken again because complainants turned out to be one person", ["procedure"]
)
FAILED_CONDITIONS = Counter(
    "jiesu_triage_failed_conditions", "Complaints decided without a rule that could not be evaluated on them", ["procedure"]
)

ROUTE_BASIS = Counter("jiesu_triage_routes", "Routes by what decided them: rules, classifier or none", ["procedure", "basis"])
REVIEWS = Counter(
    "jiesu_triage_reviews",
    "Decisions of a triage with a model, by why a person reviews them: none, confidence, audit",
    ["procedure", "reason"],
)
GUESS_PROBABILITY = Histogram(
    "jiesu_triage_guess_probability_ratio", "Probability of the best guess", ["label"], buckets=(0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
)
SHADOW = Counter(
    "jiesu_triage_shadow_guesses", "Best guesses of the shadow model against the model's: same, other, unknown", ["label", "result"]
)
WORD_DRIFT = Gauge(
    "jiesu_triage_word_drift_ratio",
    "Jensen-Shannon divergence (base 2) of today's words from those of the model's training: 0 alike, 1 nothing in common",
)
MODEL_FAILURES = Counter("jiesu_triage_model_failures", "Changed model files that could not be used: the old model stays")
_BASES = ("rules", "classifier", "none")
_REVIEW_REASONS = ("none", "confidence", "audit")
_SHADOW_RESULTS = ("same", "other", "unknown")


def initialise_labels(labels: Iterable[str]) -> None:
    """Create the time series of a model's labels."""
    for label in labels:
        GUESS_PROBABILITY.labels(label)
        for result in _SHADOW_RESULTS:
            SHADOW.labels(label, result)


def count_shadow(prediction: Prediction, shadow: Iterable[LabelPrediction]) -> None:
    """Count whether the shadow model's best guess for each label is the model's."""
    by_label = {of_label.label: of_label.best.value for of_label in shadow}
    for of_label in prediction.labels:
        value = by_label.get(of_label.label)
        SHADOW.labels(of_label.label, "unknown" if value is None else "same" if value == of_label.best.value else "other").inc()


def _count_classifier(event: Routed) -> None:
    """Count a route of a triage with a model: what decided it, whether a person reviews it, how sure the best guesses are."""
    basis = "classifier" if event.rule == RULE else "none" if event.rule == "catch_all" else "rules"
    ROUTE_BASIS.labels(event.procedure, basis).inc()
    REVIEWS.labels(event.procedure, event.review or "none").inc()
    seen: set[str] = set()
    for guess in event.guesses:
        if guess.label not in seen:
            seen.add(guess.label)
            GUESS_PROBABILITY.labels(guess.label).observe(guess.probability)


def count_failed_conditions(procedures: Iterable[str]) -> None:
    """Count decisions in which a rule of these procedures could not be evaluated."""
    for procedure, number in collections.Counter(procedures).items():
        FAILED_CONDITIONS.labels(procedure).inc(number)


def department_labels(organisation: Organisation) -> frozenset[str]:
    """The departments of the organisation; any other counts as `other`."""
    return frozenset({organisation.catch_all, *(department.id for department in organisation.departments)})


def initialise(procedures: Iterable[Procedure], organisation: Organisation) -> None:
    """Create the time series of the counters: an increase from nothing would not be seen."""
    for procedure in procedures:
        ROUTING_SECONDS.labels(procedure.id)
        DISSOLVED.labels(procedure.id)
        FAILED_CONDITIONS.labels(procedure.id)
        for counter in (CLASSIFIED, RECLASSIFIED):
            for entry in procedure.classes:
                counter.labels(procedure.id, entry.id)
        for counter in (ROUTED, PROPOSED):
            for department in department_labels(organisation):
                counter.labels(procedure.id, department)
        for basis in _BASES:
            ROUTE_BASIS.labels(procedure.id, basis)
        for reason in _REVIEW_REASONS:
            REVIEWS.labels(procedure.id, reason)
        for count in (*procedure.counts, *(event for event in organisation.same_events if event.concerns(procedure.id))):
            GROUPS.labels(procedure.id, count.id)


def count_events(events: Iterable[CaseEvent], organisation: Organisation) -> None:
    """Count published events; each time series is incremented once."""
    departments = department_labels(organisation)
    events = list(events)
    for event in events:
        if isinstance(event, Routed) and event.model:
            _count_classifier(event)
    for (counter, *labels), number in collections.Counter(_time_series(event, departments) for event in events).items():
        if counter is not None:
            counter.labels(*labels).inc(number)


def _time_series(event: CaseEvent, departments: Collection[str]) -> tuple[Counter | None, *tuple[str, ...]]:
    match event:
        case Reclassified():
            return RECLASSIFIED, event.procedure, event.class_
        case Classified():
            return CLASSIFIED, event.procedure, event.class_
        case Routed():
            counter = PROPOSED if isinstance(event, RouteProposed) else ROUTED
            return counter, event.procedure, bounded(event.department, departments)
        case GroupFound():
            return GROUPS, event.procedure, event.rule
        case GroupDissolved():
            return DISSOLVED, event.procedure
    return (None,)
