"""Compares two versions of a procedure, entry by entry, as the explanation describes them."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.procedures.explain.page import describe_entry
from shared.procedures.explain.procedure_texts import ProcedureTexts
from shared.procedures.model.entry_list import LocatedEntry, all_entries
from shared.procedures.model.procedure import LanguageCode, Procedure

_GENERAL_KEYS = ("title", "source", "calendar", "day_end", "auto_route", "roles", "levels", "uncovered")


@dataclass(frozen=True, slots=True)
class EntryChange:
    """An entry that was added (no `before`), removed (no `after`) or changed; `before` and `after` are the lines that differ."""

    entry: str
    clauses: tuple[str, ...]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def compare_versions(old: Procedure, new: Procedure, language: LanguageCode) -> list[EntryChange]:
    """All changes: general keys, then entries in the order of the new version, then removed entries."""
    old_entries, new_entries = _whole_entries(old), _whole_entries(new)
    old_texts, new_texts = ProcedureTexts(old, language), ProcedureTexts(new, language)
    changes = list(_general_changes(old, new))
    for entry_id, after in new_entries.items():
        before = old_entries.get(entry_id)
        if before is None:
            changes.append(EntryChange(entry_id, after.clauses, after=tuple(describe_entry(new_texts, after))))
        elif before.entry != after.entry:
            changes.append(_changed_entry(before, after, describe_entry(old_texts, before), describe_entry(new_texts, after)))
    removed = [located for entry_id, located in old_entries.items() if entry_id not in new_entries]
    return changes + [EntryChange(located.id, located.clauses, before=tuple(describe_entry(old_texts, located))) for located in removed]


def _whole_entries(procedure: Procedure) -> dict[str, LocatedEntry]:
    return {located.id: located for located in all_entries(procedure) if not located.part_of}


def _changed_entry(before: LocatedEntry, after: LocatedEntry, lines_before: list[str], lines_after: list[str]) -> EntryChange:
    removed = tuple(line for line in lines_before if line not in lines_after)
    added = tuple(line for line in lines_after if line not in lines_before)
    if not removed and not added:
        removed, added = _changed_fields(before, after)
    return EntryChange(after.id, after.clauses, removed, added)


def _changed_fields(before: LocatedEntry, after: LocatedEntry) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys that differ, for a change that the description does not show."""
    fields = [
        (name, getattr(before.entry, name, None), getattr(after.entry, name))
        for name in type(after.entry).model_fields
        if getattr(before.entry, name, None) != getattr(after.entry, name)
    ]
    return tuple(f"{name}: {value}" for name, value, _ in fields), tuple(f"{name}: {value}" for name, _, value in fields)


def _general_changes(old: Procedure, new: Procedure) -> Iterator[EntryChange]:
    for name in _GENERAL_KEYS:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield EntryChange(name, (), (f"{before}",), (f"{after}",))
