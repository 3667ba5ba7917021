"""The metrics of sla; label values come from procedures and the organisation file, so their number is bounded.

What is not in them counts as `other`: a class of a version that is no longer installed, a department that has left the organisation.
"""

from collections import Counter as Totals
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import Counter

from shared.contracts.actions import ACTION_DEFINITIONS
from shared.contracts.events.empty_fields import EMPTY_EVENT_FIELDS
from shared.procedures.model.effects import DeemEvent, expand_effect, role_tuple
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation
from shared.runtime.process.measured_gauge import SharedGauge, bounded

CASE_EVENTS_TOTAL = Counter("jiesu_case_events_total", "Events of cases, by type and procedure.", ["event", "procedure"])
ACTIONS_TOTAL = Counter("jiesu_actions_total", "Actions, by action and result (accepted or refused).", ["action", "result"])
CLOCKS_BREACHED_TOTAL = Counter("jiesu_clocks_breached_total", "Deadlines not met, by procedure and clock.", ["procedure", "clock"])
CLOCKS_KNOWN_LATE_TOTAL = Counter(
    "jiesu_clocks_known_late_total", "Limits that had passed before their fact was known, by procedure and clock.", ["procedure", "clock"]
)
ESCALATIONS_TOTAL = Counter("jiesu_escalations_total", "Escalation steps taken, by procedure and role.", ["procedure", "role"])
DEEMED_TOTAL = Counter(
    "jiesu_deemed_events_total", "Deemed events, caused by an expired deadline, by procedure and event.", ["procedure", "event"]
)
CASES_OPEN = SharedGauge(
    "jiesu_cases_open",
    "Open cases, by class, department and age in domain time.",
    ["procedure", "class", "department", "age"],
)
_UNIT = ["procedure", "department"]
CASES_BREACHED = SharedGauge("jiesu_cases_breached", "Open cases that missed a deadline.", _UNIT)
CASES_ESCALATED = SharedGauge("jiesu_cases_escalated", "Open cases with an escalation that nobody has acknowledged.", _UNIT)
CASES_DUE = SharedGauge(
    "jiesu_cases_due",
    "Cases whose next deadline comes within 1 h, 1 d or 3 d of domain time, each cumulative.",
    [*_UNIT, "within"],
)
CASES_OVERDUE = SharedGauge("jiesu_cases_overdue", "Cases with a running clock whose deadline has passed.", _UNIT)
MONTH_DEADLINES = SharedGauge(
    "jiesu_month_deadlines",
    "Deadlines that ended in the last 30 days of domain time: met, breached, deemed (approved by silence), known_late (nobody could know).",
    [*_UNIT, "outcome"],
)
MONTH_CLOSED = SharedGauge("jiesu_month_closed_cases", "Cases closed in the last 30 days of domain time.", _UNIT)
MONTH_CALLED_BACK = SharedGauge("jiesu_month_called_back_cases", "Cases first called back in the last 30 days of domain time.", _UNIT)
MONTH_ANSWERS = SharedGauge(
    "jiesu_month_answers", "What call-backs and ratings of the last 30 days of domain time said.", [*_UNIT, "outcome"]
)
MONTH_DEEMED = SharedGauge(
    "jiesu_month_deemed_events", "Events deemed by an expired deadline in the last 30 days of domain time.", [*_UNIT, "event"]
)
MONTH_URGINGS = SharedGauge("jiesu_month_urgings", "Urgings by complainants in the last 30 days of domain time.", _UNIT)
MONTH_ESCALATIONS = SharedGauge("jiesu_month_escalations", "Escalation steps taken in the last 30 days of domain time.", _UNIT)
ANSWER_OUTCOMES = ("satisfied", "understood", "dissatisfied", "unreachable")
DEEMED_EVENTS = frozenset(name for name in EMPTY_EVENT_FIELDS if "_deemed_" in name)
INPUTS_HELD = SharedGauge("jiesu_inputs_held", "Deferred inputs: they wait for their case or for earlier deadlines.")
REVIEWS_OPEN = SharedGauge("jiesu_reviews_open", "Cases in the review queue, by why they are there.", ["reason"])
REVIEWS_OLDEST = SharedGauge("jiesu_reviews_oldest_age_seconds", "How long the oldest case has been in the review queue.", ["reason"])
REVIEWS_AGREED = SharedGauge(
    "jiesu_reviews_agreed_ratio",
    "Share of the reviews decided in the last 30 days in which every first guess was right; of those with reason audit: accuracy.",
    ["reason"],
)
REVIEWS_CALIBRATION = SharedGauge(
    "jiesu_reviews_calibration_error_ratio", "Calibration error (15 bins) of the first guesses of the audits of the last 30 days."
)
CASES_ERASED = SharedGauge("jiesu_cases_erased", "Cases whose personal data were erased, by ground.", ["ground"])
ERASURE_OLDEST = SharedGauge(
    "jiesu_erasure_oldest_age_seconds",
    "How long the oldest erasure has been unfinished, by ground and by what it lacks: tables (it was interrupted), or topics alone.",
    ["ground", "waits_for"],
)
RETENTION_AGE = SharedGauge(
    "jiesu_retention_last_success_age_seconds",
    "How long ago the last `jiesu retention` that succeeded began, or the first complaint came; no value while all is kept for ever.",
)
RETENTION_FAILED = SharedGauge("jiesu_retention_last_run_failed", "1 if the latest `jiesu retention` ended with a failure.")
ERASURE_GROUNDS = ("request", "order", "retention")
REVIEW_REASONS = ("confidence", "audit")
ACTIONS_DENIED_TOTAL = Counter("jiesu_actions_denied_total", "Actions rejected for an unknown sender or an invalid signature.", ["channel"])
DUTIES_FAILED_TOTAL = Counter("jiesu_duties_failed_total", "Attempts at the duties of a procedure that failed.", ["procedure"])
FAILED_CONDITIONS_TOTAL = Counter(
    "jiesu_failed_conditions_total", "Decisions on a case without an entry that could not be evaluated on it, by procedure.", ["procedure"]
)
DUTIES_TOTAL = Counter("jiesu_duties_total", "Duties of procedures carried out, by procedure and duty.", ["procedure", "duty"])


