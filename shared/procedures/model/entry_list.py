"""Lists the entries of a procedure with their section, their path in the file and their clauses."""

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
    "duplicates",
    "review",
    "forms",
    "lists",
    "figures",
    "confidentiality",
    "ownership",
    "closing",
    "conflicts",
    "readings",
)
SECTIONS_WITH_SCENARIOS = frozenset(
    {"clocks", "actions", "reactions", "classes", "kinds", "routes", "counts", "duplicates", "ladders", "closing", "derived"}
)
"""Sections whose entries need a scenario; the others (duties, registers, forms, figures, …) have unit and integration tests."""


@dataclass(frozen=True, slots=True)
class LocatedEntry:
    """An entry with its place; `id` is the path in words (`clocks.follow_up.due.0`), `clauses` are the entry's own.

    `part_of` is the id of the entry that contains it (a clock for its due entries, a reaction for its effects), else empty.
    """

    section: str
    id: str
    yaml_path: YamlPath
    entry: StrictModel
    clauses: tuple[str, ...]
    part_of: str = ""

    @property
    def name(self) -> str:
        """The id without the section."""
        return self.id.partition(".")[2]


def all_entries(procedure: Procedure) -> list[LocatedEntry]:
    """All entries in the order of the sections, each followed by the entries that it contains."""
    entries = [_locate("register", "register", ("register",), procedure.register_)]
    for section in SECTIONS:
        for located in _entries_of(procedure, section):
            entries += [located, *_nested_entries(located)]
    return entries


def section_entries(procedure: Procedure, section: str) -> list[LocatedEntry]:
    """The entries of one section, without those that they contain."""
    return list(_entries_of(procedure, section))


def _entries_of(procedure: Procedure, section: str) -> Iterator[LocatedEntry]:
    content = getattr(procedure, section)
    if content is None or isinstance(content, StrictModel):
        return iter(() if content is None else (_locate(section, section, (section,), content),))
    return _mapped_entries(section, content) if isinstance(content, dict) else _listed_entries(section, content)


def _mapped_entries(section: str, content: dict[str, StrictModel | list[StrictModel]]) -> Iterator[LocatedEntry]:
    """Entries by name (facts, parameters, actions); an action may have a list of rules."""
    for name, value in content.items():
        if not isinstance(value, list):
            yield _locate(section, f"{section}.{name}", (section, name), value)
            continue
        for index, entry in enumerate(value):
            entry_id = f"{section}.{name}.{index}" if len(value) > 1 else f"{section}.{name}"
            yield _locate(section, entry_id, (section, name, index), entry)


def _listed_entries(section: str, content: list[StrictModel]) -> Iterator[LocatedEntry]:
    """Entries in a list; those of the same id (several rules for one class) get their rule or position as suffix."""
    names = [getattr(entry, "id", "") or str(index) for index, entry in enumerate(content)]
    for index, (name, entry) in enumerate(zip(names, content, strict=True)):
        suffix = f".{getattr(entry, 'rule', '') or index}" if names.count(name) > 1 else ""
        yield _locate(section, f"{section}.{name}{suffix}", (section, index), entry)


def _locate(section: str, entry_id: str, yaml_path: YamlPath, entry: StrictModel, part_of: str = "") -> LocatedEntry:
    # Only conflicts and readings name several clauses under `clauses`; all other entries have `clause`, with an id or a list.
    clauses = getattr(entry, "clauses" if section in ("conflicts", "readings") else "clause", None)
    return LocatedEntry(section, entry_id, yaml_path, entry, clause_ids(clauses), part_of)


def _nested_entries(whole: LocatedEntry) -> Iterator[LocatedEntry]:
    entry = whole.entry
    if isinstance(entry, ClockEntry):
        for index, due in enumerate(entry.due):
            yield from _nested_entry(whole, due, f"due.{index}", ("due", index))
        for index, reminder in enumerate(entry.reminders):
            yield from _nested_entry(whole, reminder, f"reminders.{index}", ("reminders", index))
    if isinstance(entry, ClockEntry | ReactionEntry):
        yield from _nested_effects(whole, entry.do, "", ())


def _nested_entry(whole: LocatedEntry, part: DueEntry | ReminderEntry, name: str, yaml_path: YamlPath) -> Iterator[LocatedEntry]:
    yield _locate(whole.section, f"{whole.id}.{name}", (*whole.yaml_path, *yaml_path), part, whole.id)
    yield from _nested_effects(whole, part.do, f"{name}.", yaml_path)


def _nested_effects(whole: LocatedEntry, effects: list[AnyEffect], name: str, yaml_path: YamlPath) -> Iterator[LocatedEntry]:
    for index, effect in enumerate(effects):
        effect_id, effect_path = f"{whole.id}.{name}do.{index}", (*whole.yaml_path, *yaml_path, "do", index)
        yield _locate(whole.section, effect_id, effect_path, expand_effect(effect), whole.id)
