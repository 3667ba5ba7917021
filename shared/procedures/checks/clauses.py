"""Checks clauses and titles: each clause has an entry or is listed as uncovered, each id exists, and each title in both languages."""

from collections.abc import Iterator, Mapping

from shared.procedures.model.clauses import clause_ids, is_clause_or_subclause
from shared.procedures.model.entry_list import YamlPath, all_entries, section_entries
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure, Title

_TITLED_SECTIONS = ("parameters", "facts", "classes", "subjects", "clocks", "ladders", "duties", "counts", "forms", "lists", "figures")


def check_clauses(procedure: Procedure, clauses: Mapping[str, Title]) -> Iterator[Finding]:
    """Findings for clause ids that clauses.yaml lacks, clauses without an entry, and missing texts in a language."""
    places = [(located.yaml_path, clause) for located in all_entries(procedure) for clause in located.clauses]
    for index, entry in enumerate(procedure.uncovered):
        places += [(("uncovered", index), clause) for clause in clause_ids(entry.clause)]
    for yaml_path, clause in places:
        yield from _check_clause_id(yaml_path, clause, clauses)
    used = {clause for _, clause in places}
    for clause, title in clauses.items():
        if not any(is_clause_or_subclause(used_clause, clause) for used_clause in used):
            message = f"no entry implements the clause {clause}; add one, or list it under uncovered with the reason"
            yield Finding(("clauses", clause), message, in_clauses_file=True)
        for language in ("zh", "en"):
            if not getattr(title, language).strip():
                message = f"the text of {clause} is missing in {language}; add it"
                yield Finding(("clauses", clause, language), message, in_clauses_file=True)


def _check_clause_id(yaml_path: YamlPath, clause: str, clauses: Mapping[str, Title]) -> Iterator[Finding]:
    if clauses and not any(is_clause_or_subclause(clause, known) for known in clauses):
        yield Finding(yaml_path, f"clauses.yaml has no clause {clause}; correct the id, or add the clause there")


def check_titles(procedure: Procedure) -> Iterator[Finding]:
    """A warning for each title that is missing in a language."""
    for language in ("zh", "en"):
        if not getattr(procedure.title, language).strip():
            yield Finding(("title",), f"the title is missing in {language}; add it", "warning")
    if isinstance(procedure.roles, list):
        yield Finding(("roles",), "the roles have no titles; write roles: {assistant: {zh: 客户助理, en: assistant}, …}", "warning")
    for section in _TITLED_SECTIONS:
        for located in section_entries(procedure, section):
            missing = [language for language in ("zh", "en") if not getattr(located.entry, language, "").strip()]
            if missing:
                message = f"{located.id} has no title in {' and '.join(missing)}; add {': …, '.join(missing)}: …"
                yield Finding(located.yaml_path, message, "warning")
