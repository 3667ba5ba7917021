"""Builds the rulebooks in use, and rebuilds those of earlier decisions; a case keeps the version and parameters it began under."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import structlog

from services.sla.domain.evidence import decision_context
from services.sla.domain.evidence.decision_context import DecisionContext
from services.sla.domain.lifecycle.case import Case
from services.sla.domain.rules.rulebook import Rulebook
from services.sla.storage import decision_contexts
from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.loading.loader import load_installed, load_procedure
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import ComplaintSource, Organisation
from shared.runtime.database.database import Transaction

log = structlog.get_logger(__name__)


class RulebookRegistry:
    """Rulebooks by procedure, version and parameters, each built at its first use and kept for the life of the process.

    `procedure_folder` is where procedure files named by the organisation's sources are looked up; without it only installed procedures
    are used. Raises `ProcedureError` for a procedure that cannot be loaded.
    """

    def __init__(
        self, organisation: Organisation, calendars: dict[str, Calendar] | None = None, procedure_folder: Path | None = None
    ) -> None:
        self.organisation = organisation
        self.calendars: dict[str, Calendar] = {"default": default_calendar()} if calendars is None else calendars
        self.calendars.update({str(entry["id"]): Calendar.parse(entry) for entry in organisation.calendars})
        self.decision_context: DecisionContext = decision_context.capture_context(organisation, self.calendars)
        self.decision_context_stored = False
        self._is_outdated_by_stamp: dict[str, bool] = {}
        self._known_stamps: set[str] = set()
        self.started_procedures: set[str] = set()
        """The procedures whose duties this process knows to have begun."""
        procedures = (
            [] if procedure_folder is None else [_load_source_procedure(source, procedure_folder) for source in organisation.sources]
        )
        self._source_parameters = [
            ((procedure.id, procedure.version), source.parameters)
            for procedure, source in zip(procedures, organisation.sources, strict=False)
        ]
        self._source_procedures = {(procedure.id, procedure.version): procedure for procedure in procedures}
        self._rulebooks: dict[tuple[str, int, bytes], Rulebook] = {}

    @classmethod
    def from_decision_context(cls, context: DecisionContext) -> RulebookRegistry:
        """The rulebooks of earlier decisions: with the organisation and the calendars of that time."""
        # The context's calendars hold those of the organisation file already.
        return cls(context.organisation.model_copy(update={"calendars": []}), context.calendars)

    @cached_property
    def calendar_stamp(self) -> str:
        """A hash of all calendars; a case stored with that of older versions has its deadlines recalculated."""
        contents = {name: decision_context.calendar_to_dict(calendar) for name, calendar in self.calendars.items()}
        return hashlib.sha256(orjson.dumps(contents, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]

    async def adopt_newer_calendars(self, tx: Transaction, stamps: AbstractSet[str]) -> None:
        """Count from now on by the calendars of cases with these stamps, where they are newer versions of the present ones.

        In a rolling upgrade a process that was started before counts on with the older file; a case that the newer one has counted again
        must not go back, and would not be counted a third time.
        """
        if self._known_stamps.issuperset(stamps - {self.calendar_stamp}):
            return
        for stamp, content in (await decision_contexts.load_contents_by_calendar(tx, self._known_stamps)).items():
            self._known_stamps.add(stamp)
            calendars = decision_context.parse_context(content).calendars
            if decision_context.are_newer(calendars, decision_context.versions_of(self.calendars)):
                self._adopt(calendars)

    def _adopt(self, calendars: Mapping[str, Calendar]) -> None:
        """Use these calendars in place of those with the same name and id, and build the rulebooks again."""
        newer = {
            name: calendar for name, calendar in calendars.items() if name in self.calendars and calendar.id == self.calendars[name].id
        }
        self.calendars = {**self.calendars, **newer}
        self.decision_context = decision_context.capture_context(self.organisation, self.calendars)
        self.decision_context_stored = False
        del self.calendar_stamp
        self._is_outdated_by_stamp.clear()
        self._rulebooks.clear()
        log.info("newer calendars adopted", calendars={name: calendar.version for name, calendar in newer.items()})

    async def outdated_stamps(self, tx: Transaction) -> list[str]:
        """The stamps of calendars that were used before and are older than these: cases counted by them are counted again."""
        contents = await decision_contexts.load_contents_by_calendar(tx, self._is_outdated_by_stamp)
        for stamp, content in contents.items():
            counted_by = decision_context.calendar_versions(content)
            self._is_outdated_by_stamp[stamp] = decision_context.are_newer(self.calendars, counted_by)
        return [stamp for stamp, is_outdated in self._is_outdated_by_stamp.items() if is_outdated]

    def get(self, procedure: str, version: int, parameters: dict[str, Any]) -> Rulebook:
        """The rulebook of a procedure's version with those parameters; raises `ProcedureError` if the version is not installed."""
        # Sorted: the same parameters in another order are the same rulebook.
        key = (procedure, version, orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS))
        rulebook = self._rulebooks.get(key)
        if rulebook is None:
            bound = bind_parameters(self.procedure(procedure, version), parameters)
            rulebook = self._rulebooks[key] = Rulebook(bound, self.organisation, self.calendars)
        return rulebook

    def procedure(self, procedure_id: str, version: int) -> Procedure:
        """A procedure by id and version: from a file of the organisation, else an installed one."""
        return self._source_procedures.get((procedure_id, version)) or load_installed(procedure_id, version)

    @property
    def procedures_in_use(self) -> list[Procedure]:
        """The procedures of the organisation's sources, each in the newest version that a source names, with the parameters of that one.

        Duties have no case, and so no source: the organisation's check refuses sources that set a duty's parameters differently.
        """
        newest = dict(sorted(self._source_procedures))
        return [
            bind_parameters(self._source_procedures[name, version], self._parameters(name, version)).procedure
            for name, version in newest.items()
        ]

    def _parameters(self, procedure_id: str, version: int) -> dict[str, Any]:
        """The parameters that the first source sets which uses this version."""
        return next(parameters for key, parameters in self._source_parameters if key == (procedure_id, version))

    def for_case(self, case: Case) -> Rulebook:
        """The rulebook that a case is pinned to."""
        return self.get(case.procedure, case.version, case.parameters)


