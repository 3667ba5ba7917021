"""Clauses: every one is carried out by an entry or listed as uncovered, and every id in the procedure is one of the text's."""

from collections.abc import Iterator, Mapping

from shared.procedures.model.clauses import clause_ids, is_clause_or_subclause
from shared.procedures.model.entry_list import YamlPath, all_entries
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure, Title


def check_clauses(procedure: Procedure, clauses: Mapping[str, Title]) -> Iterator[Finding]:
    """Ids that are not in clauses.yaml, clauses without an entry, entries without a clause, words missing in a language."""
    carried = {clause for item in all_entries(procedure) for clause in item.clauses}
    for item in all_entries(procedure):
        for clause in item.clauses:
            yield from _check_clause_id(item.yaml_path, clause, clauses)
    for place, uncovered in enumerate(procedure.uncovered):
        for clause in clause_ids(uncovered.clause):
            yield from _check_clause_id(("uncovered", place), clause, clauses)
    left_out = {clause for entry in procedure.uncovered for clause in clause_ids(entry.clause)}
    for clause, words in clauses.items():
        if not any(is_clause_or_subclause(one, clause) for one in carried | left_out):
            message = f"no entry carries the clause {clause}; add one, or list it under uncovered with the reason"
            yield Finding(("clauses", clause), message, in_clauses_file=True)
        for language in ("zh", "en"):
            if not getattr(words, language).strip():
                yield Finding(("clauses", clause, language), f"the words of {clause} are missing in {language}", in_clauses_file=True)


def _check_clause_id(way: YamlPath, clause: str, clauses: Mapping[str, Title]) -> Iterator[Finding]:
    if clauses and not any(is_clause_or_subclause(clause, known) for known in clauses):
        yield Finding(way, f"clauses.yaml has no clause {clause}; correct the id, or add the clause there")
