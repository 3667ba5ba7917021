"""Runs all checks on a pack: errors prevent its use, warnings do not."""

from collections.abc import Iterator, Mapping

from shared.procedures.checks import clauses as clause_check
from shared.procedures.checks import expressions, form_layouts, limits, messages, pattern_cues, reachability, references, roles
from shared.procedures.checks.defaults import decided_objects
from shared.procedures.checks.lists import case_lists
from shared.procedures.loading.loader import Pack
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure, Title
from shared.procedures.model.procedure_error import FileProblem
from shared.procedures.organisation import Organisation


def procedure_findings(procedure: Procedure, clauses: Mapping[str, Title], organisation: Organisation | None = None) -> Iterator[Finding]:
    """The findings of all checks; vacant roles are only checked with an organisation."""
    yield from references.check_references(procedure)
    yield from form_layouts.check_form_layouts(procedure)
    yield from case_lists.check_case_lists(procedure)
    yield from expressions.check_expressions(procedure)
    yield from pattern_cues.check_patterns(procedure.patterns)
    yield from pattern_cues.check_senses(procedure)
    yield from roles.check_roles(procedure)
    yield from reachability.check_reachability(procedure)
    yield from decided_objects.check_decided_objects(procedure)
    yield from clause_check.check_clauses(procedure, clauses)
    yield from clause_check.check_titles(procedure)
    yield from messages.check_messages(procedure)
    yield from limits.check_limits(procedure, clauses)
    if organisation is not None:
        yield from roles.check_vacant_roles(procedure, organisation)


def check_pack(pack: Pack, organisation: Organisation | None = None) -> list[FileProblem]:
    """The findings on a pack as problems with file, line and clause: errors first, each group in the order of the files."""
    problems = [_problem(pack, finding) for finding in procedure_findings(pack.procedure, pack.clauses, organisation)]
    if not pack.clauses:
        message = "clauses.yaml is missing; add it with every clause of the regulation, in your own words"
        problems.append(pack.document.problem_at((), message))
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.level != "error", problem.file, problem.line))


def blocking_problems(pack: Pack) -> list[FileProblem]:
    """The errors that prevent running a pack: references and conditions with unknown names; texts and scenarios may be incomplete."""
    findings = [
        *references.check_references(pack.procedure),
        *form_layouts.check_form_layouts(pack.procedure),
        *case_lists.check_case_lists(pack.procedure),
        *expressions.check_expressions(pack.procedure),
        *pattern_cues.check_patterns(pack.procedure.patterns),
    ]
    return [_problem(pack, finding) for finding in findings if finding.severity == "error"]


def vacant_role_problems(pack: Pack, organisation: Organisation) -> list[FileProblem]:
    """The roles of a pack that no person of the organisation holds."""
    return [_problem(pack, finding) for finding in roles.check_vacant_roles(pack.procedure, organisation)]


def _problem(pack: Pack, finding: Finding) -> FileProblem:
    document = pack.clauses_document if finding.in_clauses_file and pack.clauses_document else pack.document
    return document.problem_at(finding.yaml_path, finding.message, severity=finding.severity)
