"""Every entry of a procedure in one list: where it stands, which clauses it carries, and what is inside it."""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.procedures.model.clauses import listed
from shared.procedures.model.effects import AnyEffect, effect
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.selectors import Entry
from shared.procedures.model.timed_entries import Clock, Due, Reaction, Reminder

Way = tuple[str | int, ...]

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
SHOWN_BY_SCENARIOS = frozenset({"clocks", "actions", "reactions", "classes", "kinds", "routes", "counts", "ladders", "closing", "derived"})
"""Sections whose entries need a scenario; the others (duties, registers, forms, figures, …) have tests of their own."""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry: `id` is its path in words (`clocks.follow_up.due.0`), `way` the path in the file, `clauses` its own.

    `within` is the id of the entry that it is a part of (a due of its clock, an effect of its reaction), empty for a whole entry.
    """

    section: str
    id: str
    way: Way
    entry: Entry
    clauses: tuple[str, ...]
    within: str = ""

    @property
    def name(self) -> str:
        """The entry's own id, without its section."""
        return self.id.partition(".")[2]


def inventory(procedure: Procedure) -> list[Item]:
    """All entries in the order of the file's sections, parts after the entry that they belong to."""
    found = [_item("register", "register", ("register",), procedure.register_)]
    for section in SECTIONS:
        found.extend(item for whole in _section(procedure, section) for item in (whole, *_parts(whole)))
    return found


def entries(procedure: Procedure, section: str) -> list[Item]:
    """The whole entries of one section."""
    return list(_section(procedure, section))


def _section(procedure: Procedure, section: str) -> Iterator[Item]:
    content = getattr(procedure, section)
    if isinstance(content, dict):
        for name, entry in content.items():
            several = entry if isinstance(entry, list) else [entry]
            for place, one in enumerate(several):
                numbered = isinstance(entry, list)
                way: Way = (section, name, place) if numbered else (section, name)
                yield _item(section, f"{section}.{name}.{place}" if len(several) > 1 else f"{section}.{name}", way, one)
        return
    named = [(getattr(entry, "id", "") or str(place)) for place, entry in enumerate(content)]
    for place, entry in enumerate(content):
        name = named[place]
        rule = getattr(entry, "rule", "")
        twice = named.count(name) > 1
        suffix = f".{rule or place}" if twice else ""
        yield _item(section, f"{section}.{name}{suffix}", (section, place), entry)


def _item(section: str, item_id: str, way: Way, entry: Entry, within: str = "") -> Item:
    clause = getattr(entry, "clauses", None) if section == "conflicts" else getattr(entry, "clause", None)
    return Item(section, item_id, way, entry, listed(clause), within)


def _parts(whole: Item) -> Iterator[Item]:
    entry = whole.entry
    if isinstance(entry, Clock):
        for place, due in enumerate(entry.due):
            yield from _part(whole, due, f"due.{place}", ("due", place))
        for place, reminder in enumerate(entry.reminders):
            yield from _part(whole, reminder, f"reminders.{place}", ("reminders", place))
    if isinstance(entry, Clock | Reaction):
        yield from _effects(whole, entry.do, "", ())


def _part(whole: Item, part: Due | Reminder, name: str, way: Way) -> Iterator[Item]:
    yield _item(whole.section, f"{whole.id}.{name}", (*whole.way, *way), part, whole.id)
    yield from _effects(whole, part.do, f"{name}.", way)


def _effects(whole: Item, do: list[AnyEffect], name: str, way: Way) -> Iterator[Item]:
    for place, one in enumerate(do):
        yield _item(whole.section, f"{whole.id}.{name}do.{place}", (*whole.way, *way, "do", place), effect(one), whole.id)
