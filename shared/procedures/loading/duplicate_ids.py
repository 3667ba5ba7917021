"""Finds ids that two entries of a section share: events refer to entries by id."""

from collections.abc import Iterator

from shared.procedures.model.entry_list import section_entries
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.triage.entries import ClassRule

_UNIQUE_ID_SECTIONS = ("derived", "subjects", "routes", "clocks", "ladders", "reactions", "duties", "counts", "forms", "lists", "figures")


def duplicate_ids(procedure: Procedure) -> Iterator[Finding]:
    """A finding for each entry whose id an earlier entry of its section has; entries of one class may share it if `rule` differs."""
    for section in (*_UNIQUE_ID_SECTIONS, "classes"):
        first_index: dict[tuple[str, str], int] = {}
        for located in section_entries(procedure, section):
            entry_id = str(getattr(located.entry, "id", ""))
            rule = located.entry.rule if isinstance(located.entry, ClassRule) else ""
            index = int(located.yaml_path[1])
            first = first_index.setdefault((entry_id, rule), index)
            if entry_id and first != index:
                remedy = "give each a rule of its own" if section == "classes" else "rename one"
                yield Finding(located.yaml_path, f"{section} has {entry_id} twice (entry {first + 1} and {index + 1}); {remedy}")
