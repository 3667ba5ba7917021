"""The place of each entry of a procedure on its page: once in full, elsewhere as a reference.

A lawyer reads a page clause by clause; a rule that is in full under five clauses reads as five rules.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.procedures.model.actions.action_rules import ActionRule
from shared.procedures.model.entry_list import LocatedEntry
from shared.procedures.model.procedure import ClauseText, FigureEntry

APPENDIX_SECTIONS = ("parameters", "facts", "conflicts", "readings")
"""Sections whose entries are in an appendix of their own, and are named under their clauses."""


@dataclass(slots=True)
class ClausePlacement:
    """The entries under one clause: in full (entries that one sentence describes together), and by name."""

    groups: list[list[LocatedEntry]] = field(default_factory=list)
    mentioned: list[LocatedEntry] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Placement:
    """The clauses with their entries, and the entries that belong to no clause."""

    clauses: dict[str, ClausePlacement]
    unplaced: list[LocatedEntry]
    home: dict[str, str]
    """Entry id → the clause under which it is in full."""


def place_entries(entries: Sequence[LocatedEntry], clauses: Mapping[str, ClauseText]) -> Placement:
    """Give every whole entry its place: the first of its clauses, else the first clause of its parts."""
    placed = {clause: ClausePlacement() for clause in clauses}
    home, unplaced = dict[str, str](), list[LocatedEntry]()
    parts_of = _parts_by_whole(entries)
    for located in (entry for entry in entries if not entry.part_of):
        clause_ids = [clause_id for entry in (located, *parts_of.get(located.id, ())) for clause_id in entry.clauses]
        nearest = list(dict.fromkeys(clause for clause in (_nearest_clause(clause_id, clauses) for clause_id in clause_ids) if clause))
        mentions = nearest
        if located.section not in APPENDIX_SECTIONS:
            if not nearest:
                unplaced.append(located)
                continue
            home[located.id] = nearest[0]
            _add_to_groups(placed[nearest[0]].groups, located)
            mentions = nearest[1:]
        for clause in mentions:
            placed[clause].mentioned.append(located)
    return Placement(placed, unplaced, home)


def _parts_by_whole(entries: Iterable[LocatedEntry]) -> dict[str, list[LocatedEntry]]:
    parts = dict[str, list[LocatedEntry]]()
    for located in entries:
        if located.part_of:
            parts.setdefault(located.part_of, []).append(located)
    return parts


# Packs cite finer ids than the regulation numbers, such as 3.1.2.e for the letter of a paragraph.
def _nearest_clause(clause_id: str, clauses: Mapping[str, ClauseText]) -> str:
    """The clause itself, or the one above it that the page has: `3.1.2.e` is under 3.1.2."""
    while clause_id and clause_id not in clauses:
        clause_id = clause_id.rpartition(".")[0]
    return clause_id


def _is_same_rule(first: ActionRule, second: ActionRule) -> bool:
    """Whether two rules say the same, whatever further clauses they serve."""
    return first.model_dump(exclude={"clause"}) == second.model_dump(exclude={"clause"})


def _add_to_groups(groups: list[list[LocatedEntry]], located: LocatedEntry) -> None:
    """Add an entry to the group that one sentence describes: actions with the same rule, figures of one report."""
    for group in groups:
        first = group[0].entry
        same_rule = isinstance(first, ActionRule) and isinstance(located.entry, ActionRule) and _is_same_rule(first, located.entry)
        if (same_rule and group[0].section == located.section == "actions") or (
            isinstance(first, FigureEntry) and isinstance(located.entry, FigureEntry)
        ):
            group.append(located)
            return
    groups.append([located])
