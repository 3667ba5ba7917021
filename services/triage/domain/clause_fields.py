"""An entry's clauses as the fields of an event."""

from shared.procedures.model.clauses import listed
from shared.procedures.model.timed_entries import Clause


def clause_fields(entry_clause: Clause | None) -> dict[str, object]:
    """The event's fields for an entry's clause: the first one, and all where there are several."""
    found = listed(entry_clause)
    if not found:
        return {}
    return {"clause": found[0]} if len(found) == 1 else {"clause": found[0], "clauses": list(found)}
