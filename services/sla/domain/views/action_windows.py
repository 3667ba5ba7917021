"""Until when the complainant may take an action: a procedure can end it with a clock (`refuse_further`)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import tzinfo

from services.sla.domain.lifecycle.case import Case
from services.sla.domain.rules.plans import DeadlineStep
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.views.instants import to_text
from shared.procedures.model.effects import RefuseActions, role_tuple


def action_ends(case: Case, rulebook: Rulebook, actions: Collection[str], zone: tzinfo) -> dict[str, str]:
    """Action → the earliest instant after which a running clock refuses it; one without such a clock is absent, a paused clock has none."""
    earliest: dict[str, int] = {}
    for clock, rounds in case.rounds.items():
        steps = rulebook.clock_plans[clock].deadline_steps
        for run in (run for run in rounds if run.is_active and run.state != "paused" and not run.stilled):
            for due, step in zip(run.dues, steps, strict=True):
                if due is not None:
                    for action in _refused_by(step) & set(actions):
                        earliest[action] = min(due, earliest.get(action, due))
    return {action: text for action in actions if (text := to_text(earliest.get(action), zone)) is not None}


def _refused_by(step: DeadlineStep) -> set[str]:
    effects = (planned.effect for planned in step.effects)
    return {action for effect in effects if isinstance(effect, RefuseActions) for action in role_tuple(effect.refuse_further)}
