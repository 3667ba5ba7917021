"""Ids that stand for two entries at once: the loader refuses them, because events name entries by their id."""

from collections.abc import Iterator

from shared.procedures.model.entry_list import section_entries
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import ClassRule, Procedure

_UNIQUE_ID_SECTIONS = ("derived", "subjects", "routes", "clocks", "ladders", "reactions", "duties", "counts", "forms", "figures")


def duplicate_ids(procedure: Procedure) -> Iterator[Finding]:
    """Entries with an id that an earlier one of their section has; classes may share one, told apart by `rule`."""
    for section in (*_UNIQUE_ID_SECTIONS, "classes"):
        seen: dict[tuple[str, str], int] = {}
        for item in section_entries(procedure, section):
            own = str(getattr(item.entry, "id", ""))
            rule = item.entry.rule if isinstance(item.entry, ClassRule) else ""
            place = int(item.yaml_path[1])
            if own and (own, rule) in seen:
                remedy = "tell them apart by rule" if section == "classes" else "rename one"
                yield Finding(item.yaml_path, f"{section} has {own} twice (entry {seen[own, rule] + 1} and {place + 1}); {remedy}")
            seen.setdefault((own, rule), place)
