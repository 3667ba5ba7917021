"""The rulebooks in use: a case keeps the version and parameters that it began under."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from services.sla.domain.evidence import decision_context
from services.sla.domain.evidence.decision_context import DecisionContext
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.rules.rulebook import Rulebook
from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import Organisation
from shared.runtime.database.database import Transaction


class RulebookRegistry:
    """Made when first asked for, kept for the life of the process; raises `ProcedureError` for a version that is not installed."""

    def __init__(
        self, organisation: Organisation, calendars: dict[str, Calendar] | None = None, procedure_folder: Path | None = None
    ) -> None:
        """Procedures that the organisation's sources name by a file are looked for in `base`; without it there are installed ones alone."""
        self.organisation = organisation
        named = () if procedure_folder is None else organisation.sources
        own = [
            load_procedure(each.procedure if each.version is None else f"{each.procedure}@{each.version}", base_folder=procedure_folder)
            for each in named
        ]
        self._own = {(each.id, each.version): each for each in own}
        self.calendars: dict[str, Calendar] = {"default": default_calendar()} if calendars is None else calendars
        self.calendars.update({str(each["id"]): Calendar.parse(each) for each in organisation.calendars})
        self.decision_context: DecisionContext = decision_context.capture_context(organisation, self.calendars)
        self.decision_context_stored = False
        self._made: dict[tuple[str, int, bytes], Rulebook] = {}

    @classmethod
    def from_decision_context(cls, context: DecisionContext) -> RulebookRegistry:
        """The rulebooks of a basis that decisions were made with earlier."""
        return cls(context.organisation.model_copy(update={"calendars": []}), context.calendars)

    @cached_property
    def calendar_stamp(self) -> str:
        """Says which calendars deadlines are counted with: another one means that they have to be counted again."""
        stated = [
            (name, each.version, str(each.published_until), sorted(map(str, each.days.items()))) for name, each in self.calendars.items()
        ]
        return hashlib.sha256(orjson.dumps(sorted(stated))).hexdigest()[:16]

    def get(self, procedure: str, version: int, parameters: dict[str, Any]) -> Rulebook:
        """The rulebook of a procedure's version with those parameters."""
        name = (procedure, version, orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS))
        found = self._made.get(name)
        if found is None:
            found = self._made[name] = Rulebook(
                bind_parameters(self.procedure(procedure, version), parameters), self.organisation, self.calendars
            )
        return found

    def procedure(self, procedure_id: str, version: int) -> Procedure:
        """A procedure by id and version: one of the organisation's own files, or an installed one."""
        return self._own.get((procedure_id, version)) or load_procedure(f"{procedure_id}@{version}")

    @property
    def procedures_in_use(self) -> list[Procedure]:
        """The procedures of the organisation's sources, each in the newest version that one of them names."""
        return list({name: self._own[name, version] for name, version in sorted(self._own)}.values())

    def for_case(self, case: Case) -> Rulebook:
        """The rulebook that a case is pinned to."""
        return self.get(case.procedure, case.version, case.parameters)


class HistoricalRulebooks:
    """The rulebooks of earlier decisions, by the stamp of what they rested on."""

    def __init__(self, contents: Mapping[str, bytes], calendars: Mapping[str, str]) -> None:
        self._contents = contents
        self._calendars = calendars
        self._made: dict[str, RulebookRegistry] = {}

    @classmethod
    async def load(cls, tx: Transaction) -> HistoricalRulebooks:
        """All that is kept."""
        rows = await tx.fetch("SELECT stamp, calendar, content FROM basis")
        return cls({row["stamp"]: row["content"] for row in rows}, {row["calendar"]: row["stamp"] for row in rows})

    def for_context(self, stamp: str) -> RulebookRegistry:
        """The rulebooks of a basis; raises `ValueError` if it is not kept."""
        if stamp not in self._contents:
            raise ValueError(f"what the decision rested on ({stamp or 'nothing is named'}) is not kept")
        if stamp not in self._made:
            kept = decision_context.parse_context(self._contents[stamp])
            if kept.stamp != stamp:
                raise ValueError(f"what is kept as {stamp} was changed: its stamp is {kept.stamp}")
            self._made[stamp] = RulebookRegistry.from_decision_context(kept)
        return self._made[stamp]

    def rulebook(self, stamp: str, procedure: str, version: int, parameters: Mapping[str, Any]) -> Rulebook:
        """The rulebook that a decision was made with; raises `ValueError` (also `ProcedureError`)."""
        return self.for_context(stamp).get(procedure, version, dict(parameters))

    def context_by_calendar(self, calendar_stamp: str) -> str | None:
        """A basis with these calendars; None if there is none."""
        return self._calendars.get(calendar_stamp)