def count_events(events: Iterable[Mapping[str, Any]]) -> None:
    """Count the events of a committed transaction; each is a mapping of its published fields."""
    totals: Totals[tuple[str, str]] = Totals()
    for event in events:
        name, procedure = event["type"], event["procedure"]
        totals[name, procedure] += 1
        match name:
            case "clock_breached" if event.get("same_delay") is None:
                # Counted apart: nobody missed what nobody knew (time.md, Known late).
                breaches = CLOCKS_BREACHED_TOTAL if event.get("known_at") is None else CLOCKS_KNOWN_LATE_TOTAL
                breaches.labels(procedure, event.get("clock", "")).inc()
            case "escalated":
                ESCALATIONS_TOTAL.labels(procedure, event.get("role", "")).inc()
            case "action_refused":
                ACTIONS_TOTAL.labels(bounded(event.get("action", ""), ACTION_DEFINITIONS), "refused").inc()
    # Looking up a label's child costs more than counting, so it is done once a type and procedure.
    for (name, procedure), number in totals.items():
        CASE_EVENTS_TOTAL.labels(name, procedure).inc(number)
        if "_deemed_" in name:
            DEEMED_TOTAL.labels(procedure, name).inc(number)


@dataclass(frozen=True, slots=True)
class CaseLabels:
    """The procedures, classes and departments by which cases are counted."""

    procedures: frozenset[str]
    classes: frozenset[str]
    departments: frozenset[str]

    @classmethod
    def of(cls, procedures: Iterable[Procedure], organisation: Organisation) -> "CaseLabels":
        """The procedures with their classes, and the departments of the organisation."""
        procedures = list(procedures)
        classes = frozenset(entry.id for procedure in procedures for entry in procedure.classes)
        names = frozenset(procedure.id for procedure in procedures)
        return cls(names, classes, frozenset({organisation.catch_all, *(department.id for department in organisation.departments)}))

    def unit(self, procedure: str, department: str) -> tuple[str, str]:
        """The labels of procedure and department."""
        return bounded(procedure, self.procedures), self.department_label(department)

    def class_label(self, name: str) -> str:
        """The class, empty while a case has none, or `other`."""
        return bounded(name, self.classes) if name else ""

    def department_label(self, name: str) -> str:
        """The department, empty while no department leads, or `other`."""
        return bounded(name, self.departments) if name else ""


def initialise(procedures: Sequence[Procedure]) -> None:
    """Create the time series of the counters: an increase from nothing would not be seen."""
    for action in ACTION_DEFINITIONS:
        for result in ("accepted", "refused"):
            ACTIONS_TOTAL.labels(action, result)
    for channel in ("http", "kafka"):
        ACTIONS_DENIED_TOTAL.labels(channel)
    for procedure in procedures:
        _initialise_procedure(procedure)


def _initialise_procedure(procedure: Procedure) -> None:
    name = procedure.id
    DUTIES_FAILED_TOTAL.labels(name)
    FAILED_CONDITIONS_TOTAL.labels(name)
    for event_type in EMPTY_EVENT_FIELDS:
        CASE_EVENTS_TOTAL.labels(event_type, name)
    for clock in procedure.clocks:
        CLOCKS_BREACHED_TOTAL.labels(name, clock.id)
        CLOCKS_KNOWN_LATE_TOTAL.labels(name, clock.id)
    for role in {*procedure.levels, *(role for ladder in procedure.ladders for rung in ladder.rungs for role in role_tuple(rung))}:
        ESCALATIONS_TOTAL.labels(name, role)
    for duty in procedure.duties:
        DUTIES_TOTAL.labels(name, duty.id)
    for clock in procedure.clocks:
        for effect in (expand_effect(effect) for due in clock.due for effect in due.do):
            if isinstance(effect, DeemEvent):
                DEEMED_TOTAL.labels(name, effect.deem)
