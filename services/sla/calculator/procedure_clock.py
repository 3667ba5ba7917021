"""Due instants, reminders and occurrences of a procedure's clock for given facts, without a case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from services.sla.calculator.deadline_arguments import DeadlineRequest, parse_instant
from services.sla.domain.deadlines.counting import CountingRule, DeadlineError
from services.sla.domain.deadlines.deadline import TimeLimit
from services.sla.domain.deadlines.explained_segments import format_instant
from services.sla.domain.deadlines.explanation import explain_deadline
from services.sla.domain.deadlines.recurrence import align_to_period, next_occurrence
from services.sla.domain.deadlines.reminder import ReminderTiming, reminder_due
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from services.sla.domain.rules.plans import ClockPlan, DeadlineStep, PlannedReminder, first_clauses
from services.sla.domain.rules.rulebook import Rulebook
from shared.contracts.events.empty_fields import EPOCH
from shared.procedures.expressions.conditions import Condition
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.duration import Duration
from shared.procedures.model.facts import coerce_facts, fact_defaults
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.timed_entries import LimitFromParameter, PeriodicDuty
from shared.procedures.organisation import open_organisation

_MAX_OCCURRENCES = 5
_AGREED_DATE_FACT = "agreed_date"


@dataclass(frozen=True, slots=True)
class ClockCalculation:
    """The request, the procedure ready for deciding, and the facts that its conditions may read."""

    worktime: Worktime
    request: DeadlineRequest
    rulebook: Rulebook
    facts: Mapping[str, Any] = field(default_factory=dict)

    def condition_holds(self, condition: Condition | None) -> bool | None:
        """Whether a condition holds; None where it reads more of the case than facts and parameters."""
        if condition is None:
            return True
        known = {"facts": self.facts, "parameters": self.rulebook.bound_procedure.parameters}
        if any(path[0] not in known or path[1] not in known[path[0]] for path in condition.paths):
            return None
        return condition.holds(lambda path: known[path[0]][path[1]])

    def agreed_instant(self, fact: str) -> int | None:
        """The instant of a fact in UTC microseconds; None where it is not set."""
        value = self.facts.get(fact)
        return to_micros(value) if isinstance(value, datetime) and value != EPOCH else None

    def answer_header(self, clock_id: str, clauses: Sequence[str]) -> dict[str, Any]:
        """The fields with which answers and explanations begin."""
        procedure = self.rulebook.procedure
        return {
            "procedure": procedure.id,
            "version": procedure.version,
            "clock": clock_id,
            "clause": clauses[0] if clauses else None,
            "start": format_instant(self.worktime, self.request.start),
        }


def rulebook_for(procedure: Procedure, parameters: Sequence[str]) -> Rulebook:
    """The rulebook of a procedure with parameters given as `name=value`; raises `DeadlineError`, `DurationError`, `ProcedureError`."""
    values = {name: _parse_parameter(value) for name, value in _parse_pairs("parameter", parameters).items()}
    return Rulebook(bind_parameters(procedure, values, allow_unset=True), open_organisation())


def answer_for_clock(worktime: Worktime, request: DeadlineRequest, rulebook: Rulebook, clock: str, facts: Sequence[str]) -> dict[str, Any]:
    """The answer for a clock or duty, named by id or clause; raises `DeadlineError` and `DurationError`."""
    calculation = ClockCalculation(worktime, request, rulebook, _parse_facts(rulebook.procedure, facts))
    entry = _find_entry(rulebook, clock)
    if isinstance(entry, PeriodicDuty):
        return _duty_answer(calculation, entry)
    _check_parameters(rulebook, entry)
    return _clock_answer(calculation, entry)


def _parse_facts(procedure: Procedure, arguments: Sequence[str]) -> dict[str, Any]:
    """The procedure's default facts and those of the arguments, by their declared types."""
    facts, invalid = coerce_facts(procedure, _parse_pairs("fact", arguments))
    if invalid:
        raise DeadlineError(f"fact {invalid[0]}: is not of its type, {procedure.facts[invalid[0]].type}; give such a value")
    # The engine itself sets this fact, so that a procedure may use it without a declaration and thus without a type.
    if isinstance(agreed := facts.get(_AGREED_DATE_FACT), str):
        facts[_AGREED_DATE_FACT] = EPOCH + timedelta(microseconds=parse_instant(f"fact {_AGREED_DATE_FACT}", agreed))
    return {**fact_defaults(procedure), **facts}


def _find_entry(rulebook: Rulebook, name: str) -> ClockPlan | PeriodicDuty:
    """Find a clock or duty by its id, else by its clause, clocks before duties."""
    plans, duties = rulebook.clock_plans, {duty.id: duty for duty in rulebook.procedure.duties}
    if name in plans or name in duties:
        return plans.get(name) or duties[name]
    by_clause: list[ClockPlan | PeriodicDuty] = [plan for plan in plans.values() if name in plan.clauses]
    by_clause += [duty for duty in duties.values() if name in first_clauses(duty.clause)]
    if not by_clause:
        ids = ", ".join([*plans, *duties]) or "none"
        raise DeadlineError(f"clock {name!r}: {rulebook.procedure.id} has no such clock; it has {ids}")
    return by_clause[0]