class HistoricalRulebooks:
    """The rulebooks of earlier decisions, by the stamp of the decision context; `calendars` maps a calendar stamp to one."""

    def __init__(self, contents: Mapping[str, bytes], calendars: Mapping[str, str]) -> None:
        self._contents = contents
        self._calendars = calendars
        self._registries: dict[str, RulebookRegistry] = {}

    @classmethod
    async def load(cls, tx: Transaction) -> HistoricalRulebooks:
        """All stored contexts."""
        contexts = await decision_contexts.load_decision_contexts(tx)
        return cls(
            {context.stamp: context.content for context in contexts}, {context.calendar_stamp: context.stamp for context in contexts}
        )

    def for_context(self, stamp: str) -> RulebookRegistry:
        """The rulebooks of a decision context; raises `ValueError` if it is not stored or does not match its stamp."""
        if stamp not in self._contents:
            raise ValueError(f"the decision context {stamp or '(none is named)'} is not stored")
        if stamp not in self._registries:
            context = decision_context.parse_context(self._contents[stamp])
            if context.stamp != stamp:
                raise ValueError(f"the decision context stored as {stamp} was changed: its stamp is {context.stamp}")
            self._registries[stamp] = RulebookRegistry.from_decision_context(context)
        return self._registries[stamp]

    def rulebook(self, stamp: str, procedure: str, version: int, parameters: Mapping[str, Any]) -> Rulebook:
        """The rulebook that a decision was made with; raises `ValueError` (also `ProcedureError`)."""
        return self.for_context(stamp).get(procedure, version, dict(parameters))

    def context_by_calendar(self, calendar_stamp: str) -> str | None:
        """The stamp of a decision context with these calendars; None if there is none."""
        return self._calendars.get(calendar_stamp)


def _load_source_procedure(source: ComplaintSource, folder: Path) -> Procedure:
    reference = source.procedure if source.version is None else f"{source.procedure}@{source.version}"
    return load_procedure(reference, base_folder=folder)
