"""Names of people, units and what regulations define, in the reader's language; what no one named is shown by its id."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from services.desk.application.regulations import Regulations
from services.desk.pages.shell.words import translate
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.explain.reasons.reason_text import reason_text
from shared.procedures.model.procedure import LanguageCode
from shared.procedures.organisation import Organisation

_CACHED_NAMES: Final = 4096


class Names:
    """What ids mean; a list asks for the same few again and again, so that answers of regulations are kept."""

    def __init__(self, organisation: Organisation, regulations: Regulations) -> None:
        self._organisation = organisation
        self._regulations = regulations
        self.class_ = lru_cache(_CACHED_NAMES)(self._class)
        self.subject = lru_cache(_CACHED_NAMES)(self._subject)
        self.clock = lru_cache(_CACHED_NAMES)(self._clock)
        self.reason = lru_cache(_CACHED_NAMES)(self._reason)

    def person(self, person_id: str) -> str:
        """The name of a person of the organisation file."""
        person = self._organisation.person(person_id)
        return (person.name or person.id) if person else person_id

    def unit(self, language: LanguageCode, unit_id: str) -> str:
        """The name of a department; the organisation need not list the one of cases that no route takes."""
        unit = self._organisation.department(unit_id)
        if unit is None and unit_id == self._organisation.catch_all:
            return translate(language, "unit.catch_all")
        return ((unit.zh if language == "zh" else unit.en) or unit.zh or unit.id) if unit else unit_id

    def procedure(self, language: LanguageCode, procedure: str) -> str:
        """The title of a regulation."""
        if procedure not in self._regulations.packs:
            return procedure
        texts = self._regulations.texts(procedure, language)
        return texts.title(texts.procedure.title)

    def _class(self, language: LanguageCode, class_id: str, procedure: str = "") -> str:
        """The name of a class of a regulation, or of the first that names it where none is given."""
        names = (texts.class_(class_id) for texts in self._texts(language, procedure))
        return next((name for name in names if name != class_id), class_id)

    def _subject(self, language: LanguageCode, subject: str, procedure: str = "") -> str:
        """The name of a node of the subject tree."""
        nodes = ((texts, node) for texts in self._texts(language, procedure) for node in texts.procedure.subjects)
        return next((texts.title(node) for texts, node in nodes if node.id == subject), subject)

    def _clock(self, language: LanguageCode, clock: str, procedure: str) -> str:
        """The name of a limit."""
        clocks = ((texts, each) for texts in self._texts(language, procedure) for each in texts.procedure.clocks)
        return next((texts.title(each) for texts, each in clocks if each.id == clock), clock)

    def _reason(self, language: LanguageCode, reason: str, procedure: str = "") -> str:
        """A reason that a service gave, in words."""
        texts = self._texts(language, procedure) if procedure else []
        return reason_text(language, reason, texts[0] if texts else None)

    def _texts(self, language: LanguageCode, procedure: str) -> list[ProcedureTexts]:
        packs = self._regulations.packs
        return [self._regulations.texts(name, language) for name in ([procedure] if procedure else packs) if name in packs]
