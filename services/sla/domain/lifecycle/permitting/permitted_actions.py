"""Every action in the present state of a case: whether these roles may take it, else the reason and clause that forbid it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from services.sla.domain.lifecycle.case import Case
from services.sla.domain.lifecycle.decide import decide
from services.sla.domain.lifecycle.decision_builder import DecisionBuilder
from services.sla.domain.lifecycle.defaults.action_refusal import ActionRefusal
from services.sla.domain.lifecycle.inputs import AdvanceTime
from services.sla.domain.lifecycle.permissions import effective_action, find_refusal_before_data, resulting_event_type
from services.sla.domain.lifecycle.permitting.extension_requests import EXTENSION_ACTIONS
from services.sla.domain.lifecycle.permitting.known_data import further_data
from services.sla.domain.rules.plans import Permission
from services.sla.domain.rules.rulebook import Rulebook
from shared.contracts.actions import ACTION_DEFINITIONS


@dataclass(frozen=True, slots=True)
class ActionPermission:
    """An action: `roles` are those in which it may be taken now, `refusal` why it may not be if there are none.

    `needs` are data that it has to bring, of `one_of` at least one; `reasons` and `clocks` are the values that are accepted, empty: any.
    `depends_on` are data that rules of the procedure read: what they say is decided once the data are there.
    """

    action: str
    roles: tuple[str, ...]
    refusal: ActionRefusal | None
    needs: tuple[str, ...] = ()
    one_of: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    clocks: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()


def permitted_actions(case: Case, rulebook: Rulebook, roles: Sequence[str], actor: str, at: int) -> list[ActionPermission]:
    """The actions of the vocabulary for an actor at an instant (microseconds); what is due before it is executed on a copy first."""
    current = decide(case, AdvanceTime(at - 1), rulebook, at).case
    builder = DecisionBuilder(current.working_copy(), rulebook, at)
    # `classify` on a case that has a class is `reclassify` (vocabulary.md): only the one that it is counts.
    actions = [action for action in ACTION_DEFINITIONS if effective_action(builder, action) == action]
    return [_permission(builder, action, roles, actor, at) for action in actions]


def _permission(builder: DecisionBuilder, action: str, roles: Sequence[str], actor: str, at: int) -> ActionPermission:
    clocks = _running_clocks(builder) if action in EXTENSION_ACTIONS else ()
    if action in EXTENSION_ACTIONS and not clocks:
        return ActionPermission(action, (), ActionRefusal("no clock runs; only a running clock can be extended"))
    permitted: dict[str, None] = {}
    open_clocks: dict[str, None] = {}
    refusals: list[ActionRefusal] = []
    for role in roles:
        for clock in clocks or ("",):
            acting = {"role": role, "actor": actor, **({"clock": clock} if clock else {})}
            found = list(_refusals(builder, action, at, acting))
            if None in found:
                permitted[role] = None
                open_clocks.update({clock: None} if clock else {})
            refusals += [refusal for refusal in found if refusal is not None]
    if not permitted:
        reason = next(iter(refusals), ActionRefusal("the actor holds no role on this case"))
        return ActionPermission(action, (), reason)
    definition, rules = ACTION_DEFINITIONS[action], _rules_in_force(builder, action, at)
    reported = [name for rule in rules if rule.rule.incomplete == "refuse" for name in rule.rule.report_needs]
    read = [name for rule in builder.rulebook.permissions_by_action.get(action, ()) for name in further_data(rule.when)]
    read += [name for rule in rules for name in further_data(rule.requires)]
    return ActionPermission(
        action,
        tuple(permitted),
        None,
        needs=tuple(dict.fromkeys((*definition.required_data, *reported))),
        one_of=definition.one_of,
        reasons=tuple(dict.fromkeys(reason for rule in rules for reason in rule.rule.reasons)),
        clocks=tuple(open_clocks),
        depends_on=tuple(dict.fromkeys(read)),
    )


def _refusals(builder: DecisionBuilder, action: str, at: int, acting: dict[str, Any]) -> Iterator[ActionRefusal | None]:
    """The refusal for each outcome of the action: a review that rejects may come when one that passes may not."""
    outcomes: tuple[dict[str, Any], ...] = ({},)
    if ACTION_DEFINITIONS[action].event_id_if_not_passed:
        outcomes = ({"passed": True}, {"passed": False})
    for outcome in outcomes:
        event_type = resulting_event_type(builder, action, outcome)
        yield find_refusal_before_data(builder, action, event_type, at, acting)


def _running_clocks(builder: DecisionBuilder) -> tuple[str, ...]:
    runs = ((clock, builder.case.current_run(clock)) for clock in builder.rulebook.clock_plans)
    return tuple(clock for clock, run in runs if run is not None and run.is_active)


def _rules_in_force(builder: DecisionBuilder, action: str, at: int) -> list[Permission]:
    rules = builder.rulebook.permissions_by_action.get(action, ())
    return [rule for rule in rules if not further_data(rule.when) and builder.holds(rule.when, {"at": at}, otherwise=True)]
