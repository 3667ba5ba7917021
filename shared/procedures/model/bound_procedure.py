"""A procedure with the values that its organisation gives to what the text leaves open."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.procedures.model.duration import Duration, DurationError
from shared.procedures.model.procedure import Parameter, Procedure
from shared.procedures.model.procedure_error import Problem, ProcedureError
from shared.procedures.model.timed_entries import FromDate, FromParameter, Within

_TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "number": (int, float), "text": (str,), "duration": (str,)}


@dataclass(frozen=True, slots=True)
class Bound:
    """A procedure and the value of each of its parameters; `unbound` names those that have none (check, explain and benchmarks alone)."""

    procedure: Procedure
    parameters: dict[str, Any] = field(default_factory=dict)
    unbound: tuple[str, ...] = ()

    def written(self, within: Within) -> str | None:
        """A limit as `Duration.parse` reads it; None where it is a parameter without a value."""
        match within:
            case FromParameter(parameter=name):
                value = self.parameters.get(name)
                return None if value is None else str(value)
            case FromDate(date=fact):
                return f"date: {fact}"
        return within


def bind(procedure: Procedure, parameters: Mapping[str, Any] | None = None, *, allow_unbound: bool = False) -> Bound:
    """Give the parameters their values (the organisation's, else the defaults).

    Raises `ProcedureError` for an unknown name, a value of the wrong type, and, unless `allow_unbound`, a parameter without a value.
    """
    given = dict(parameters or {})
    problems = [_unknown(procedure, name) for name in given if name not in procedure.parameters]
    values: dict[str, Any] = {}
    for name, parameter in procedure.parameters.items():
        value = given.get(name, parameter.default)
        if value is None and allow_unbound:
            continue
        wrong = f"has no value; {_remedy(name, parameter)}" if value is None else mistyped(parameter.type, value)
        if wrong:
            problems.append(_problem(procedure, parameter, f"the parameter {name} {wrong}"))
        values[name] = value
    if problems:
        raise ProcedureError(problems)
    return Bound(procedure, values, tuple(name for name in procedure.parameters if name not in values))


def mistyped(kind: str, value: Any) -> str | None:
    """What is wrong with a parameter's value, if anything."""
    if not isinstance(value, _TYPES[kind]) or isinstance(value, bool):
        return f"is {value!r}; it has to be of the type {kind}"
    if kind == "duration":
        try:
            Duration.parse(value)
        except DurationError as error:
            return f"is wrong: {error}"
    return None


def _remedy(name: str, parameter: Parameter) -> str:
    example = {"duration": "3wd", "int": "5", "number": "1.5", "text": "…"}[parameter.type]
    return f"the text leaves it open: write parameters: {{{name}: {example}}} at the source in the organisation file, or in the scenario"


def _problem(procedure: Procedure, parameter: Parameter, message: str) -> Problem:
    clause = parameter.clause if isinstance(parameter.clause, str) else parameter.clause[0]
    return Problem(f"{procedure.id}@{procedure.version}", 1, clause, message)


def _unknown(procedure: Procedure, name: str) -> Problem:
    known = ", ".join(procedure.parameters) or "none"
    return Problem(f"{procedure.id}@{procedure.version}", 1, "", f"there is no parameter {name}; the procedure has {known}")
