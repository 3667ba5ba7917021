"""The sources for which people enter complaints by hand, with what the procedure of each requires."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from shared.procedures.entry_by_hand import BY_HAND, enterers
from shared.procedures.loading.loader import load_procedure
from shared.procedures.model.procedure import Procedure
from shared.procedures.organisation import ComplaintSource, Organisation, Person


@dataclass(frozen=True, slots=True)
class EntrySource:
    """A source with its procedure; `channels` are those on which a person takes a complaint for it."""

    id: str
    procedure: Procedure
    channels: tuple[str, ...]
    enterers: frozenset[str]

    @property
    def clauses(self) -> list[str]:
        """The clauses that require the fields of a registration."""
        clause = self.procedure.register_.clause
        return [] if clause is None else [clause] if isinstance(clause, str) else list(clause)


class EntrySources:
    """Reads the sources of the organisation file once; raises `ProcedureError` for one whose procedure cannot be used."""

    def __init__(self, organisation: Organisation, base_folder: Path) -> None:
        listed = (source for source in organisation.sources if source.entered_by)
        sources = (_entry_source(source, organisation, base_folder) for source in listed)
        self._sources = [source for source in sources if source.channels]

    def of(self, person: Person) -> list[EntrySource]:
        """The sources that list the person, by id or by a role that he holds."""
        return [source for source in self._sources if person.id in source.enterers]


def _entry_source(source: ComplaintSource, organisation: Organisation, base_folder: Path) -> EntrySource:
    reference = source.procedure if source.version is None else f"{source.procedure}@{source.version}"
    procedure = load_procedure(reference, base_folder=base_folder)
    channels = tuple(channel for channel in BY_HAND if not source.channels or channel in source.channels)
    return EntrySource(source.id, procedure, channels, enterers(source, organisation))
