"""A procedure with the values that an organisation sets for its parameters."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args

from shared.contracts.base import StrictModel
from shared.procedures.model.duration import Duration, DurationError
from shared.procedures.model.procedure import ParameterDeclaration, Procedure
from shared.procedures.model.procedure_error import FileProblem, ProcedureError
from shared.procedures.model.timed_entries import LimitFromFact, LimitFromParameter, LimitSource, Period

_PARAMETER_TYPES: dict[str, tuple[type, ...]] = {"int": (int,), "number": (int, float), "text": (str,), "duration": (str,)}

_VALUE_FIELDS = {"counts": ("threshold_", "window_"), "ladders": ("every_",), "duties": ("every_",), "duplicates": ("within_",)}
"""Section → the fields of its entries for which a parameter may stand; the limits of clocks are read by `duration_text`."""
_VALUE_TYPES = {"threshold": "int"}
_SMALLEST_GROUP = 2


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
    problems += [_problem(procedure, procedure.parameters[name], error) for name, error in _unfit_values(procedure, values)]
    if problems:
        raise ProcedureError(problems)
    return BoundProcedure(with_values(procedure, values), values, tuple(name for name in procedure.parameters if name not in values))


def entry_parameters(procedure: Procedure) -> Iterator[tuple[str, str, LimitFromParameter]]:
    """Each place outside the limits of clocks where a parameter stands for a value: its section, its field, the parameter."""
    for section, fields in _VALUE_FIELDS.items():
        for entry in _section(procedure, section):
            for field_name in fields:
                if isinstance(source := getattr(entry, field_name), LimitFromParameter):
                    yield section, field_name.rstrip("_"), source


def with_values(procedure: Procedure, values: Mapping[str, Any]) -> Procedure:
    """The procedure in which counts, ladders, duties and the rule for duplicates have the values of their parameters."""
    if not any(True for _ in entry_parameters(procedure)):
        return procedure
    changed = {
        section: [_entry_with_values(entry, fields, values) for entry in _section(procedure, section)]
        for section, fields in _VALUE_FIELDS.items()
    }
    duplicates = next(iter(changed.pop("duplicates")), None)
    return procedure.model_copy(update={**changed, "duplicates": duplicates})


def _section(procedure: Procedure, section: str) -> list[StrictModel]:
    content = getattr(procedure, section)
    return list(content) if isinstance(content, list) else [] if content is None else [content]


def _entry_with_values(entry: StrictModel, fields: Iterable[str], values: Mapping[str, Any]) -> StrictModel:
    sources = {name: getattr(entry, name) for name in fields}
    given = {
        name: values[source.parameter]
        for name, source in sources.items()
        if isinstance(source, LimitFromParameter) and source.parameter in values
    }
    return entry.model_copy(update=given) if given else entry


def _unfit_values(procedure: Procedure, values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The parameters whose value its place cannot take, each with the fault."""
    for section, field_name, source in entry_parameters(procedure):
        name = source.parameter
        if name not in values or parameter_type_error(_VALUE_TYPES.get(field_name, "duration"), values[name]):
            continue  # without a value, or with one of another type: that is reported where the parameter is declared or named
        if error := value_fault(section, field_name, values[name]):
            yield name, f"the parameter {name} {error}"


def value_fault(section: str, field_name: str, value: Any) -> str | None:
    """Why a value is not allowed at a place; None if it is."""
    if field_name == "threshold":
        return None if value >= _SMALLEST_GROUP else f"is less than {_SMALLEST_GROUP}, and a group needs as many; write a greater number"
    if section == "duties":
        return None if value in get_args(Period) else f"is no period of a duty; write one of {', '.join(get_args(Period))}"
    # Triage knows no calendar: it compares instants.
    if field_name in ("window", "within") and Duration.parse(value).kind not in ("clock", "days"):
        return "is no window; write clock time or days, such as 30m, 2h or 7d"
    return None


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
