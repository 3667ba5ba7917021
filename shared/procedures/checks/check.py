"""Everything that can be found wrong with a procedure without running it: errors that forbid its use, and warnings."""

from collections.abc import Iterator, Mapping

from shared.procedures.checks import clauses as clause_check
from shared.procedures.checks import expressions, reach, references, roles, titles
from shared.procedures.loading.loader import Pack
from shared.procedures.model.finding import Finding
from shared.procedures.model.procedure import Procedure, Title
from shared.procedures.model.procedure_error import Problem
from shared.procedures.organisation import Organisation


def findings(procedure: Procedure, clauses: Mapping[str, Title], organisation: Organisation | None = None) -> Iterator[Finding]:
    """All findings on a procedure: names, references, roles, reach, clauses, titles; with an organisation also vacant roles."""
    yield from references.check(procedure)
    yield from expressions.check(procedure)
    yield from roles.check(procedure)
    yield from reach.check(procedure)
    yield from clause_check.check(procedure, clauses)
    yield from titles.check(procedure)
    if organisation is not None:
        yield from roles.held(procedure, organisation)


def check(pack: Pack, organisation: Organisation | None = None) -> list[Problem]:
    """The findings on a pack with file, line and clause, errors first, in the order of the files."""
    problems = [_problem(pack, finding) for finding in findings(pack.procedure, pack.clauses, organisation)]
    if not pack.clauses:
        message = "clauses.yaml is missing; give every clause of the text there, in your own words"
        problems.append(pack.document.problem((), message))
    return sorted(dict.fromkeys(problems), key=lambda problem: (problem.level != "error", problem.file, problem.line))


def unusable(pack: Pack) -> list[Problem]:
    """What forbids running a pack at all: references and conditions that name what does not exist. Words and scenarios may be missing."""
    found = [*references.check(pack.procedure), *expressions.check(pack.procedure)]
    return [_problem(pack, finding) for finding in found if finding.level == "error"]


def _problem(pack: Pack, finding: Finding) -> Problem:
    document = pack.clauses_document if finding.clauses and pack.clauses_document else pack.document
    return document.problem(finding.way, finding.message, level=finding.level)
