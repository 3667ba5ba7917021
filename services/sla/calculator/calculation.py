"""Answers questions about deadlines for the procedures of the organisation's sources, with their parameters and calendars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from services.sla.application.errors import DeadlineQuestionError
from services.sla.application.rulebooks import RulebookRegistry
from services.sla.calculator.deadline_arguments import DeadlineRequest, InstantError, parse_extension, parse_pause
from services.sla.calculator.duration_answer import duration_answer
from services.sla.calculator.procedure_clock import answer_for_clock
from services.sla.domain.deadlines.counting import CountingRule, DeadlineError
from services.sla.domain.deadlines.deadline import TimeLimit, compute_due
from services.sla.domain.deadlines.pauses import PauseError, merge_pauses
from services.sla.domain.deadlines.worktime import MICROS_PER_DAY
from services.sla.domain.rules.rulebook import Rulebook
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.duration import Duration, DurationError
from shared.procedures.model.procedure import Procedure

_LONGEST_DAYS: Final = 1100
"""An explanation lists each day: a longer one would be megabytes."""


@dataclass(frozen=True, slots=True)
class DeadlineQuestion:
    """A clock or duty of a procedure (by id or clause), or a duration with its counting; `start` is UTC microseconds."""

    procedure: str
    start: int
    clock: str = ""
    duration: str = ""
    counting: Literal["exclusive", "inclusive"] = "exclusive"
    roll: Literal["forward", "none"] = "forward"
    day_end: Literal["", "midnight", "close"] = ""
    facts: Sequence[str] = ()
    pauses: Sequence[str] = ()
    extensions: Sequence[str] = ()


class CalculateDeadlines:
    """Calculates on rulebooks that are built once for each procedure and set of calendars."""

    def __init__(self, rulebooks: RulebookRegistry) -> None:
        self._registry = rulebooks
        self._rulebooks: dict[tuple[str, str], Rulebook] = {}

    @cached_property
    def procedures(self) -> dict[str, Procedure]:
        """The procedures of the organisation's sources by id."""
        return {procedure.id: procedure for procedure in self._registry.procedures_in_use}

    def calculate(self, question: DeadlineQuestion) -> dict[str, Any]:
        """The answer as `jiesu deadline` gives it; raises `DeadlineQuestionError`."""
        rulebook = self._rulebook(question.procedure)
        if bool(question.clock) == bool(question.duration):
            raise DeadlineQuestionError("clock, duration: give one of the two")
        try:
            pauses = merge_pauses(parse_pause(pause) for pause in question.pauses)
            extensions = [parse_extension(extension) for extension in question.extensions]
            if question.clock:
                request = DeadlineRequest(question.start, pauses, extensions)
                return answer_for_clock(rulebook.worktime, request, rulebook, question.clock, question.facts)
            rule = CountingRule.parse(question.counting, question.roll, question.day_end or rulebook.procedure.day_end)
            limit = TimeLimit(question.start, Duration.parse(question.duration), rule, pauses, extensions)
            due, _, _ = compute_due(rulebook.worktime, limit)
            if due is not None and due - question.start > _LONGEST_DAYS * MICROS_PER_DAY:
                raise DeadlineQuestionError(f"duration: must end within {_LONGEST_DAYS} days; give a shorter one")
            return {"procedure": rulebook.procedure.id, "version": rulebook.procedure.version, **duration_answer(rulebook.worktime, limit)}
        except (DeadlineError, DurationError, PauseError, InstantError) as error:
            raise DeadlineQuestionError(str(error)) from error

    def _rulebook(self, procedure_id: str) -> Rulebook:
        key = (procedure_id, self._registry.calendar_stamp)
        rulebook = self._rulebooks.get(key)
        if rulebook is None:
            procedure = self.procedures.get(procedure_id)
            if procedure is None:
                raise DeadlineQuestionError(f"procedure: must be one of {', '.join(sorted(self.procedures))}")
            bound = bind_parameters(procedure, {}, allow_unset=True)
            rulebook = self._rulebooks[key] = Rulebook(bound, self._registry.organisation, self._registry.calendars)
        return rulebook
