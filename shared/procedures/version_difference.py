"""What changes from one version of a procedure to another, in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.procedures.explain.page import describe_entry
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.model.entry_list import LocatedEntry, all_entries
from shared.procedures.model.procedure import LanguageCode, Procedure

_GENERAL = ("title", "source", "calendar", "day_end", "auto_route", "roles", "levels", "uncovered")


@dataclass(frozen=True, slots=True)
class EntryChange:
    """One entry that is new (no `before`), gone (no `after`), or says something else."""

    entry: str
    clauses: tuple[str, ...]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def compare_versions(old: Procedure, new: Procedure, language: LanguageCode) -> list[EntryChange]:
    """Every change, in the order of the new procedure's sections, what is gone at the end."""
    before, after = _whole_entries(old), _whole_entries(new)
    speak_old, speak_new = ProcedureTexts(old, language), ProcedureTexts(new, language)
    found = list(_general_changes(old, new))
    for item_id, item in after.items():
        earlier = before.get(item_id)
        if earlier is None:
            found.append(EntryChange(item_id, item.clauses, after=tuple(describe_entry(speak_new, item))))
        elif earlier.entry != item.entry:
            found.append(_changed_entry(describe_entry(speak_old, earlier), describe_entry(speak_new, item), earlier, item))
    gone = [item for item_id, item in before.items() if item_id not in after]
    return found + [EntryChange(item.id, item.clauses, before=tuple(describe_entry(speak_old, item))) for item in gone]


def _whole_entries(procedure: Procedure) -> dict[str, LocatedEntry]:
    return {item.id: item for item in all_entries(procedure) if not item.part_of}


def _changed_entry(before: list[str], after: list[str], earlier: LocatedEntry, item: LocatedEntry) -> EntryChange:
    gone = tuple(line for line in before if line not in after)
    fresh = tuple(line for line in after if line not in before)
    if not gone and not fresh:
        return EntryChange(item.id, item.clauses, *_changed_fields(earlier, item))
    return EntryChange(item.id, item.clauses, gone, fresh)


def _changed_fields(earlier: LocatedEntry, item: LocatedEntry) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys that differ, where the words are the same."""
    names = [name for name in type(item.entry).model_fields if getattr(earlier.entry, name, None) != getattr(item.entry, name)]
    return tuple(f"{name}: {getattr(earlier.entry, name, None)}" for name in names), tuple(
        f"{name}: {getattr(item.entry, name)}" for name in names
    )


def _general_changes(old: Procedure, new: Procedure) -> Iterator[EntryChange]:
    for name in _GENERAL:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield EntryChange(name, (), (f"{before}",), (f"{after}",))
