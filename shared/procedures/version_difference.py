"""What changes from one version of a procedure to another, in words."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.procedures.explain.page import describe
from shared.procedures.explain.speech import Speech
from shared.procedures.explain.words import Language
from shared.procedures.model.entry_list import Item, inventory
from shared.procedures.model.procedure import Procedure

_GENERAL = ("title", "source", "calendar", "day_end", "auto_route", "roles", "levels", "uncovered")


@dataclass(frozen=True, slots=True)
class Change:
    """One entry that is new (no `before`), gone (no `after`), or says something else."""

    entry: str
    clauses: tuple[str, ...]
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


def differences(old: Procedure, new: Procedure, language: Language) -> list[Change]:
    """Every change, in the order of the new procedure's sections, what is gone at the end."""
    before, after = _wholes(old), _wholes(new)
    speak_old, speak_new = Speech(old, language), Speech(new, language)
    found = list(_general(old, new))
    for item_id, item in after.items():
        earlier = before.get(item_id)
        if earlier is None:
            found.append(Change(item_id, item.clauses, after=tuple(describe(speak_new, item))))
        elif earlier.entry != item.entry:
            found.append(_changed(describe(speak_old, earlier), describe(speak_new, item), earlier, item))
    gone = [item for item_id, item in before.items() if item_id not in after]
    return found + [Change(item.id, item.clauses, before=tuple(describe(speak_old, item))) for item in gone]


def _wholes(procedure: Procedure) -> dict[str, Item]:
    return {item.id: item for item in inventory(procedure) if not item.within}


def _changed(before: list[str], after: list[str], earlier: Item, item: Item) -> Change:
    gone = tuple(line for line in before if line not in after)
    fresh = tuple(line for line in after if line not in before)
    if not gone and not fresh:
        return Change(item.id, item.clauses, *_fields(earlier, item))
    return Change(item.id, item.clauses, gone, fresh)


def _fields(earlier: Item, item: Item) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The keys that differ, where the words are the same."""
    names = [name for name in type(item.entry).model_fields if getattr(earlier.entry, name, None) != getattr(item.entry, name)]
    return tuple(f"{name}: {getattr(earlier.entry, name, None)}" for name in names), tuple(
        f"{name}: {getattr(item.entry, name)}" for name in names
    )


def _general(old: Procedure, new: Procedure) -> Iterator[Change]:
    for name in _GENERAL:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield Change(name, (), (f"{before}",), (f"{after}",))
