"""Describes settings that cannot be used in one line: variable, rule and remedy, never the value."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import SettingsError

from shared.runtime.errors import Misconfigured

VARIABLES_FILE = Path(__file__).with_name("variables.txt")
"""The names of all variables of all services and of the compose file, written by `make docs`: a service may not import the others."""
_PREFIX = "JIESU_"
_LIKENESS = 0.75
# Kubernetes adds these to every container of a namespace that has a Service named jiesu-…
_SERVICE_LINK = re.compile(r"JIESU_\w+_(?:SERVICE_HOST|SERVICE_PORT\w*|PORT_\d+_(?:TCP|UDP|SCTP)\w*)")
_LINKED_ADDRESS = re.compile(r"(?:tcp|udp|sctp)://")
_SETTINGS_ERROR_FIELD = re.compile(r'field "(\w+)"')
_RULES = {
    "literal_error": "must be {expected}",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "string_type": "must be text",
    "path_type": "must be a path",
    "path_not_directory": "must be a folder that exists",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be greater than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "value_error": "{error}",
}
"""Type of a fault in pydantic's terms → the rule that the value breaks, with fields of the fault's context."""


def describe_fault(error: ValidationError | SettingsError) -> str:
    """One line for the first fault."""
    if isinstance(error, SettingsError):
        field = _SETTINGS_ERROR_FIELD.search(str(error))
        return f'{variable_name(field[1]) if field else "a setting"}: must be JSON, such as ["email"]'
    fault = error.errors(include_url=False)[0]
    context: dict[str, Any] = fault.get("ctx", {})
    rule = _RULES.get(fault["type"], "cannot be used; .env.example describes it").format_map(context)
    return f"{variable_name(str(fault['loc'][0]))}: {rule}" if fault["loc"] else rule


def variable_name(field: str) -> str:
    """The environment variable of a field; an alias is a variable already."""
    return field if field.isupper() else f"{_PREFIX}{field}".upper()


def value_of_empty(field: FieldInfo) -> str | None:
    """The value of a setting whose variable is empty; raises ValueError where the setting needs text that its default has."""
    kinds = get_args(field.annotation) or (field.annotation,)
    if Path in kinds:
        # Path("") is the current folder, which nobody means.
        if type(None) in kinds:
            return None
    elif str not in kinds or field.default == "":
        return ""
    raise ValueError(f"must not be empty; give a value, or remove the variable for {field.default}")


def reject_misspelt_variables(environment: Mapping[str, str]) -> None:
    """Raise `Misconfigured` for a variable JIESU_… that no service knows and that is like one which exists."""
    for name in sorted(name for name in environment if name.startswith(_PREFIX)):
        if name in known_variables() or _is_service_link(name, environment[name]):
            continue
        if nearest := get_close_matches(name, known_variables(), 1, _LIKENESS):
            raise Misconfigured(f"{name}: there is no such setting; did you mean {nearest[0]}?")


@cache
def known_variables() -> frozenset[str]:
    """All variables with the prefix JIESU_."""
    return frozenset(VARIABLES_FILE.read_text("utf-8").split())


def variables_text(names: Iterable[str]) -> str:
    """The content of the file of variables."""
    return "\n".join(sorted(name for name in set(names) if name.startswith(_PREFIX))) + "\n"


def _is_service_link(name: str, value: str) -> bool:
    return _SERVICE_LINK.fullmatch(name) is not None or _LINKED_ADDRESS.match(value) is not None
