"""Clauses: every one is carried out by an entry or listed as uncovered, and every id in the procedure is one of the text's."""

from collections.abc import Iterator, Mapping

from shared.procedures.model.clauses import counts_for, listed
from shared.procedures.model.entry_list import inventory
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure, Title


def check(procedure: Procedure, clauses: Mapping[str, Title]) -> Iterator[Finding]:
    """Ids that are not in clauses.yaml, clauses without an entry, entries without a clause, words missing in a language."""
    carried = {clause for item in inventory(procedure) for clause in item.clauses}
    for item in inventory(procedure):
        for clause in item.clauses:
            yield from _known(item.way, clause, clauses)
    for place, uncovered in enumerate(procedure.uncovered):
        for clause in listed(uncovered.clause):
            yield from _known(("uncovered", place), clause, clauses)
    left_out = {clause for entry in procedure.uncovered for clause in listed(entry.clause)}
    for clause, words in clauses.items():
        if not any(counts_for(one, clause) for one in carried | left_out):
            message = f"no entry carries the clause {clause}; add one, or list it under uncovered with the reason"
            yield Finding(("clauses", clause), message, clauses=True)
        for language in ("zh", "en"):
            if not getattr(words, language).strip():
                yield Finding(("clauses", clause, language), f"the words of {clause} are missing in {language}", clauses=True)


def _known(way: tuple[str | int, ...], clause: str, clauses: Mapping[str, Title]) -> Iterator[Finding]:
    if clauses and not any(counts_for(clause, known) for known in clauses):
        yield Finding(way, f"clauses.yaml has no clause {clause}; correct the id, or add the clause there")
