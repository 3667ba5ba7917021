"""A procedure with the values that an organisation sets for its parameters."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.procedures.model.duration import Duration, DurationError
from shared.procedures.model.procedure import ParameterDeclaration, Procedure
from shared.procedures.model.procedure_error import FileProblem, ProcedureError
from shared.procedures.model.timed_entries import LimitFromFact, LimitFromParameter, LimitSource

_PARAMETER_TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "number": (int, float), "text": (str,), "duration": (str,)}


@dataclass(frozen=True, slots=True)
class BoundProcedure:
    """A procedure and the values of its parameters; `unset_parameters` is empty except for check, explain and benchmarks."""

    procedure: Procedure
    parameters: dict[str, Any] = field(default_factory=dict)
    unset_parameters: tuple[str, ...] = ()

    def duration_text(self, limit: LimitSource) -> str | None:
        """A limit in the form that `Duration.parse` reads; None for a parameter without a value."""
        match limit:
            case LimitFromParameter(parameter=name):
                value = self.parameters.get(name)
                return None if value is None else str(value)
            case LimitFromFact(date=fact):
                return f"date: {fact}"
        return limit


def bind_parameters(
    procedure: Procedure, parameter_values: Mapping[str, Any] | None = None, *, allow_unset: bool = False
) -> BoundProcedure:
    """Set each parameter to the organisation's value, else to its default.

    Raises `ProcedureError` for an unknown name, a value of the wrong type, and, unless `allow_unset`, a parameter without a value.
    """
    set_values = dict(parameter_values or {})
    problems = [_unknown_parameter(procedure, name) for name in set_values if name not in procedure.parameters]
    values: dict[str, Any] = {}
    for name, parameter in procedure.parameters.items():
        value = set_values.get(name, parameter.default)
        if value is None and allow_unset:
            continue
        error = f"has no value; {_remedy(name, parameter)}" if value is None else _value_error(parameter, value)
        if error:
            problems.append(_problem(procedure, parameter, f"the parameter {name} {error}"))
        values[name] = value
    if problems:
        raise ProcedureError(problems)
    return BoundProcedure(procedure, values, tuple(name for name in procedure.parameters if name not in values))


def parameter_type_error(parameter_type: str, value: Any) -> str | None:
    """The fault of a parameter's value; None for a valid value."""
    if not isinstance(value, _PARAMETER_TYPES[parameter_type]) or isinstance(value, bool):  # bool is an int in Python
        return f"is {value!r}; it has to be of the type {parameter_type}"
    if parameter_type == "duration":
        try:
            Duration.parse(value)
        except DurationError as error:
            return f"is wrong: {error}"
    return None


def _value_error(parameter: ParameterDeclaration, value: Any) -> str | None:
    """The fault of a value: its type, or that it is none of the options."""
    error = parameter_type_error(parameter.type, value)
    if error is None and parameter.options and value not in parameter.options:
        return f"is none of its options; write one of {', '.join(parameter.options)}"
    return error


def _remedy(name: str, parameter: ParameterDeclaration) -> str:
    example = {"duration": "3wd", "int": "5", "number": "1.5", "text": "…"}[parameter.type]
    return f"the text leaves it open: write parameters: {{{name}: {example}}} at the source in the organisation file, or in the scenario"


def _problem(procedure: Procedure, parameter: ParameterDeclaration, message: str) -> FileProblem:
    clause = parameter.clause if isinstance(parameter.clause, str) else parameter.clause[0]
    return FileProblem(f"{procedure.id}@{procedure.version}", 1, clause, message)


def _unknown_parameter(procedure: Procedure, name: str) -> FileProblem:
    known = ", ".join(procedure.parameters) or "none"
    return FileProblem(f"{procedure.id}@{procedure.version}", 1, "", f"there is no parameter {name}; the procedure has {known}")
