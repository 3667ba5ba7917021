"""The next steps of a case that its complainant waits for, and by when the regulation wants them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from services.sla.domain.lifecycle.case import Case, ClockRun
from services.sla.domain.rules.plans import STOPS, ClockPlan
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views.instants import to_text
from shared.procedures.model.effects import Breach

PROMISED = frozenset({"accepted", "contacted", "surveyed", "first_answered", "answered", "work_started", "handled", "closed"})
"""Acts of the organisation that the complainant notices; a clock that waits for another one is internal."""


def promised_steps(case: Case, rulebook: Rulebook, zone: tzinfo) -> list[dict[str, Any]]:
    """Each awaited step once, with its earliest due instant, the next one first; empty for a case that has ended.

    `due_at` is None while the time is paused; `late`: the instant was missed.
    """
    if not case.open:
        return []
    earliest: dict[str, tuple[float, dict[str, Any]]] = {}
    for clock, rounds in case.rounds.items():
        plan = rulebook.clock_plans[clock]
        for run in (run for run in rounds if run.is_active and not run.stilled):
            due = None if run.state == "paused" else _limit(run, plan)
            if due is None and run.state != "paused":
                continue
            order = float("inf") if due is None else due
            for step in _awaited(run, plan):
                if step not in earliest or order < earliest[step][0]:
                    due_at = None if due is None else to_text(due, zone)
                    earliest[step] = (order, {"step": step, "due_at": due_at, "late": run.breached is not None})
    return [step for _, step in sorted(earliest.values(), key=lambda entry: (entry[0], entry[1]["step"]))]


def _limit(run: ClockRun, plan: ClockPlan) -> int | None:
    """The first due instant that is a limit: one that only reminds or warns somebody is an arrangement of the organisation."""
    for at, step in zip(run.dues, plan.deadline_steps, strict=True):
        if at is not None and any(isinstance(planned.effect, Breach) for planned in step.effects):
            return at
    return None


def _awaited(run: ClockRun, plan: ClockPlan) -> Iterator[str]:
    stops = plan.matches[STOPS]
    positions = {match.position for matches in stops.values() for match in matches}
    # Of several events that each end the clock none is certain to come, so that none of them is announced.
    if plan.stops_needed < len(positions):
        return
    for event, matches in stops.items():
        if event in PROMISED and any(match.position not in run.seen for match in matches):
            yield event
