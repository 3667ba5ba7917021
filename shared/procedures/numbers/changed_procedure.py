"""The procedure with other numbers, checked as `jiesu procedure check` checks it; each fault names the number."""

import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from shared.procedures.checks.pack_check import procedure_findings
from shared.procedures.loading.loader import Pack
from shared.procedures.loading.validation import validate_document
from shared.procedures.loading.yaml_document import YamlDocument
from shared.procedures.model.bound_procedure import bind_parameters
from shared.procedures.model.duration import Duration, DurationError
from shared.procedures.model.entry_list import YamlPath
from shared.procedures.model.procedure import Procedure
from shared.procedures.model.procedure_error import ProcedureError
from shared.procedures.numbers.stated_numbers import StatedNumber, stated_numbers, threshold_values

_REMEDIES = {
    "duration": "write 30m, 2h, 4wh, 0.5wd, 3wd, 15d, 1w, 1mo, 1q, 1y, same_day or same_working_day",
    "whole": "write a whole number",
    "fraction": "write a number such as 0.8",
}
_WRITTEN = {"whole": re.compile(r"[0-9]{1,9}"), "fraction": re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")}


@dataclass(frozen=True, slots=True)
class NumberFault:
    """A number that cannot be used: its key, the rule as an identifier, and what to write; never the value."""

    number: str
    rule: str
    remedy: str


class NumberChangeError(ValueError):
    """Numbers that cannot be changed so."""

    def __init__(self, faults: Sequence[NumberFault]) -> None:
        super().__init__("; ".join(f"{fault.number}: {fault.remedy}" for fault in faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class ChangedProcedure:
    """A procedure with other numbers; `changes` are the numbers that differ with their new values.

    `parameters` are the changed ones, which replace those that a case was registered with.
    """

    procedure: Procedure
    changes: tuple[tuple[StatedNumber, str], ...]
    parameters: dict[str, Any]


def change_numbers(pack: Pack, values: Mapping[str, str], parameters: Mapping[str, Any] | None = None) -> ChangedProcedure:
    """The pack's procedure with these values by the keys of their numbers; raises `NumberChangeError` with every fault.

    `parameters` are the organisation's values. A value that is written as it was changes nothing.
    """
    numbers = {number.key: number for number in stated_numbers(pack.procedure, parameters)}
    written = {key: value.strip() for key, value in values.items()}
    faults = [NumberFault(key, "unknown_number", "choose a number of the list") for key in written if key not in numbers]
    changes = [(numbers[key], value) for key, value in written.items() if key in numbers and value != numbers[key].value]
    faults += [fault for number, value in changes if (fault := _syntax_fault(number, value))]
    if not faults and not changes:
        faults.append(NumberFault("changes", "nothing_changed", "change at least one number"))
    if faults:
        raise NumberChangeError(faults)
    data = deepcopy(pack.document.data)
    for number, value in changes:
        for place in number.places:
            _replace_at(data, place, number, value)
    document = YamlDocument(pack.document.path, data, pack.document.root)
    changed = {number.entry[1]: _typed(number, value) for number, value in changes if number.section == "parameters"}
    named = {str(name): value for name, value in changed.items()}
    try:
        procedure = validate_document(Procedure, document)
        bind_parameters(procedure, {**(parameters or {}), **named}, allow_unset=True)
    except ProcedureError as error:
        raise NumberChangeError(_model_faults(error, changes)) from error
    if faults := list(_check_faults(pack, procedure, changes)):
        raise NumberChangeError(faults)
    return ChangedProcedure(procedure, tuple(changes), named)


def _syntax_fault(number: StatedNumber, value: str) -> NumberFault | None:
    if number.kind == "duration":
        try:
            fits = Duration.parse(value).unit != "date"
        except DurationError as error:
            # The text after the semicolon is the remedy; the part before it quotes the value.
            return NumberFault(number.key, "duration", _remedy(str(error)).replace(" or date: <fact>", ""))
    else:
        fits = _WRITTEN[number.kind].fullmatch(value) is not None
    return None if fits else NumberFault(number.key, number.kind, _REMEDIES[number.kind])


def _typed(number: StatedNumber, value: str) -> str | int | float:
    return value if number.kind == "duration" else int(value) if number.kind == "whole" else float(value)


def _replace_at(data: Any, place: YamlPath, number: StatedNumber, value: str) -> None:
    *above, last = place
    for step in above:
        data = data[step]
    if number.compared:
        data[last] = _with_threshold(str(data[last]), number, value)
    else:
        data[last] = _typed(number, value)


def _with_threshold(source: str, number: StatedNumber, value: str) -> str:
    # CEL compares a double with a double only: 6000 has to be written 6000.0 where 5000.0 stood.
    text = str(_typed(number, value))
    for match in reversed(list(threshold_values(source, number.compared))):
        if match[3] == number.value:
            source = f"{source[: match.start(3)]}{text}{source[match.end(3) :]}"
    return source


def _model_faults(error: ProcedureError, changes: Sequence[tuple[StatedNumber, str]]) -> list[NumberFault]:
    """The faults of the model by the number that they name; one that names none is a fault of all."""
    faults = []
    for problem in error.problems:
        named = [number for number, _ in changes if any(_path_text(place) in problem.message for place in number.places)]
        named = named or [number for number, _ in changes if number.section == "parameters" and str(number.entry[1]) in problem.message]
        keys = [number.key for number in named] or [number.key for number, _ in changes]
        faults += [NumberFault(key, "procedure_check", _remedy(problem.message)) for key in keys]
    return list(dict.fromkeys(faults))


def _check_faults(pack: Pack, procedure: Procedure, changes: Sequence[tuple[StatedNumber, str]]) -> Iterable[NumberFault]:
    """The errors of the checks that the pack does not have with its own numbers."""
    known = {(finding.yaml_path, finding.message) for finding in procedure_findings(pack.procedure, pack.clauses)}
    for finding in procedure_findings(procedure, pack.clauses):
        if finding.severity != "error" or (finding.yaml_path, finding.message) in known:
            continue
        near = [number.key for number, _ in changes if any(_is_part(finding.yaml_path, place) for place in number.places)]
        for key in near or [number.key for number, _ in changes]:
            yield NumberFault(key, "procedure_check", finding.message)


def _is_part(one: YamlPath, other: YamlPath) -> bool:
    """Whether one of two paths leads to the other."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _remedy(message: str) -> str:
    """The part of a problem's message after the value that it quotes."""
    return message.rpartition("; ")[2]


def _path_text(path: YamlPath) -> str:
    return ".".join(str(step) for step in path)
