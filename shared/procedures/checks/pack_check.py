"""Everything that can be found wrong with a procedure without running it: errors that forbid its use, and warnings."""

from collections.abc import Iterator, Mapping

from shared.procedures.checks import clauses as clause_check
from shared.procedures.checks import expressions, reachability, references, roles, titles
from shared.procedures.loading.loader import Pack
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure, Title
from shared.procedures.model.procedure_error import FileProblem
from shared.procedures.organisation import Organisation


def procedure_findings(procedure: Procedure, clauses: Mapping[str, Title], organisation: Organisation | None = None) -> Iterator[Finding]:
    """All findings on a procedure: names, references, roles, reach, clauses, titles; with an organisation also vacant roles."""
    yield from references.check_references(procedure)
    yield from expressions.check_expressions(procedure)
    yield from roles.check_roles(procedure)
    yield from reachability.check_reachability(procedure)
    yield from clause_check.check_clauses(procedure, clauses)
    yield from titles.check_titles(procedure)
    if organisation is not None:
        yield from roles.check_vacant_roles(procedure, organisation)


def check_pack(pack: Pack, organisation: Organisation | None = None) -> list[FileProblem]:
    """The findings on a pack with file, line and clause, errors first, in the order of the files."""
    problems = [_problem(pack, finding) for finding in procedure_findings(pack.procedure, pack.clauses, organisation)]
    if not pack.clauses:
        message = "clauses.yaml is missing; give every clause of the text there, in your own words"
        problems.append(pack.document.problem_at((), message))
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.level != "error", problem.file, problem.line))


def blocking_problems(pack: Pack) -> list[FileProblem]:
    """What forbids running a pack at all: references and conditions that name what does not exist. Words and scenarios may be missing."""
    found = [*references.check_references(pack.procedure), *expressions.check_expressions(pack.procedure)]
    return [_problem(pack, finding) for finding in found if finding.severity == "error"]


def _problem(pack: Pack, finding: Finding) -> FileProblem:
    document = pack.clauses_document if finding.in_clauses_file and pack.clauses_document else pack.document
    return document.problem_at(finding.yaml_path, finding.message, severity=finding.severity)