def _check_parameters(rulebook: Rulebook, plan: ClockPlan) -> None:
    """Refuse a clock whose limit is a parameter without a value; parameters of other clocks may be unset."""
    limits = [*(due.within for due in plan.clock.due), plan.clock.every]
    for name in (limit.parameter for limit in limits if isinstance(limit, LimitFromParameter)):
        if name in rulebook.bound_procedure.unset_parameters:
            clause = ", ".join(first_clauses(rulebook.procedure.parameters[name].clause))
            raise DeadlineError(
                f"clause {clause}: the parameter {name} has no value, the text leaves it open; give --parameter {name}=3wd or so"
            )


def _clock_answer(calculation: ClockCalculation, plan: ClockPlan) -> dict[str, Any]:
    header = {
        **calculation.answer_header(plan.clock.id, plan.clauses),
        "when": plan.clock.when,
        "applies": calculation.condition_holds(plan.when),
    }
    dues = [_due_answer(calculation, plan, step) for step in plan.deadline_steps]
    reminders = [answer for reminder in plan.reminders if (answer := _reminder_answer(calculation, plan, reminder)) is not None]
    occurrences = []
    if plan.every is not None:
        limit = TimeLimit(calculation.request.start, plan.every, plan.counting_rule, calculation.request.pauses)
        occurrences = _occurrences(calculation.worktime, limit, header)
    first = next((due for due in dues if due["due"] is not None and due["applies"] is not False), None) or next(iter(occurrences), {})
    return {**header, **_summary(first), "dues": dues, "reminders": reminders, "occurrences": occurrences}


def _duty_answer(calculation: ClockCalculation, duty: PeriodicDuty) -> dict[str, Any]:
    rule = CountingRule(day_end=calculation.rulebook.procedure.day_end)
    limit = align_to_period(calculation.worktime, TimeLimit(calculation.request.start, Duration.parse(duty.every), rule))
    header = calculation.answer_header(duty.id, first_clauses(duty.clause))
    occurrences = _occurrences(calculation.worktime, limit, header)
    return {**header, **_summary(occurrences[0]), "dues": [], "reminders": [], "occurrences": occurrences}


def _summary(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: answer.get(name) for name in ("due", "provisional", "explanation")}


def _step_limit(calculation: ClockCalculation, plan: ClockPlan, step: DeadlineStep) -> TimeLimit | None:
    """The limit of a due entry; None where its parameter has no value."""
    if step.duration is None:
        return None
    request = calculation.request
    return TimeLimit(
        request.start,
        step.duration,
        plan.counting_rule,
        request.pauses,
        request.extensions,
        calculation.agreed_instant(step.fact or _AGREED_DATE_FACT) if step.fact or step.entry.or_agreed else None,
        step.entry.or_agreed,
    )


def _due_answer(calculation: ClockCalculation, plan: ClockPlan, step: DeadlineStep) -> dict[str, Any]:
    limit = _step_limit(calculation, plan, step)
    clauses = first_clauses(step.entry.clause, plan.clauses)
    answer: dict[str, Any] = {
        "within": str(step.duration),
        "clause": clauses[0] if clauses else None,
        "when": step.entry.when,
        "applies": calculation.condition_holds(step.when),
    }
    if limit is None:
        return {**answer, "due": None, "provisional": False, "explanation": None}
    explanation = explain_deadline(calculation.worktime, limit, calculation.answer_header(plan.clock.id, clauses))
    return {**answer, "due": explanation["due"], "provisional": explanation["provisional"], "explanation": explanation}


def _reminder_answer(calculation: ClockCalculation, plan: ClockPlan, reminder: PlannedReminder) -> dict[str, Any] | None:
    if reminder.step_index >= len(plan.deadline_steps):
        return None
    limit = _step_limit(calculation, plan, plan.deadline_steps[reminder.step_index])
    if limit is None:
        return None
    at = reminder_due(calculation.worktime, limit, reminder.timing)
    return {
        "reminder": _format_timing(reminder.timing),
        "of": reminder.step_index,
        "at": None if at is None else format_instant(calculation.worktime, at),
    }


def _format_timing(timing: ReminderTiming) -> str:
    return f"before {timing.before}" if timing.share is None else f"share {float(timing.share)}"


def _occurrences(worktime: Worktime, limit: TimeLimit, header: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The first occurrences; those that roll to the same instant are one, and `merged` counts them."""
    # Repeats are counted from the start, not from the occurrence before, so that rolling does not add up.
    answers: list[dict[str, Any]] = []
    occurrence = next_occurrence(worktime, limit)
    while occurrence is not None and len(answers) < _MAX_OCCURRENCES:
        explanation = explain_deadline(worktime, replace(limit, duration=limit.duration.times(occurrence.number)), header)
        answers.append(
            {
                "number": occurrence.number,
                "merged": occurrence.merged_count,
                "nominal": None if occurrence.nominal is None else str(worktime.date_of(occurrence.nominal)),
                "due": explanation["due"],
                "provisional": explanation["provisional"],
                "explanation": explanation,
            }
        )
        occurrence = next_occurrence(worktime, limit, occurrence.due)
    return answers


def _parse_pairs(kind: str, arguments: Sequence[str]) -> dict[str, Any]:
    pairs = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or not name:
            raise DeadlineError(f"{kind} {argument!r}: is not a name and a value; write {kind} name=value")
        pairs[name] = value
    return pairs


def _parse_parameter(value: str) -> int | str:
    return int(value) if value.isascii() and value.isdigit() else value
