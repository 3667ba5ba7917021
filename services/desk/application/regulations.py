"""The regulations of the organisation's sources as people read them: clauses, entries, scenarios, names and calendars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from shared.procedures.calendars.calendar import Calendar, default_calendar
from shared.procedures.coverage import expected_clauses
from shared.procedures.explain.page import ExplanationPage, build_page
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.loading.loader import Pack, load_pack
from shared.procedures.model.procedure import LanguageCode
from shared.procedures.organisation import Organisation

_CACHED_PAGES: Final = 64


@dataclass(frozen=True, slots=True)
class ScenarioNote:
    """A scenario of a pack: its name, and the first line of its file, which states what it shows."""

    name: str
    title: str


class Regulations:
    """The packs of the sources by procedure id, the newest version of each; loaded when the desk starts.

    Raises `ProcedureError` for a pack that cannot be loaded and `CalendarError` for a calendar that cannot be used.
    """

    def __init__(self, organisation: Organisation, base_folder: Path) -> None:
        self._organisation = organisation
        loaded = [(load_pack(source.procedure_reference, base_folder=base_folder), source.parameters) for source in organisation.sources]
        loaded.sort(key=lambda each: (each[0].procedure.id, each[0].procedure.version))
        packs = [pack for pack, _ in loaded]
        self.packs: dict[str, Pack] = {pack.procedure.id: pack for pack in packs}
        self._parameters = {pack.procedure.id: parameters for pack, parameters in loaded}
        self._calendars = {"default": default_calendar()} | {str(entry["id"]): Calendar.parse(entry) for entry in organisation.calendars}
        # Explaining a procedure takes tenths of a second, and its text changes only with a new version.
        self.page = lru_cache(_CACHED_PAGES)(self._build_page)
        self.scenarios = lru_cache(_CACHED_PAGES)(self._scenarios_by_clause)

    def texts(self, procedure: str, language: LanguageCode) -> ProcedureTexts:
        """The names and phrases of a procedure; raises `KeyError`."""
        pack = self.packs[procedure]
        return ProcedureTexts(pack.procedure, language, pack.clauses)

    def calendar(self, procedure: str) -> Calendar:
        """The calendar by which a procedure counts; raises `KeyError`."""
        own = self.packs[procedure].procedure.calendar or self._organisation.calendar
        return self._calendars.get(own) or default_calendar()

    def parameters(self, procedure: str) -> Mapping[str, Any]:
        """The values that the organisation sets for the procedure's parameters; raises `KeyError`."""
        return self._parameters[procedure]

    def role_name(self, role: str, language: LanguageCode) -> str:
        """The title of a role in the first procedure that gives it one; the id where none does."""
        titles = (self.texts(procedure, language).role(role) for procedure, pack in self.packs.items() if role in pack.procedure.role_names)
        return next((title for title in titles if title != role), role)

    @property
    def roles(self) -> tuple[str, ...]:
        """Every role of the procedures, of the line and of people, each once."""
        named = [role for pack in self.packs.values() for role in pack.procedure.role_names]
        line = [role for pair in self._organisation.line.items() for role in pair]
        return tuple(dict.fromkeys([*named, *line, *(role for person in self._organisation.people for role in person.roles)]))

    def _build_page(self, procedure: str, language: LanguageCode) -> ExplanationPage:
        pack = self.packs[procedure]
        return build_page(pack.procedure, pack.clauses, language)

    def _scenarios_by_clause(self, procedure: str) -> dict[str, list[ScenarioNote]]:
        pack = self.packs[procedure]
        notes: dict[str, list[ScenarioNote]] = {}
        for path in pack.scenarios:
            note = ScenarioNote(pack.scenario_name(path), _first_comment(path))
            for clause in sorted(expected_clauses(path)):
                notes.setdefault(clause, []).append(note)
        return notes


def _first_comment(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        first = file.readline()
    return first.lstrip("# ").strip() if first.startswith("#") else ""
