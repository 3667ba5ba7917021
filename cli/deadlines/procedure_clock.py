"""The due instants, reminders and occurrences of a procedure's clock for made-up circumstances, as the sla service would count them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from cli.deadlines.instant_argument import DeadlineRequest, parse_instant
from services.sla.domain.deadlines.counting import CountingRule, DeadlineError
from services.sla.domain.deadlines.deadline import TimeLimit
from services.sla.domain.deadlines.explanation import explain_deadline, format_instant
from services.sla.domain.deadlines.recurrence import align_to_period, next_occurrence
from services.sla.domain.deadlines.reminder import ReminderTiming, reminder_due
from services.sla.domain.deadlines.worktime import Worktime, to_micros
from services.sla.domain.rules.plans import ClockPlan, DeadlineStep, PlannedReminder
from services.sla.domain.rules.rulebook import Rulebook
from shared.contracts.events.fields import EPOCH
from shared.procedures.expressions.conditions import Condition
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.duration import Duration
from shared.procedures.model.facts import coerce_facts, fact_defaults
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.timed_entries import LimitFromParameter, PeriodicDuty
from shared.procedures.organisation import open_organisation

_SHOWN = 5
_AGREED_DATE_FACT = "agreed_date"


@dataclass(frozen=True, slots=True)
class ClockCalculation:
    """What was asked, the procedure ready for use, and the facts and parameters that its conditions may read."""

    worktime: Worktime
    request: DeadlineRequest
    rulebook: Rulebook
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def procedure(self) -> Procedure:
        """The procedure as data."""
        return self.rulebook.procedure

    def condition_holds(self, condition: Condition | None) -> bool | None:
        """Say whether a condition holds; None where it depends on more than facts and parameters."""
        if condition is None:
            return True
        known = {"facts": self.facts, "parameters": self.rulebook.bound_procedure.parameters}
        if any(path[0] not in known or path[1] not in known[path[0]] for path in condition.paths):
            return None
        return condition.holds(lambda path: known[path[0]][path[1]])

    def agreed_instant(self, fact: str) -> int | None:
        """Give the instant that a fact holds, if it is set."""
        value = self.facts.get(fact)
        return to_micros(value) if isinstance(value, datetime) and value != EPOCH else None


def answer_for_clock(
    worktime: Worktime, request: DeadlineRequest, procedure_reference: str, clock: str, facts: Sequence[str], parameters: Sequence[str]
) -> dict[str, Any]:
    """Answer for a clock or duty, by id or clause; raises DeadlineError, DurationError, ProcedureError."""
    procedure = load_procedure(procedure_reference)
    values = {name: _parse_value(value) for name, value in _parse_pairs("parameter", parameters).items()}
    rulebook = Rulebook(bind_parameters(procedure, values, allow_unset=True), open_organisation())
    found = ClockCalculation(worktime, request, rulebook, _facts(procedure, facts))
    entry = _find_entry(rulebook, clock)
    if isinstance(entry, ClockPlan):
        _check_parameters(rulebook, entry)
    return _duty(found, entry) if isinstance(entry, PeriodicDuty) else _clock(found, entry)


def _facts(procedure: Procedure, written: Sequence[str]) -> dict[str, Any]:
    """Read facts by their declared types; the date agreed is known to every procedure, other undeclared ones are read by no rule."""
    given, bad = coerce_facts(procedure, _parse_pairs("fact", written))
    if bad:
        raise DeadlineError(f"fact {bad[0]}: is not of its type, {procedure.facts[bad[0]].type}; give such a value")
    if isinstance(given.get(_AGREED_DATE_FACT), str):
        given[_AGREED_DATE_FACT] = EPOCH + timedelta(microseconds=parse_instant(f"fact {_AGREED_DATE_FACT}", given[_AGREED_DATE_FACT]))
    return {**fact_defaults(procedure), **given}


def _find_entry(rulebook: Rulebook, named: str) -> ClockPlan | PeriodicDuty:
    """Find a clock or duty: by its id first, then by its clause, clocks before duties."""
    plans, duties = rulebook.clock_plans, {duty.id: duty for duty in rulebook.procedure.duties}
    if named in plans or named in duties:
        return plans.get(named) or duties[named]
    cited: list[ClockPlan | PeriodicDuty] = [plan for plan in plans.values() if named in plan.clauses]
    cited += [duty for duty in duties.values() if named in _clauses(duty.clause)]
    if not cited:
        have = ", ".join([*plans, *duties]) or "none"
        raise DeadlineError(f"clock {named!r}: {rulebook.procedure.id} has no such clock; it has {have}")
    return cited[0]


def _check_parameters(rulebook: Rulebook, plan: ClockPlan) -> None:
    """Refuse a clock whose length the text leaves open and nobody has given; what other clocks lack does not matter here."""
    limits = [*(due.within for due in plan.clock.due), plan.clock.every]
    for name in (limit.parameter for limit in limits if isinstance(limit, LimitFromParameter)):
        if name in rulebook.bound_procedure.unset_parameters:
            clause = ", ".join(_clauses(rulebook.procedure.parameters[name].clause))
            raise DeadlineError(
                f"clause {clause}: the parameter {name} has no value, the text leaves it open; give --parameter {name}=3wd or so"
            )


def _clock(found: ClockCalculation, plan: ClockPlan) -> dict[str, Any]:
    head = {**_answer_header(found, plan.clock.id, plan.clauses), "when": plan.clock.when, "applies": found.condition_holds(plan.when)}
    dues = [_due_answer(found, plan, threshold) for threshold in plan.deadline_steps]
    reminders = [each for chase in plan.reminders if (each := _reminder(found, plan, chase)) is not None]
    standing = next((each for each in dues if each["due"] is not None and each["applies"] is not False), None)
    occurrences = []
    if plan.every is not None:
        every = TimeLimit(found.request.start, plan.every, plan.counting_rule, found.request.pauses)
        occurrences = list(_occurrences(found.worktime, every, head))
    standing = standing or next(iter(occurrences), None)
    first = {name: None if standing is None else standing[name] for name in ("due", "provisional", "explanation")}
    return {**head, **first, "dues": dues, "reminders": reminders, "occurrences": occurrences}


def _duty(found: ClockCalculation, duty: PeriodicDuty) -> dict[str, Any]:
    limit = align_to_period(
        found.worktime, TimeLimit(found.request.start, Duration.parse(duty.every), CountingRule(day_end=found.procedure.day_end))
    )
    head = _answer_header(found, duty.id, _clauses(duty.clause))
    occurrences = list(_occurrences(found.worktime, limit, head))
    first = {name: occurrences[0][name] for name in ("due", "provisional", "explanation")}
    return {**head, **first, "dues": [], "reminders": [], "occurrences": occurrences}


def _answer_header(found: ClockCalculation, clock: str, clauses: Sequence[str]) -> dict[str, Any]:
    procedure = found.procedure
    head = {"procedure": procedure.id, "version": procedure.version, "clock": clock}
    return {**head, "clause": clauses[0] if clauses else None, "start": format_instant(found.worktime, found.request.start)}


def _limit(found: ClockCalculation, plan: ClockPlan, threshold: DeadlineStep) -> TimeLimit | None:
    if threshold.duration is None:
        return None
    question = found.request
    agreed = found.agreed_instant(threshold.fact or _AGREED_DATE_FACT) if threshold.fact or threshold.entry.or_agreed else None
    return TimeLimit(
        question.start, threshold.duration, plan.counting_rule, question.pauses, question.extensions, agreed, threshold.entry.or_agreed
    )  # fmt: skip


def _due_answer(found: ClockCalculation, plan: ClockPlan, threshold: DeadlineStep) -> dict[str, Any]:
    limit = _limit(found, plan, threshold)
    entry = threshold.entry
    clauses = _clauses(entry.clause) or plan.clauses
    shown: dict[str, Any] = {
        "within": str(threshold.duration),
        "clause": clauses[0] if clauses else None,
        "when": entry.when,
        "applies": found.condition_holds(threshold.when),
    }
    if limit is None:
        return {**shown, "due": None, "provisional": False, "explanation": None}
    explanation = explain_deadline(found.worktime, limit, _answer_header(found, plan.clock.id, clauses))
    return {**shown, "due": explanation["due"], "provisional": explanation["provisional"], "explanation": explanation}


def _reminder(found: ClockCalculation, plan: ClockPlan, chase: PlannedReminder) -> dict[str, Any] | None:
    limit = _limit(found, plan, plan.deadline_steps[chase.step_index]) if chase.step_index < len(plan.deadline_steps) else None
    if limit is None:
        return None
    at = reminder_due(found.worktime, limit, chase.timing)
    return {
        "reminder": _format_reminder(chase.timing),
        "of": chase.step_index,
        "at": None if at is None else format_instant(found.worktime, at),
    }


def _format_reminder(reminder: ReminderTiming) -> str:
    return f"before {reminder.before}" if reminder.share is None else f"share {float(reminder.share)}"


def _occurrences(worktime: Worktime, limit: TimeLimit, head: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Give the first few occurrences; those that roll to the same instant are one, and `merged` says how many they are."""
    one = next_occurrence(worktime, limit)
    for _ in range(_SHOWN):
        if one is None:
            return
        why = explain_deadline(worktime, replace(limit, duration=limit.duration.times(one.number)), head)
        nominal = None if one.nominal is None else str(worktime.date_of(one.nominal))
        shown = {"number": one.number, "merged": one.merged_count, "nominal": nominal}
        yield {**shown, "due": why["due"], "provisional": why["provisional"], "explanation": why}
        one = next_occurrence(worktime, limit, one.due)


def _clauses(clause: str | list[str] | None) -> list[str]:
    if clause is None:
        return []
    return [clause] if isinstance(clause, str) else list(clause)


def _parse_pairs(kind: str, written: Sequence[str]) -> dict[str, Any]:
    found = {}
    for each in written:
        name, equals, value = each.partition("=")
        if not equals or not name:
            raise DeadlineError(f"{kind} {each!r}: is not a name and a value; write {kind} name=value")
        found[name] = value
    return found


def _parse_value(value: str) -> Any:
    """Read a parameter's number as one; everything else is text."""
    return int(value) if value.isascii() and value.isdigit() else value
