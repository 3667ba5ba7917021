"""First-run hints: the few things that a person does at the desk, by his roles, rights and place in the line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from shared.procedures.access import AccessPolicy, Actor
from shared.procedures.model.actions.action_rules import ActionRule
from shared.procedures.model.effects import role_tuple
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation, Person

MOST_HINTS: Final = 5
_FEWEST_HINTS: Final = 3
_SUPERVISOR, _MANAGER = 1, 2
_MOST_ACTIONS: Final = 3


@dataclass(frozen=True, slots=True)
class Hint:
    """A task and the page for it: a route, its parameters and its query; `actions` are those of `procedure` that only the role takes."""

    name: str
    route: str
    query: Mapping[str, str] = field(default_factory=dict)
    procedure: str = ""
    actions: tuple[str, ...] = ()

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the route's path."""
        return {"procedure": self.procedure} if self.procedure else {}


class HintChooser:
    """Chooses the hints of a person; a role's rank comes from the organisation's line, never from its name."""

    def __init__(self, organisation: Organisation, procedures: Mapping[str, Procedure]) -> None:
        self._organisation = organisation
        self._policy = AccessPolicy(organisation)
        self._procedures = procedures
        self._ranks = {role: _rank(organisation.line, role) for role in {*organisation.line, *organisation.line.values()}}

    def hints(self, person: Person, at: datetime, *, takes_complaints: bool, decides: bool) -> list[Hint]:
        """Three to five hints, the most specific first.

        `takes_complaints`: a source lists the person; `decides`: he may open the pages on which people decide for departments.
        """
        represented = self._policy.represented_ids(Actor(person.id, person), at)
        roles = {role for each in self._organisation.people if each.id in represented for role in each.roles}
        heads = any(unit.head in represented for unit in self._organisation.departments)
        ranks = {self._ranks.get(role, 0) for role in roles}
        top = max(ranks, default=0)
        candidates = [
            (takes_complaints, Hint("take_complaint", "registration")),
            (top >= _MANAGER, Hint("figures", "management")),
            (top >= _MANAGER and self._reads_reports(person, at), Hint("reports", "periodic_reports")),
            (top < _MANAGER and (heads or 0 in ranks), Hint("own_cases", "inbox", {"assigned": "me"})),
            (decides and top < _MANAGER, Hint("reviews", "reviews")),
            (heads or top >= _SUPERVISOR, Hint("escalations", "escalations")),
            ("what_if" in person.may and bool(self._procedures), self._what_if(roles)),
            (top == _SUPERVISOR, Hint("unassigned", "inbox", {"assigned": "nobody"})),
            (top >= _MANAGER, Hint("wallboard", "wallboard")),
            *((True, hint) for hint in self._own_actions(roles)),
            ("find_by_phone" in person.may, Hint("find_complainant", "person_search")),
            (self._reads_reports(person, at), Hint("reports", "periodic_reports")),
        ]
        chosen = {hint.name: hint for applies, hint in candidates if applies}
        # For everybody, and so only where there is little else to name.
        for hint in (Hint("regulations", "regulations"), Hint("organisation", "organisation"), Hint("calculator", "calculator")):
            if len(chosen) < _FEWEST_HINTS:
                chosen[hint.name] = hint
        return list(chosen.values())[:MOST_HINTS]

    def _reads_reports(self, person: Person, at: datetime) -> bool:
        owners = {duty.owner for procedure in self._procedures.values() for duty in procedure.duties if duty.report_period}
        return any(self._policy.may_read_report(Actor(person.id, person), owner, at) for owner in owners)

    def _what_if(self, roles: set[str]) -> Hint:
        """Of a regulation that names one of the roles, where there is one."""
        named = (name for name, procedure in self._procedures.items() if roles.intersection(procedure.role_names))
        return Hint("what_if", "what_if", procedure=next(named, next(iter(self._procedures), "")))

    def _own_actions(self, roles: set[str]) -> Iterator[Hint]:
        """The regulation that reserves actions for one of the roles; the first, as one hint is enough."""
        for name, procedure in self._procedures.items():
            reserved = [action for action, rules in procedure.actions.items() if _is_reserved(rules, roles)]
            if reserved:
                yield Hint("own_actions", "regulation", procedure=name, actions=tuple(reserved[:_MOST_ACTIONS]))
                return


def _is_reserved(rules: ActionRule | list[ActionRule], roles: set[str]) -> bool:
    listed = rules if isinstance(rules, list) else [rules]
    return any(rule.by is not None and roles.intersection(role_tuple(rule.by)) for rule in listed)


def _rank(line: Mapping[str, str], role: str, below: frozenset[str] = frozenset()) -> int:
    """0 for a role to which none reports, else one more than the highest of those that report to it; a circle ends."""
    reporting = [lower for lower, upper in line.items() if upper == role and lower not in below]
    return max((_rank(line, lower, below | {role}) + 1 for lower in reporting), default=0)
