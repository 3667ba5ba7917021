"""The rulebooks of a trial: each decision's organisation and calendars of that time, with the numbers of now or the changed ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from services.sla.application.rulebooks import HistoricalRulebooks
from services.sla.domain.evidence.recorded_events import RecordedEvent
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.domain.what_if.carried_out import FindRulebook
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure


class TrialRulebooks:
    """Rulebooks of one procedure by decision context and parameters; `parameters` replace those of the cases."""

    def __init__(self, procedure: Procedure, parameters: Mapping[str, Any], history: HistoricalRulebooks) -> None:
        self._procedure = procedure
        self._parameters = dict(parameters)
        self._history = history
        self._rulebooks: dict[tuple[str, bytes], Rulebook] = {}

    def of_case(self, parameters: Mapping[str, Any]) -> FindRulebook:
        """Finds the rulebooks of a case that was registered with these parameters; raises `ValueError` for a lost context."""
        bound = {**parameters, **self._parameters}
        key = orjson.dumps(bound, option=orjson.OPT_SORT_KEYS)

        def find(first: RecordedEvent) -> Rulebook:
            rulebook = self._rulebooks.get((first.basis, key))
            if rulebook is None:
                registry = self._history.for_context(first.basis)
                rulebook = Rulebook(bind_parameters(self._procedure, bound), registry.organisation, registry.calendars)
                self._rulebooks[first.basis, key] = rulebook
            return rulebook

        return find
