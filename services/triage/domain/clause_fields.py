"""Maps the clause of a procedure's entry to event fields."""

from shared.procedures.model.clauses import clause_ids
from shared.procedures.model.timed_entries import ClauseIds


def clause_fields(entry_clause: ClauseIds | None) -> dict[str, object]:
    """`clause` is the entry's first clause, `clauses` all of them if there are several; nothing without a clause."""
    clauses = clause_ids(entry_clause)
    if not clauses:
        return {}
    return {"clause": clauses[0]} if len(clauses) == 1 else {"clause": clauses[0], "clauses": list(clauses)}
