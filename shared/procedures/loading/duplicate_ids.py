"""Ids that stand for two entries at once: the loader refuses them, because events name entries by their id."""

from collections.abc import Iterator

from shared.procedures.model.entry_list import entries
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import ClassRule, Procedure

_ONCE = ("derived", "subjects", "routes", "clocks", "ladders", "reactions", "duties", "counts", "forms", "figures")


def repeated(procedure: Procedure) -> Iterator[Finding]:
    """Entries with an id that an earlier one of their section has; classes may share one, told apart by `rule`."""
    for section in (*_ONCE, "classes"):
        seen: dict[tuple[str, str], int] = {}
        for item in entries(procedure, section):
            own = str(getattr(item.entry, "id", ""))
            rule = item.entry.rule if isinstance(item.entry, ClassRule) else ""
            place = int(item.way[1])
            if own and (own, rule) in seen:
                remedy = "tell them apart by rule" if section == "classes" else "rename one"
                yield Finding(item.way, f"{section} has {own} twice (entry {seen[own, rule] + 1} and {place + 1}); {remedy}")
            seen.setdefault((own, rule), place)
