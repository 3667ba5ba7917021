"""Finds the numbers of a procedure: durations, shares, counts, and the thresholds in its conditions.

They are found by the types of the model's fields, so that a number which a later version of the model brings is found too.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from pydantic import AfterValidator

from shared.contracts.base import StrictModel
from shared.procedures.checks.expressions import all_expressions
from shared.procedures.model.clauses import clause_ids
from shared.procedures.model.duration import Duration
from shared.procedures.model.entry_list import YamlPath, all_entries
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.timed_entries import DurationText

NumberKind = Literal["duration", "whole", "fraction"]
REPLAYED_SECTIONS = frozenset({"parameters", "limits", "clocks", "ladders", "actions", "reactions", "closing", "most_returns"})
"""Sections that decide on a recorded case; triage's decisions, duties and reports are not made again."""
_DURATION_VALIDATORS = tuple(item for item in get_args(DurationText) if isinstance(item, AfterValidator))
_POSITIONS = frozenset({("", "version"), ("reminders", "of")})
"""Whole numbers that name something and measure nothing: section or list of the entry, and field."""
# A number that a value of the case is compared with; 0 says that there is some at all, which no regulation states as a number.
_THRESHOLD = re.compile(r"\b((?:facts|complaint|case|count|last|event)(?:\.\w+)+)\s*(<=|>=|==|!=|<|>)\s*([0-9]+(?:\.[0-9]+)?)(?![\w.])")
_QUOTED = re.compile(r"""'[^']*'|"[^"]*\"""")


@dataclass(frozen=True, slots=True)
class StatedNumber:
    """A number: its key, its value as text, and its places in procedure.yaml.

    `entry` is the path of the outermost entry (`clocks`, 3) and `field` the part of the path below it; `compared` is the value of the
    case that a threshold is compared with. A threshold that several conditions repeat is one number with several places.
    """

    key: str
    value: str
    kind: NumberKind
    entry: YamlPath
    field: str
    clauses: tuple[str, ...]
    places: tuple[YamlPath, ...]
    compared: str = ""

    @property
    def section(self) -> str:
        """The section of the procedure."""
        return str(self.entry[0])


def stated_numbers(procedure: Procedure, parameters: Mapping[str, Any] | None = None) -> list[StatedNumber]:
    """The numbers that decide on a case, in the order of the model; `parameters` are the organisation's values.

    Numbers that the file does not state, such as a default of the engine, are no numbers of the regulation.
    """
    found = [number for number in _numbers_of(procedure, (), ()) if number.section in REPLAYED_SECTIONS]
    found = [number for number in found if number.section != "parameters"]
    return [*_parameters(procedure, parameters or {}), *found, *_thresholds(procedure)]


def threshold_values(source: str, compared: str) -> Iterator[re.Match[str]]:
    """The comparisons of a condition with this value of the case, with a number other than 0."""
    quoted = [match.span() for match in _QUOTED.finditer(source)]
    for match in _THRESHOLD.finditer(source):
        inside_text = any(start <= match.start() < end for start, end in quoted)
        if not inside_text and float(match[3]) != 0 and compared in ("", match[1]):
            yield match


def _parameters(procedure: Procedure, values: Mapping[str, Any]) -> Iterator[StatedNumber]:
    kinds: dict[str, NumberKind] = {"duration": "duration", "int": "whole", "number": "fraction"}
    for name, declared in procedure.parameters.items():
        kind, value = kinds.get(declared.type), values.get(name, declared.default)
        if kind is not None and value is not None:
            place: YamlPath = ("parameters", name, "default")
            yield StatedNumber(_key(place), str(value), kind, place[:2], "default", clause_ids(declared.clause), (place,))


def _numbers_of(value: Any, path: YamlPath, clauses: tuple[str, ...]) -> Iterator[StatedNumber]:
    """The numbers below a value of the model; an entry without a clause has that of the entry around it."""
    match value:
        case StrictModel():
            clauses = clause_ids(getattr(value, "clause", None)) or clauses
            for name, info in type(value).model_fields.items():
                if name in value.model_fields_set:
                    yield from _numbers_of_field(getattr(value, name), info, (*path, info.alias or name), clauses)
        case list():
            for index, item in enumerate(value):
                yield from _numbers_of(item, (*path, index), clauses)
        case dict():
            for key, item in value.items():
                yield from _numbers_of(item, (*path, key), clauses)


def _numbers_of_field(value: Any, info: Any, path: YamlPath, clauses: tuple[str, ...]) -> Iterator[StatedNumber]:
    kind: NumberKind | None = None
    if isinstance(value, str) and _is_duration(info):
        kind = None if Duration.parse(value).unit == "date" else "duration"
    elif isinstance(value, int | float) and not isinstance(value, bool) and not _is_position(path):
        kind = "whole" if isinstance(value, int) else "fraction"
    if kind is None:
        yield from _numbers_of(value, path, clauses)
        return
    named = path[:1] if path[0] == "limits" or len(path) == 1 else path[:2]
    field = ".".join(str(step) for step in path[len(named) :]) or str(path[-1])
    yield StatedNumber(_key(path), str(value), kind, named, field, clauses, (path,))


def _is_duration(info: Any) -> bool:
    """Whether a field, or a branch of its union, is a `DurationText`."""
    return _names_duration(info.annotation) or any(item in _DURATION_VALIDATORS for item in info.metadata)


def _names_duration(annotation: Any) -> bool:
    return any(item in _DURATION_VALIDATORS or _names_duration(item) for item in get_args(annotation))


def _is_position(path: YamlPath) -> bool:
    lists = [step for step in path[:-1] if isinstance(step, str)]
    return (lists[-1] if lists else "", path[-1]) in _POSITIONS


def _thresholds(procedure: Procedure) -> Iterator[StatedNumber]:
    clauses_by_entry = {located.yaml_path: located.clauses for located in all_entries(procedure)}
    found: dict[str, StatedNumber] = {}
    for expression in all_expressions(procedure):
        if expression.section not in REPLAYED_SECTIONS:
            continue
        place = expression.yaml_path
        clauses = next((named for end in range(len(place), 0, -1) if (named := clauses_by_entry.get(place[:end]))), ())
        for match in threshold_values(expression.source, ""):
            key = f"{match[1]}:{match[3]}"
            kind: NumberKind = "fraction" if "." in match[3] else "whole"
            new = StatedNumber(key, match[3], kind, place[:2], str(place[-1]), tuple(clauses), (place,), match[1])
            known = found.get(key, replace(new, places=(), clauses=()))
            found[key] = replace(
                known, places=tuple(dict.fromkeys((*known.places, place))), clauses=tuple(dict.fromkeys((*known.clauses, *new.clauses)))
            )
    yield from found.values()


def _key(path: YamlPath) -> str:
    return ".".join(str(step) for step in path)
