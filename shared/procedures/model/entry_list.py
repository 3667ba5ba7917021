"""Every entry of a procedure in one list: where it stands, which clauses it carries, and what is inside it."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.contracts.base import StrictModel
from shared.procedures.model.clauses import clause_ids
from shared.procedures.model.effects import AnyEffect, expand_effect
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.timed_entries import ClockEntry, DueEntry, ReactionEntry, ReminderEntry

YamlPath = tuple[str | int, ...]
"""Mapping keys and list positions that lead to a value of a YAML file."""

SECTIONS = (
    "parameters",
    "facts",
    "derived",
    "kinds",
    "classes",
    "subjects",
    "routes",
    "clocks",
    "ladders",
    "actions",
    "reactions",
    "duties",
    "counts",
    "forms",
    "figures",
    "confidentiality",
    "ownership",
    "closing",
    "conflicts",
)
SECTIONS_WITH_SCENARIOS = frozenset(
    {"clocks", "actions", "reactions", "classes", "kinds", "routes", "counts", "ladders", "closing", "derived"}
)
"""Sections whose entries need a scenario; the others (duties, registers, forms, figures, …) have tests of their own."""


@dataclass(frozen=True, slots=True)
class LocatedEntry:
    """One entry: `id` is its path in words (`clocks.follow_up.due.0`), `way` the path in the file, `clauses` its own.

    `within` is the id of the entry that it is a part of (a due of its clock, an effect of its reaction), empty for a whole entry.
    """

    section: str
    id: str
    yaml_path: YamlPath
    entry: StrictModel
    clauses: tuple[str, ...]
    part_of: str = ""

    @property
    def name(self) -> str:
        """The entry's own id, without its section."""
        return self.id.partition(".")[2]


def all_entries(procedure: Procedure) -> list[LocatedEntry]:
    """All entries in the order of the file's sections, parts after the entry that they belong to."""
    found = [_located("register", "register", ("register",), procedure.register_)]
    for section in SECTIONS:
        found.extend(item for whole in _entries_of(procedure, section) for item in (whole, *_nested_entries(whole)))
    return found


def section_entries(procedure: Procedure, section: str) -> list[LocatedEntry]:
    """The whole entries of one section."""
    return list(_entries_of(procedure, section))


def _entries_of(procedure: Procedure, section: str) -> Iterator[LocatedEntry]:
    content = getattr(procedure, section)
    if isinstance(content, dict):
        for name, entry in content.items():
            several = entry if isinstance(entry, list) else [entry]
            for place, one in enumerate(several):
                numbered = isinstance(entry, list)
                way: YamlPath = (section, name, place) if numbered else (section, name)
                yield _located(section, f"{section}.{name}.{place}" if len(several) > 1 else f"{section}.{name}", way, one)
        return
    named = [(getattr(entry, "id", "") or str(place)) for place, entry in enumerate(content)]
    for place, entry in enumerate(content):
        name = named[place]
        rule = getattr(entry, "rule", "")
        twice = named.count(name) > 1
        suffix = f".{rule or place}" if twice else ""
        yield _located(section, f"{section}.{name}{suffix}", (section, place), entry)


def _located(section: str, item_id: str, way: YamlPath, entry: StrictModel, within: str = "") -> LocatedEntry:
    clause = getattr(entry, "clauses", None) if section == "conflicts" else getattr(entry, "clause", None)
    return LocatedEntry(section, item_id, way, entry, clause_ids(clause), within)


def _nested_entries(whole: LocatedEntry) -> Iterator[LocatedEntry]:
    entry = whole.entry
    if isinstance(entry, ClockEntry):
        for place, due in enumerate(entry.due):
            yield from _nested_entry(whole, due, f"due.{place}", ("due", place))
        for place, reminder in enumerate(entry.reminders):
            yield from _nested_entry(whole, reminder, f"reminders.{place}", ("reminders", place))
    if isinstance(entry, ClockEntry | ReactionEntry):
        yield from _nested_effects(whole, entry.do, "", ())


def _nested_entry(whole: LocatedEntry, part: DueEntry | ReminderEntry, name: str, way: YamlPath) -> Iterator[LocatedEntry]:
    yield _located(whole.section, f"{whole.id}.{name}", (*whole.yaml_path, *way), part, whole.id)
    yield from _nested_effects(whole, part.do, f"{name}.", way)


def _nested_effects(whole: LocatedEntry, do: list[AnyEffect], name: str, way: YamlPath) -> Iterator[LocatedEntry]:
    for place, one in enumerate(do):
        yield _located(whole.section, f"{whole.id}.{name}do.{place}", (*whole.yaml_path, *way, "do", place), expand_effect(one), whole.id)
